"""Small tables that lie beside the series, each set of them one file of SQLite's: what is committed is on disk."""

from tallystick.sql.file import SqlFile, copy_file

__all__ = ["SqlFile", "copy_file"]
