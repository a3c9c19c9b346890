"""Why an input was not taken. The ledger counts by these words; each means one thing on every page."""

from enum import IntEnum


class Reason(IntEnum):
    """Why a line, a datagram or a sample was rejected. The numbers are what kernels write."""

    NONE = 0
    FIELDS = 1
    """Not the fields that the protocol has."""
    NAME_EMPTY = 2
    NAME_LONG = 3
    """The name is longer than `NAME_BYTES_MAX`."""
    NAME_BYTES = 4
    """The name holds control characters or is not UTF-8."""
    VALUE = 5
    """The value is no number."""
    VALUE_NOT_FINITE = 6
    """NaN or infinite."""
    TIMESTAMP = 7
    """The timestamp is no number."""
    LINE_LONG = 8
    """The line is longer than the listener allows."""
    TYPE = 9
    """A StatsD type that we do not know."""
    RATE = 10
    """A sample rate that is not above 0 and at most 1."""
    TRUNCATED = 11
    """The sender went away in the middle of a line."""
    TAG = 12
    """A tag that is not ``key=value``."""
    KIND = 13
    """The name is already a series of another kind."""
    FUTURE = 14
    """Further in the future than the limit allows."""
    PAST = 15
    """Older than the longest retention."""
    BLOCKED = 16
    """A rule or the block list has the name, or the host that sent it."""
    SERIES_LIMIT = 17
    """There are already as many names as the limit allows."""
    STORE_FULL = 18
    """The log could not take it: the disk is full or does not answer."""
    FRAME = 19
    """A frame that is not written as the protocol says."""
    FRAME_LONG = 20
    """The frame is longer than the listener allows; where the next one begins is not known."""
    TEXT = 21
    """The value is text, which no series can hold."""
    ENCODING = 22
    """A body that cannot be decompressed or decoded."""
    BODY_LONG = 23
    """A body that is, or would become, longer than the limit."""
    SIGNATURE = 24
    """A packet that is not signed or encrypted as the listener demands, or by nobody that it knows."""
    UNDECLARED = 25
    """A value whose type or metadata is not known: collectd's ``types.db``, Ganglia's announcements."""
    THROTTLED = 26
    """A new name from a source that sent too many of them."""
    DUPLICATE = 27
    """A numbered batch that was taken already."""
    STALE = 28
    """A marker that a series has ended, where others have a value."""
    RESET = 29
    """A difference whose beginning is not the end of the one before."""
    UNSUPPORTED = 30
    """A kind of data that no series can hold."""
    UNAUTHORIZED = 31
    """From a sender without the token that is asked for."""
    WITHHELD = 32
    """Made by its sender and kept back there, since the block list has the name: counted, and never sent."""
    UNLISTED = 33
    """A list of the names that are wanted does not have the name."""
    AGGREGATED = 34
    """It went into aggregates only, as a rule wants it."""
    RELAYED = 35
    """Handed on to other servers instead of being kept here, as a relay wants it."""
    PREFIX_LIMIT = 36
    """A new name under a prefix that has as many as the limit allows."""
    SAMPLES_LIMIT = 37
    """More samples a second than a host may send."""
