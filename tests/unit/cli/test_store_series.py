"""``tallystick store delete`` and ``rename`` on a directory that no server has open."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stores import found, opened, put, wait_durable
from tallystick.cli.verbs import verbs


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with opened(tmp_path) as store:
        for name in ("web.h1.cpu", "web.h2.cpu", "db.h1.cpu"):
            wait_durable(store, put(store, name, {0: 1.0}))
    return tmp_path


def run(directory: Path, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(verbs, ["store", *arguments, "--directory", str(directory)], input=answer)


def names(directory: Path) -> list[str]:
    with opened(directory) as store:
        return sorted(store.catalog.names(store.catalog.ids()))


def test_what_would_be_deleted_is_shown_and_asked_for(directory: Path) -> None:
    refused = run(directory, "delete", "web.*.cpu", answer="n\n")
    assert refused.exit_code == 1
    assert "  web.h1.cpu\n  web.h2.cpu\n" in refused.stdout
    assert "Delete 2 series and all of their data?" in refused.stdout
    assert len(names(directory)) == 3
    done = run(directory, "delete", "web.*.cpu", answer="y\n")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "deleted 2 series")
    assert names(directory) == ["db.h1.cpu"]


def test_a_renamed_series_keeps_its_data(directory: Path) -> None:
    assert run(directory, "rename", "db.h1.cpu", "db.h9.cpu").exit_code == 0
    with opened(directory) as store:
        assert found(store, "db.h9.cpu") == {0: 1.0}


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["delete", "none.*", "--yes"], 1, "cannot find series none.*: there is none"),
        (["rename", "web.*.cpu", "x"], 1, "it matches 2 series"),
        (["rename", "web.h1.cpu", "db.h1.cpu"], 3, "there is a series of that name"),
        (["rename", "web.h1.cpu", "a b"], 1, "cannot use name 'a b'"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(
    directory: Path, arguments: list[str], status: int, sentence: str
) -> None:
    result = run(directory, *arguments)
    assert result.exit_code == status
    assert sentence in result.stderr
    assert len(names(directory)) == 3


def test_a_directory_without_a_store_is_left_as_it_is(tmp_path: Path) -> None:
    result = run(tmp_path, "delete", "a", "--yes")
    assert result.exit_code == 3
    assert "it has no manifest; expected a store's directory" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_in_use_is_not_touched(directory: Path) -> None:
    with opened(directory):
        result = run(directory, "delete", "web.*.cpu", "--yes")
    assert result.exit_code == 3
    assert "cannot" in result.stderr
    assert len(names(directory)) == 3
