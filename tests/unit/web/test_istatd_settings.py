"""Settings of istatd's front-end, in its own files."""

from pathlib import Path

import pytest

from tallystick.model.errors import QueryError, StoreError
from tallystick.web.istatd.settings import SettingsStore, quoted, unquoted


def test_a_file_is_as_istatd_writes_and_reads_it(tmp_path: Path) -> None:
    settings = SettingsStore(tmp_path / "kept")
    settings.change("user-1", {"dashboard.main": '{"size": "50%"}', "a": "x"})
    text = (tmp_path / "kept" / "user-1.set").read_text()
    assert text == '# istatd settings 1\na=x\ndashboard.main={\\"size\\": \\"50\\%\\"}\n'
    (tmp_path / "kept" / "edited.set").write_text("# istatd settings 1\nkey=by hand\\n\\'x\\'\n\n# a=b\nno pair\n")
    assert settings.get("edited") == {"key": "by hand\n'x'"}


def test_what_istatd_quotes_comes_back() -> None:
    assert quoted("%_blas\r\n'foo\"\\'") == "\\%\\_blas\\r\\n\\'foo\\\"\\\\\\'"
    for text in ("%_blas\r\n'foo\"\\'", "\0\b\t\x1a", "plain", "=", "\\n", "ünï"):
        assert unquoted(quoted(text)) == text


def test_a_change_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    settings = SettingsStore(tmp_path)
    settings.change("user", {"a": "1"})
    for bad in ({"b": "2", "c d": "3"}, {"b": "x" * (1 << 20)}):
        with pytest.raises(QueryError):
            settings.change("user", bad)
    assert settings.get("user") == {"a": "1"}
    assert [file.name for file in tmp_path.iterdir()] == ["user.set"]


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    settings = SettingsStore(tmp_path)
    (tmp_path / "folder.set").mkdir()
    with pytest.raises(StoreError, match="cannot read"):
        settings.get("folder")
    (tmp_path / "large.set").write_bytes(b"a=" + b"x" * (1 << 20))
    with pytest.raises(StoreError, match="more than"):
        settings.get("large")
    (tmp_path / "user.set.part").mkdir()
    with pytest.raises(StoreError, match="cannot keep"):
        settings.change("user", {"a": "1"})
