"""``tallystick store import``, ``export`` and ``dump``: from files into a store and out again."""

from pathlib import Path

import pytest
import whisper
from click.testing import CliRunner, Result

from tallystick.cli.store import export, import_
from tallystick.cli.verbs import verbs
from tallystick.exchange.registry import readers, writers

NOW_S = 1_700_002_800


def run(*words: object) -> Result:
    return CliRunner().invoke(verbs, ["store", *map(str, words)])


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Graphite tree of two series, an hour old."""
    monkeypatch.setattr("tallystick.model.clock.time.time", lambda: float(NOW_S))
    root = tmp_path / "whisper"
    for name, method in (("cpu", "average"), ("hits", "sum")):
        file = root / "web" / f"{name}.wsp"
        file.parent.mkdir(parents=True, exist_ok=True)
        whisper.create(str(file), [(10, 360), (60, 1440)], aggregationMethod=method)
        whisper.update_many(str(file), [(NOW_S - 10 * k, float(k)) for k in range(1, 300)], now=NOW_S)
    return root


def test_the_commands_name_the_formats_there_are():
    assert tuple(readers()) == import_.FORMATS
    assert tuple(writers()) == export.FORMATS


def test_a_dry_run_says_what_would_come_and_changes_nothing(tree: Path, tmp_path: Path):
    result = run("import", "whisper", tree, "--directory", tmp_path / "store", "--dry-run", "--prefix", "old.")
    assert result.exit_code == 0, result.output
    assert "2 series with 598 points" in result.output
    assert "old.web.cpu" in result.output
    assert "from 2023-11-14 22:10:10 UTC" in result.output
    assert not (tmp_path / "store").exists()


def test_a_tree_is_imported_once_and_exported_whole(tree: Path, tmp_path: Path):
    store = tmp_path / "store"
    first = run("import", "whisper", tree, "--directory", store, "--rename", r"^web\.(\w+) -> apps.\1")
    assert first.exit_code == 0, first.output
    assert "598 slots taken" in first.output
    again = run("import", "whisper", tree, "--directory", store, "--rename", r"^web\.(\w+) -> apps.\1")
    assert "0 slots taken" in again.output
    assert "598 were there already" in again.output
    for form in export.FORMATS:
        file = tmp_path / f"out.{form}"
        written = run("export", "apps.*", "--directory", store, "--format", form, "--output", file)
        assert written.exit_code == 0, written.output
        assert "598 slots of 2 series" in written.output
        copied = run("import", form, file, "--directory", tmp_path / f"copy-{form}")
        assert "598 slots taken" in copied.output
        dumps = [run("dump", "apps.hits", "--directory", d).output for d in (store, tmp_path / f"copy-{form}")]
        assert dumps[0] == dumps[1]
        assert "2023-11-14 22:59:50 10s count=1 sum=1 m2=0 min=1 max=1 last=1" in dumps[0]


def test_export_takes_times_and_a_step(tree: Path, tmp_path: Path):
    store = tmp_path / "store"
    run("import", "whisper", tree, "--directory", store)
    file = tmp_path / "out.csv"
    result = run(
        "export",
        "web.hits",
        "--directory",
        store,
        "--from",
        NOW_S - 120,
        "--until",
        NOW_S - 1,
        "--step",
        "1min",
        "--format",
        "csv",
        "--output",
        file,
    )
    assert result.exit_code == 0, result.output
    lines = file.read_text().splitlines()
    assert lines[1:] == [
        f'"web.hits","counter",60,{NOW_S - 120},6,57,17.5,7,12,7,,',
        f'"web.hits","counter",60,{NOW_S - 60},6,21,17.5,1,6,1,,',
    ]
    unfit = run("export", "--directory", store, "--step", "15s", "--output", file)
    assert unfit.exit_code == 1
    assert "expected a multiple of that" in unfit.output


def test_a_block_is_shown_with_its_pages_and_its_damage(tree: Path, tmp_path: Path):
    store = tmp_path / "store"
    run("import", "whisper", tree, "--directory", store)
    block = next((store / "blocks").iterdir())
    whole = run("dump", block).output
    assert "footer and index match their checksums" in whole
    assert "2 series kept by 10s:10d,1m:30d,5m:90d,1h:2y" in whole
    assert "all 1 extents match their checksums" in whole
    assert "page of series 0" in whole
    content = bytearray(block.read_bytes())
    content[40] ^= 1
    block.write_bytes(content)
    assert "DAMAGED: bytes 0 to 16384" in run("dump", block).output


def test_files_that_cannot_be_read_are_told_and_cost_only_themselves(tree: Path, tmp_path: Path):
    (tree / "web" / "bad.wsp").write_bytes(b"x")
    result = run("import", "whisper", tree, "--directory", tmp_path / "store")
    assert result.exit_code == 1
    assert "598 slots taken" in result.output
    assert "bad.wsp: it has 1 bytes" in result.output


def test_a_rename_that_cannot_be_read_is_wrong_usage(tree: Path):
    for rename in ("(", "( -> x", r"a -> \9"):
        result = run("import", "whisper", tree, "--dry-run", "--rename", rename)
        assert result.exit_code == 2, result.output


def test_an_unknown_pattern_and_a_missing_store_are_told(tree: Path, tmp_path: Path):
    run("import", "whisper", tree, "--directory", tmp_path / "store")
    nothing = run("export", "no.such", "--directory", tmp_path / "store", "--output", tmp_path / "x")
    assert nothing.exit_code == 1
    assert "none matches no.such" in nothing.output
    missing = run("dump", "--directory", tmp_path / "nowhere")
    assert missing.exit_code == 3


def test_what_cannot_be_written_or_asked_is_told_in_a_sentence(tree: Path, tmp_path: Path):
    store = tmp_path / "store"
    assert run("import", "whisper", tree, "--directory", store).stderr == ""  # no bar where there is no terminal
    missing = run("export", "--directory", store, "--output", tmp_path / "no" / "x.parquet")
    assert (missing.exit_code, missing.stderr) == (
        3,
        f"cannot write {tmp_path / 'no' / 'x.parquet'}: No such file or directory\n",
    )
    address = run("import", "whisper", tree, "--server", "127.0.0.1:8080")
    assert address.exit_code == 2
    assert "expected http://host:port" in address.stderr
    group = run("import", "whisper", tree, "--directory", store, "--rename", r"web -> \g<host>")
    assert group.exit_code == 2
    assert "unknown group name" in group.stderr


def test_what_is_in_a_store_is_shown_whole_in_a_pipe(tree: Path, tmp_path: Path):
    store = tmp_path / "store"
    run("import", "whisper", tree, "--directory", store)
    shown = run("info", "--directory", store, "--slots")
    assert shown.exit_code == 0
    assert "\n10s:10d,1m:30d,5m:90d,1h:2y\n" in shown.stdout
    assert "2023-11-14T22:10Z" in shown.stdout
    assert "bytes/slot" in shown.stdout
    assert "…" not in shown.stdout
