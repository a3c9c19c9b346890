"""The statistics that a slot keeps and a query may name."""

from enum import StrEnum


class Statistic(StrEnum):
    """A statistic of a slot's samples. ``DEFAULT`` is the one that belongs to the kind of the series."""

    DEFAULT = "default"
    LAST = "last"
    AVG = "avg"
    SUM = "sum"
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    SDEV = "sdev"

    @classmethod
    def parse(cls, word: str) -> "Statistic":
        """The statistic that users mean by `word`: also ``average``, ``mean``, ``total``, ``stddev``, ``current``.

        Raises
        ------
        ValueError
            If the word names none; the text lists those that exist.
        """
        found = _WORDS.get(word.lower())
        if found is None:
            known = ", ".join(s.value for s in cls)
            raise ValueError(f"cannot use statistic {word!r}: there is none of that name; expected one of {known}")
        return found


STATISTICS = tuple(Statistic)
"""All of them in their order, by which arrays in memory tell them."""

_WORDS = {s.value: s for s in Statistic} | {
    "average": Statistic.AVG,
    "mean": Statistic.AVG,
    "total": Statistic.SUM,
    "current": Statistic.LAST,
    "stddev": Statistic.SDEV,
    "stdev": Statistic.SDEV,
}
