"""Files to slots: what is handed over together with positions counts once, whoever is killed in between."""

import contextlib
import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from tallystick.agent.logs import Scraper
from tallystick.agent.logs.report import ERRORS_FILE, read_errors
from tallystick.config.logs import Log
from tallystick.model.clock import ManualClock
from tallystick.native import Slot


class Spool:
    """Keeps what is handed over, as a spool does."""

    def __init__(self) -> None:
        self.totals: dict[str, float] = {}
        self.cursors: dict[str, str] = {}
        self.is_writable = True

    def take(self, slots: Sequence[Slot], cursors: Mapping[str, str]) -> None:
        for slot in slots:
            self.totals[slot.name] = self.totals.get(slot.name, 0.0) + (slot.spread[1] if slot.spread else slot.last)
        self.cursors |= cursors
        self.cursors = {name: at for name, at in self.cursors.items() if at}


CLOCK = ManualClock()


def scraper(spool: Spool, *logs: Log, errors_file: Path | None = None) -> Scraper:
    made = Scraper(logs, spool.cursors, spool.take, errors_file, CLOCK, lambda: spool.is_writable)
    made.tick()
    return made


def write(path: Path, first: int, last: int) -> None:
    with path.open("a") as log:
        log.writelines(f"line {k}\n" for k in range(first, last))


def test_what_was_there_before_anybody_looked_is_not_counted(tmp_path: Path) -> None:
    log, spool = tmp_path / "app.log", Spool()
    write(log, 0, 100)
    followed = scraper(spool, Log(path=str(log), pattern="line"))
    write(log, 100, 130)
    followed.stop()
    assert spool.totals == {"app.lines": 30.0}


def test_a_log_that_comes_later_is_read_from_its_first_line(tmp_path: Path) -> None:
    spool = Spool()
    followed = scraper(spool, Log(path=str(tmp_path / "app.log"), pattern="line"))
    write(tmp_path / "app.log", 0, 30)
    followed.stop()
    assert spool.totals == {"app.lines": 30.0}


def test_each_line_counts_once_though_the_agent_is_killed_again_and_again(tmp_path: Path) -> None:
    log, spool = tmp_path / "app.log", Spool()
    write(log, 0, 1)
    written = 1
    for round_ in range(30):
        followed = scraper(spool, Log(path=str(log), pattern="line"))
        for step in range(3):
            write(log, written, written := written + 7)
            followed.tick()
            if step == 1 and round_ % 3:
                followed.hand_over()
            if round_ % 4 == 1 and step == 0:
                log.rename(tmp_path / f"app.log.{100 - round_}")
            if round_ % 4 == 3 and step == 2:
                followed.tick()
                shutil.copy(log, tmp_path / f"app.log.{100 - round_}")
                log.open("w").close()
        # Killed: what was not handed over is not known to anybody.
    scraper(spool, Log(path=str(log), pattern="line")).stop()
    assert spool.totals["app.lines"] == written - 1


def test_a_log_that_came_while_the_agent_was_dead_is_read_from_its_first_line(tmp_path: Path) -> None:
    log, spool = tmp_path / "app.log", Spool()
    scraper(spool, Log(path=str(log), pattern="line"))
    write(log, 0, 30)
    scraper(spool, Log(path=str(log), pattern="line")).stop()
    assert spool.totals == {"app.lines": 30.0}


def test_globs_find_new_files_and_forget_those_that_are_gone(tmp_path: Path) -> None:
    spool = Spool()
    followed = scraper(spool, Log(path=str(tmp_path / "*.log"), pattern="line"))
    for name in ("one", "two"):
        write(tmp_path / f"{name}.log", 0, 10)
    for _ in range(10):
        followed.tick()
    followed.hand_over()
    assert set(spool.cursors) == {f"log:{tmp_path}/one.log", f"log:{tmp_path}/two.log"}
    (tmp_path / "one.log").unlink()
    for _ in range(10):
        followed.tick()
    followed.stop()
    assert spool.totals == {"one.lines": 10.0, "two.lines": 10.0}
    assert set(spool.cursors) == {f"log:{tmp_path}/two.log"}


