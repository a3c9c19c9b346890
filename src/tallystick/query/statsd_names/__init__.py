"""The names that StatsD emits to Graphite, as a view of the series that came by StatsD.

A key is stored once, by its own name: a counter as increments, a timing as a histogram. What StatsD makes of them at
each flush (``stats.timers.k.upper_90``, ``stats_counts.k``) is computed when somebody asks. `StatsdView` stands before
a store and answers for these names as if they were series, so that whatever reads a store reads them: globs, tags, the
tree, functions, all formats.

`forms` says which names there are, `catalog` and `keys` find them, `values` computes them, `idle` repeats what StatsD
repeats, `marks` knows which series came by StatsD.
"""

from tallystick.query.statsd_names.forms import Bins, Naming
from tallystick.query.statsd_names.marks import Marks
from tallystick.query.statsd_names.view import StatsdView

__all__ = ["Bins", "Marks", "Naming", "StatsdView"]
