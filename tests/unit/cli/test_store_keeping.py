"""``tallystick store info``, ``verify``, ``compact``, ``snapshot`` and ``restore``; and what a server is asked."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette
from starlette.testclient import TestClient

from stores import found, open_store, opened, put, wait_durable
from tallystick.cli.verbs import verbs
from tallystick.model.errors import StoreError
from tallystick.model.retention import Retention, RetentionRule
from tallystick.store.view import StoreView
from tallystick.web.errors import exception_handlers
from tallystick.web.keeping import Compacted, Snapshot, keeping_routes


def run(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(verbs, ["store", *map(str, words)])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A closed store with two blocks, and something in its log."""
    with opened(tmp_path / "data") as store:
        for k in range(20):
            put(store, f"web.h{k}", {slot * 10: float(slot) for slot in range(-100, 100)})
        store.maintenance.seal()
        put(store, "late", {0: 1.0})
        store.maintenance.seal()
        wait_durable(store, put(store, "later", {0: 1.0}))
    return tmp_path / "data"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)


def test_info_shows_what_is_there(directory: Path):
    result = run("info", "--directory", directory, "--slots")
    assert result.exit_code == 0, result.output
    for words in ("by nobody", "format 2", "22", "10s:10d,1m:30d,5m:90d,1h:2y", "4,001", "1 segments", "nothing"):
        assert words in result.output
    store = open_store(directory)
    try:
        assert "by a server" in run("info", "--directory", directory).output
    finally:
        store.close()


def test_verify_says_that_all_is_whole_also_while_a_server_runs(directory: Path):
    store = open_store(directory)
    try:
        result = run("verify", "--directory", directory, "--rate", 1000)
    finally:
        store.close()
    assert result.exit_code == 0, result.output
    assert f"{directory} is whole: 2 blocks" in result.output


def test_verify_names_what_is_damaged_and_exits_with_1(directory: Path):
    path = sorted((directory / "blocks").iterdir())[0]
    flip(path)
    flip(directory / "manifest.copy")
    result = run("verify", "--directory", directory)
    assert result.exit_code == 1
    assert f"cannot read block {path}" in result.output
    assert f"cannot read {directory}/manifest.copy: it does not match its checksum" in result.output


def test_compact_writes_what_is_in_the_log_and_merges(directory: Path):
    result = run("compact", "--directory", directory)
    assert result.exit_code == 0, result.output
    assert "there are" in result.output
    assert StoreView(directory).sources().heads[0].span_s() is None
    assert found(StoreView(directory), "later", step_s=60)


def test_without_a_config_a_store_is_kept_as_it_was(tmp_path: Path):
    rules = (RetentionRule("web.*", Retention.parse("10s:400d")), RetentionRule("*", Retention.parse("10s:1d")))
    with opened(tmp_path / "data", rules=rules) as store:
        put(store, "web.a", {0: 1.0})
    for words in (["compact"], ["snapshot", tmp_path / "s"]):
        assert run(*words, "--directory", tmp_path / "data").exit_code == 0
    for directory in (tmp_path / "data", tmp_path / "s"):
        assert StoreView(directory).manifest.retention_rules == rules


def test_a_snapshot_is_made_and_restored(directory: Path, tmp_path: Path):
    assert run("snapshot", tmp_path / "monday", "--directory", directory).exit_code == 0
    assert run("info", "--directory", tmp_path / "monday").exit_code == 0
    result = run("restore", tmp_path / "monday", tmp_path / "again")
    assert result.exit_code == 0, result.output
    assert f"Restored {tmp_path / 'again'}" in result.output
    with opened(tmp_path / "again") as store:
        assert found(store, "late") == found(store, "later") == {0: 1.0}
    result = run("restore", tmp_path / "monday", tmp_path / "again")
    assert result.exit_code == 3
    assert "it is not empty" in result.output


@pytest.mark.parametrize("verb", ["compact", "snapshot"])
def test_a_store_that_a_server_has_open_is_left_alone(directory: Path, tmp_path: Path, verb: str):
    store = open_store(directory)
    try:
        result = run(verb, *([tmp_path / "s"] if verb == "snapshot" else []), "--directory", directory)
    finally:
        store.close()
    assert result.exit_code == 3
    assert "another process has it open" in result.output


@pytest.mark.parametrize("words", [["info"], ["verify"], ["compact"], ["snapshot", "s"]])
def test_no_store_is_made_where_there_is_none(tmp_path: Path, words: list[str]):
    result = run(*words, "--directory", tmp_path / "none")
    assert result.exit_code == 3
    assert "it has no manifest; expected a store's directory" in result.output
    assert not (tmp_path / "none").exists()


class Keeper:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def snapshot(self, name: str) -> Snapshot:
        if name in self.names:
            raise StoreError(f"cannot make snapshot {name}: it is there already")
        self.names.append(name)
        return Snapshot(f"/snapshots/{name}", 5)

    def compact(self) -> Compacted:
        return Compacted(1, 2, 3)


def test_a_server_is_asked_by_name_only():
    keeper = Keeper()
    client = TestClient(Starlette(routes=keeping_routes(keeper), exception_handlers=exception_handlers))
    answer = client.post("/api/store/snapshot", json={"name": "monday-1.a"})
    assert (answer.status_code, answer.json()) == (200, {"snapshot": "/snapshots/monday-1.a", "bytes": 5})
    assert client.post("/api/store/snapshot", json={"name": "monday-1.a"}).status_code == 503
    for name in ("", "/etc", "../up", "a/b", ".hidden", "x.part", "n" * 101, "new\n"):
        answer = client.post("/api/store/snapshot", json={"name": name})
        assert (answer.status_code, "cannot name a snapshot" in answer.json()["error"]) == (400, True)
    assert client.post("/api/store/snapshot", content=b"{").status_code == 400
    assert client.post("/api/store/snapshot", content=b"x" * 5000).status_code == 413
    assert client.post("/api/store/compact").json() == msgspec.to_builtins(Compacted(1, 2, 3))
    assert keeper.names == ["monday-1.a"]