def test_a_file_under_two_names_counts_once(tmp_path: Path) -> None:
    spool = Spool()
    followed = scraper(spool, Log(path=str(tmp_path / "*.log"), pattern="line"))
    write(tmp_path / "app.log", 0, 10)
    (tmp_path / "same.log").hardlink_to(tmp_path / "app.log")
    for _ in range(11):
        followed.tick()
    followed.stop()
    assert sum(spool.totals.values()) == 10.0


def test_error_lines_are_counted_by_kind_and_kept_for_whoever_asks(tmp_path: Path) -> None:
    log, spool, errors = tmp_path / "app.log", Spool(), tmp_path / ERRORS_FILE
    followed = scraper(spool, Log(path=str(log)), errors_file=errors)
    log.write_text("fine\nERROR: cannot open /a/b: 13\nERROR: cannot open /c: 2\nFATAL: no memory\n")
    followed.stop()
    told = read_errors(errors)[str(log)]
    assert {kind.shape: kind.count for kind in told} == {"ERROR: cannot open <path>: <n>": 2, "FATAL: no memory": 1}
    assert spool.totals == {"app.error_lines": 3.0} | {
        f"app.error_lines.{kind.fingerprint}": float(kind.count) for kind in told
    }
    assert stat.S_IMODE(errors.stat().st_mode) == 0o600


def test_a_report_that_cannot_be_written_costs_no_count(tmp_path: Path) -> None:
    log, spool = tmp_path / "app.log", Spool()
    followed = scraper(spool, Log(path=str(log)), errors_file=tmp_path / "nowhere" / ERRORS_FILE)
    log.write_text("error: 1\n")
    followed.stop()
    assert spool.totals["app.error_lines"] == 1.0


def test_pipes_and_directories_under_a_logs_name_hold_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "folder.log").mkdir()
    spool = Spool()
    followed = scraper(spool, Log(path=str(tmp_path / "*.log"), pattern="line"))
    write(tmp_path / "app.log", 0, 5)
    for _ in range(11):
        followed.tick()
    followed.stop()
    assert spool.totals == {"app.lines": 5.0}


def test_a_line_without_end_costs_only_itself(tmp_path: Path) -> None:
    log, spool = tmp_path / "app.log", Spool()
    followed = scraper(spool, Log(path=str(log), pattern="line"))
    with log.open("w") as opened:
        opened.write("line\n" + 300_000 * "line " + "\nline\n" + "line")
    followed.tick()
    assert {point.name: point.value for point in followed.points()}["logs.long"] == 1.0
    followed.stop()
    assert spool.totals == {"app.lines": 2.0}  # the last one has no end yet


def test_a_log_is_not_read_on_while_its_positions_cannot_be_kept(tmp_path: Path) -> None:
    log, spool = tmp_path / "app.log", Spool()
    log.touch()
    followed = scraper(spool, Log(path=str(log), pattern="line"))
    spool.is_writable = False
    write(log, 0, 30)
    CLOCK.advance(20)
    followed.tick()
    assert {point.name: point.value for point in followed.points()}["logs.lines"] == 0.0
    log.rename(tmp_path / "app.log.1")
    write(log, 30, 50)
    spool.is_writable = True
    followed.tick()
    followed.stop()
    assert spool.totals == {"app.lines": 50.0}


def test_of_a_log_that_is_deleted_meanwhile_the_rest_is_read_and_its_room_given_back(tmp_path: Path) -> None:
    log, spool = tmp_path / "app.log", Spool()
    log.touch()
    followed = scraper(spool, Log(path=str(log), pattern="line"))
    spool.is_writable = False
    write(log, 0, 30)
    log.unlink()
    for _ in range(70):
        followed.tick()
    assert spool.totals == {}
    assert not [target for target in open_files() if target.startswith(str(log))]
    write(log, 30, 50)
    spool.is_writable = True
    followed.stop()
    assert spool.totals == {"app.lines": 50.0}


def open_files() -> list[str]:
    """What this process has open."""
    targets = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # that of the directory, and those of other threads
            targets.append(str(descriptor.readlink()))
    return targets
