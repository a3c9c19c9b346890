"""`DistinctCount`: how many different ones there were."""

from tallystick.model.kind import Kind
from tallystick.native.accumulate import Distinct
from tallystick.sensors.instruments.instrument import Instrument, Taken

_FOLD_AT = 256
_MEMBER_CHARS_MAX = 1024


class DistinctCount(Instrument[str]):
    """How many different members there were: users, addresses, documents.

    Members are not kept and do not leave the process, only a sketch of them does: exact up to a few hundred, within a
    few per cent beyond, over any hosts and times together.
    """

    __slots__ = ("_distinct",)

    kind = Kind.SET

    def add(self, member: object) -> None:
        """Count a member, by what ``str`` says of it; of a long text the first 1,024 characters."""
        pending = self._pending
        pending.append(str(member)[:_MEMBER_CHARS_MAX])
        if len(pending) >= _FOLD_AT:
            self.fold()

    def _add(self, samples: list[str]) -> None:
        for member in set(samples):
            self._distinct.add(member.encode(errors="surrogatepass"))
        self._spread.count += len(samples)

    def taken(self) -> Taken | None:
        count = self._distinct.count()
        return Taken(count, sketch=self._distinct.sketch()) if count else None

    def start_over(self) -> None:
        self._distinct = Distinct()
