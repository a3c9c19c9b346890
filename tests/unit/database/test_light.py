"""What a database loads, and what it says when a package is missing."""

import subprocess
import sys

HEAVY = {"numpy", "numba", "pyarrow", "pandas", "starlette"}


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)


def test_importing_the_package_loads_no_database() -> None:
    done = run("import sys, tallystick; print(*sys.modules)")
    assert not {"tallystick.database", "urllib.request", *HEAVY} & set(done.stdout.split())


def test_the_database_itself_loads_nothing_heavy() -> None:
    done = run("import sys, tallystick; tallystick.connect; tallystick.database; print(*sys.modules)")
    assert "tallystick.database.remote" in done.stdout.split()
    assert not HEAVY & set(done.stdout.split())


def test_reading_from_a_server_loads_nothing_of_a_server() -> None:
    done = run("import sys, tallystick.database.arrow, tallystick.database.tables; print(*sys.modules)")
    assert "pyarrow" in done.stdout.split()
    assert not {"numba", "starlette", "tallystick.store", "tallystick.query"} & set(done.stdout.split())


def test_a_missing_package_is_named_with_what_to_install() -> None:
    done = run(
        "import sys; sys.modules['pyarrow'] = None\n"
        "from tallystick.database.http import Server; from tallystick.database.remote import RemoteDatabase\n"
        "RemoteDatabase(Server('http://127.0.0.1:1', '', 1, 1)).query('a')"
    )
    assert "StartError: cannot read columns: pyarrow is not installed" in done.stderr
    assert "pip install 'tallystick[pandas]'" in done.stderr


def test_what_the_package_does_not_have_is_told_as_python_does() -> None:
    assert "module 'tallystick' has no attribute 'clse'" in run("import tallystick; tallystick.clse").stderr
