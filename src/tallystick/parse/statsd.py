r"""StatsD's lines, with what DogStatsD added to them.

::

    line  = key 1*(":" bit)
    bit   = value *(":" value) "|" type *("|" field)
    type  = "c" | "m" | "g" | "ms" | "h" | "d" | "s"
    field = "@" rate | "#" tag *("," tag) | letter anything

- **Types.** ``c`` and ``m`` (meter) count; ``g`` is a gauge, changed by the value where it has a sign; ``ms``, ``h``
  and ``d`` are timings, and ``ms`` has no minus sign; ``s`` is a set, whose members are hashed to 64 bits that travel
  as a float's.
- **Rates.** ``0 < rate <= 1``; a sample stands for ``1 / rate`` of the sender's. Gauges are not scaled.
- **Keys** are cleaned as StatsD does: runs of white space become ``_``, ``/`` becomes ``-``, what is none of
  ``a-z A-Z 0-9 _ - . ; =`` is left out.
- **Tags** become part of the name, ``;key=value``, cleaned likewise. A tag without a value is ``key=true`` (StatsD
  writes ``;key``, which carbon then refuses); one with an empty key or value rejects the line.
- **Other fields** that begin with a letter (DogStatsD's ``c:``, ``T``, ``e:``, ``card:``) are passed over.
- **Counting.** Each value is one sample, and is accepted or rejected by itself. A line that is bad as a whole (no key,
  no value, a bad tag, too long) counts as one.

Where this differs from StatsD: it takes any unknown type for a counter, we reject it; it reads ``0x10``, we do not; it
refuses packed values (``k:1:2|c``), we take them as DogStatsD does. In a set's member a colon is part of the member.
"""

from tallystick.kernels.statsd import parse_lines
from tallystick.parse.lines import LineParser
from tallystick.parse.registry import protocol


@protocol("statsd")
class StatsdParser(LineParser):
    """StatsD and DogStatsD lines; samples are stamped with the time of their arrival."""

    _kernel = staticmethod(parse_lines)
    sample_bytes_min = 2
