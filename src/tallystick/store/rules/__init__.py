"""The rules by which series are kept: how long, by which statistic, and by whose time."""
