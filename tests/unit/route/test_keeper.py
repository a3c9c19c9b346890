"""Files of rules that change while a server runs."""

from pathlib import Path

import numpy as np
import pytest

from tallystick.config import Rule
from tallystick.kernels.names import NameTable
from tallystick.model.clock import ManualClock
from tallystick.model.sample import SampleBatch
from tallystick.route import Router
from tallystick.route.keeper import RuleKeeper
from tallystick.store.names.catalog import SeriesCatalog


class House:
    """A router that follows a file."""

    def __init__(self, directory: Path, text: str, *inline: Rule) -> None:
        self.file = directory / "rules.toml"
        self.file.write_text(text)
        self.keeper = RuleKeeper(inline, self.file, ManualClock(5.0))
        self.names, self.catalog = NameTable(), SeriesCatalog()
        self.router = Router(self.names, self.catalog.create, self.keeper.followed.rules)

    def send(self, name: str) -> list[str]:
        ids = self.names.intern_many([name.encode()])
        routed = self.router.route(SampleBatch.of(ids, np.zeros(1, np.int64), np.zeros(1)))
        return self.catalog.names(routed.batch.ids)

    def change(self, text: str) -> bool:
        """Whether other rules are in force once the file says so."""
        self.file.write_text(text)
        return self.keeper.look(self.router)


FIRST = "rules = [{ prefix = 'first' }]\n"


def test_names_that_were_decided_about_follow_a_file_that_changes(tmp_path: Path):
    house = House(tmp_path, FIRST)
    assert house.send("a") == ["first.a"]
    assert not house.keeper.look(house.router)
    assert house.change("rules = [{ prefix = 'second' }]\n")
    assert house.send("a") == ["second.a"]
    assert house.change("")
    assert house.send("a") == ["a"]


def test_rules_of_the_config_come_first_and_stay(tmp_path: Path):
    house = House(tmp_path, FIRST, Rule(rewrite="^ -> inline."))
    assert house.send("a") == ["first.inline.a"]
    assert house.change("")
    assert house.send("b") == ["inline.b"]
    assert house.keeper.followed.inline == 1


@pytest.mark.parametrize(
    "broken", ["rules = [", "rules = [{ prefix = 'x', block = true }]", "rules = [{ regex = '(' }]"]
)
def test_a_broken_file_is_refused_whole_and_told_until_it_is_mended(
    tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
):
    house = House(tmp_path, FIRST)
    assert not house.change(broken)
    assert house.send("a") == ["first.a"]
    (problem, *_) = house.keeper.problems()
    assert problem.startswith("the rules of before stay in force: cannot")
    house.keeper.look(house.router)
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == len(house.keeper.problems())
    assert house.change("rules = [{ prefix = 'third' }]\n")
    assert house.keeper.problems() == []
    assert house.send("a") == ["third.a"]


def test_a_file_that_is_gone_is_a_broken_one(tmp_path: Path):
    house = House(tmp_path, FIRST)
    house.file.unlink()
    assert not house.keeper.look(house.router)
    assert house.send("a") == ["first.a"]
    assert "No such file" in house.keeper.problems()[0]


def test_files_that_rules_name_are_followed_as_well(tmp_path: Path):
    black = tmp_path / "blacklist.conf"
    black.write_text("^debug\n")
    house = House(tmp_path, f"rules = [{{ blacklist = '{black}' }}]")
    assert house.send("debug.a") == []
    black.write_text("^nothing.at.all\n")
    assert house.keeper.look(house.router)
    assert house.send("debug.a") == ["debug.a"]
    black.write_text("(\n")
    assert not house.keeper.look(house.router)
    assert "line 1: '(' is broken" in house.keeper.problems()[0]
    black.write_text("^debug.a\n")
    assert house.keeper.look(house.router)
    assert house.send("debug.a") == []
