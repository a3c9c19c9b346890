"""The times that log lines bear, as epoch seconds."""

from datetime import datetime

_FORMS = ("%d/%b/%Y:%H:%M:%S %z", "%a %b %d %H:%M:%S.%f %Y", "%a %b %d %H:%M:%S %Y", "%Y/%m/%d %H:%M:%S")
_CACHED_MAX = 1000
_DIGITS_MAX = 20
_PAST_S = 7 * 86400
_FUTURE_S = 60


class Times:
    """Reads times; lines of one second bear the same text, which is read once.

    Times without a zone are those of the clock on this host's wall.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, float | None] = {}

    def seconds(self, text: bytes) -> float | None:
        """Epoch seconds of Apache's and nginx's times, of ISO 8601, and of numbers of seconds; None for all else."""
        if text in self._known:
            return self._known[text]
        if len(self._known) >= _CACHED_MAX:
            self._known.clear()
        seconds = self._known[text] = _read(text.decode("ascii", "replace").strip("[] "))
        return seconds

    def moment_ms(self, text: bytes, now_s: float) -> int:
        """The time of a line in milliseconds; now, if it has none or one that lies ahead or more than a week back."""
        seconds = self.seconds(text) if text else None
        usable = seconds is not None and now_s - _PAST_S < seconds < now_s + _FUTURE_S
        return int(1000 * (seconds if usable and seconds is not None else now_s))


def _read(text: str) -> float | None:
    try:
        if len(text) <= _DIGITS_MAX and text.replace(".", "", 1).isdecimal():
            return float(text)
        return datetime.fromisoformat(text.replace(",", ".")).timestamp()
    except (ValueError, OverflowError):
        pass
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).astimezone().timestamp()
        except (ValueError, OverflowError):
            continue
    return None
