"""Log files and pipes to numbers: requests, times and errors of programs that count nothing themselves.

`Scraper` follows files through rotation and restarts, each line counted once; `LogReader` is what a line means, for
files and pipes alike.
"""

from tallystick.agent.logs.reader import LogReader
from tallystick.agent.logs.report import ERRORS_FILE, read_errors
from tallystick.agent.logs.scraper import CURSOR, Scraper

__all__ = ["CURSOR", "ERRORS_FILE", "LogReader", "Scraper", "read_errors"]
