"""The census: how many series there are, by prefix, tag and source, which came lately, and which nobody reads.

`Census` counts; `NotedReader` is the reading half of a store that notes what is read; `Report` is the answer.
"""

from tallystick.census.census import Census
from tallystick.census.marks import FILE_NAME, SAVE_S, Marks
from tallystick.census.reader import NotedReader
from tallystick.census.report import Group, Report, report

__all__ = ["FILE_NAME", "SAVE_S", "Census", "Group", "Marks", "NotedReader", "Report", "report"]
