"""Memory for histograms as senders report them (`tallystick.kernels.distributions.Reports`)."""

import numpy as np

from tallystick.kernels.distributions import Reports


def room_for_reports(rows: int, buckets: int, bounds: int) -> Reports:
    """Reports with room for so many rows, and for the buckets and explicit bounds of all together."""
    return Reports(
        ids=np.empty(rows, np.int32),
        timestamp=np.empty(rows, np.int64),
        start=np.empty(rows, np.int64),
        writer=np.empty(rows, np.uint64),
        cumulative=np.empty(rows, np.uint8),
        scale=np.empty(rows, np.int8),
        sum=np.empty(rows),
        min=np.empty(rows),
        max=np.empty(rows),
        bounds_offset=np.zeros(rows + 1, np.int64),
        bounds=np.empty(bounds),
        offset=np.zeros(rows + 1, np.int64),
        bucket=np.empty(buckets, np.int32),
        weight=np.empty(buckets),
    )


def first_reports(reports: Reports, count: int) -> Reports:
    """The first rows, with their buckets: views, that may be changed."""
    rows = Reports(**{name: getattr(reports, name)[:count] for name in Reports._fields})
    return rows._replace(
        bounds_offset=reports.bounds_offset[: count + 1],
        bounds=reports.bounds[: reports.bounds_offset[count]],
        offset=reports.offset[: count + 1],
        bucket=reports.bucket[: reports.offset[count]],
        weight=reports.weight[: reports.offset[count]],
    )
