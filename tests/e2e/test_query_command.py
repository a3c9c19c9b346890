"""``tallystick query`` in the terminal, of a server and of its directory."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.feather
import pyarrow.parquet
import pytest

from servers import START_S_MAX, TALLYSTICK, Server, running_server

pytestmark = pytest.mark.timeout(START_S_MAX + 60)
NOW_S = int(time.time()) // 60 * 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("query")) as started:
        started.send(*(f"shell.{name} {i}.5 {NOW_S - 600 + 5 * i}" for name in "ab" for i in range(120)))
        started.wait_until_safe()
        yield started


def query(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*TALLYSTICK, "query", "shell.*", "--from", str(NOW_S - 600), "--until", str(NOW_S - 10)]
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


def both(server: Server) -> list[tuple[str, object]]:
    return [("--server", server.url), ("--directory", server.root / "data")]


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_directory_answers_as_its_server_does(server: Server, form: str) -> None:
    answers = [query(*way, "--format", form) for way in both(server)]
    assert [answer.returncode for answer in answers] == [0, 0], answers
    assert answers[0].stdout == answers[1].stdout
    assert "shell.a" in answers[0].stdout


def test_statistics_and_steps_have_the_names_of_the_query_language(server: Server) -> None:
    for way in both(server):
        done = query(*way, "--statistic", "max", "--statistic", "p99", "--step", "5m", "--format", "json")
        names = [one["target"] for one in json.loads(done.stdout)]
        assert names[:2] == ['stat(shell.a,"max")', 'stat(shell.b,"max")']
        assert names[2:] == ["percentile(shell.a,99)", "percentile(shell.b,99)"]
        assert 'stat(shell.b,"max")' in query(*way, "--statistic", "max").stdout


def test_columns_go_into_files(server: Server, tmp_path: Path) -> None:
    tables = []
    for number, way in enumerate(both(server)):
        parquet, feather = tmp_path / f"{number}.parquet", tmp_path / f"{number}.arrow"
        for form, file in (("parquet", parquet), ("arrow", feather)):
            done = query(*way, "--statistic", "min", "--statistic", "max", "--format", form, "--output", file)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        tables += [pyarrow.parquet.read_table(parquet).to_pandas(), pyarrow.feather.read_feather(feather)]
    assert list(tables[0].columns) == ["time", "name", "min", "max"]
    assert len(tables[0]) == 2 * 59
    assert all(tables[0].equals(table) for table in tables[1:])


def test_a_text_goes_into_a_file_too(server: Server, tmp_path: Path) -> None:
    for form in ("csv", "table"):
        assert query("--server", server.url, "--format", form, "--output", tmp_path / form).stdout == ""
        assert "shell.b" in (tmp_path / form).read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--format", "parquet"], 1, "expected --output FILE"),
        (["--format", "parquet", "--output", "/nowhere/a"], 3, "cannot write /nowhere/a: "),
        (["--format", "csv", "--output", "/nowhere/a"], 3, "cannot write /nowhere/a: "),
        (["--directory", "/nowhere"], 3, "/nowhere"),
        (["--step", "soon"], 1, "cannot read length of time 'soon'"),
        (["--statistic", "best"], 1, "cannot use statistic 'best'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(server: Server, arguments: list[str], status: int, says: str) -> None:
    done = query("--server", server.url, *arguments)
    assert says in done.stderr
    assert done.returncode == status
    assert done.stderr.count("\n") == 1
