"""`Contents`: what a store consists of beside its blocks: names, and the samples of the log, folded again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.fold import kinds_present
from tallystick.model.errors import DamageError
from tallystick.model.kind import Kind
from tallystick.model.retention import AggregationRule, RetentionRule
from tallystick.store.blocks.block_set import OpenBlock
from tallystick.store.disk.file_bytes import FileBytes
from tallystick.store.head.gauges import Gauges
from tallystick.store.head.heads import Heads
from tallystick.store.head.senders import Senders
from tallystick.store.log import codec
from tallystick.store.log.codec import SeriesRecord
from tallystick.store.log.record import Scan
from tallystick.store.log.tallies import TALLIES, decode_tallies
from tallystick.store.names.catalog import SeriesCatalog
from tallystick.store.names.series_file import read_records, recovered_names
from tallystick.store.rules.retentions import Retentions

_KNOWN = (codec.SAMPLES, codec.GAUGES, TALLIES)


class Contents:
    """Names and unsealed samples; the way to load a store, for whoever writes it and for whoever only reads.

    Parameters
    ----------
    rules
        How series are kept.
    aggregation
        What gauges are in coarse slots.

    Attributes
    ----------
    referred : bool[ids]
        Whether a block or the log has an id, be there such a series or not.
    definitions : int
        Ids in the records of the series file: how long it is, beside how many series there are.
    series_bytes : int
        Bytes of the series file that are whole; what follows is a write that was torn.
    torn : bool
        Whether there are whole records in that, which count.
    damaged : bool
        Whether bytes of the series file were damaged, or names are lost.
    recovered : int32[n]
        Series whose names were lost. They have got others (see `recovered_names`), and nobody else has their ids.
    """

    def __init__(self, rules: Sequence[RetentionRule], aggregation: Sequence[AggregationRule] = ()) -> None:
        self.catalog = SeriesCatalog()
        self.retentions = Retentions(rules, aggregation)
        self.heads = Heads(self.retentions)
        self.gauges = Gauges()
        self.senders = Senders()
        self.problems: list[str] = []
        self.series_bytes = 0
        self.torn = False
        self.referred = np.zeros(64, np.bool_)
        self.definitions = 0
        self.damaged = False
        self.recovered = np.empty(0, np.int32)
        self._dead = np.zeros(64, np.bool_)

    def read_names(self, file: FileBytes, blocks: Sequence[OpenBlock]) -> None:
        """Learn what series there are; the blocks tell which there must be."""
        scan = Scan(file)
        for record in read_records(scan):
            self.definitions += len(record.ids)
            self._apply(record)
        self.damaged = bool(scan.damaged_bytes or file.unreadable_bytes)
        self.series_bytes = scan.whole_end
        self.torn = scan.end > scan.whole_end
        self._tell(file, scan)
        lost: dict[int, Kind] = {}
        for block in blocks:
            ids = block.block.series
            self.referred = _marked(self.referred, ids)
            unknown = self._unknown(ids)
            if len(unknown):
                lost |= {k: v for k, v in _kinds_in(block, unknown).items() if lost.get(k, Kind.GAUGE) is Kind.GAUGE}
        self._recover(np.array(sorted(lost), np.int32), [lost[k] for k in sorted(lost)])

    def replay(self, segment: FileBytes, now_s: float) -> None:
        """Fold again what a segment of the log has; segments come in their order, after the names."""
        scan = Scan(segment)
        for payload in scan:
            if not payload:  # the mark of a segment that ends in order
                continue
            if codec.record_type(payload) not in _KNOWN:
                self.problems.append(f"cannot read a record of {segment.path}: a newer program wrote it; passed over")
                continue
            ids = codec.ids_of(payload)
            self.referred = _marked(self.referred, ids)
            unknown = self._unknown(ids)
            self._recover(unknown, [Kind.GAUGE] * len(unknown))
            living = self.catalog.living(ids)
            self._fold(payload, living, now_s)
        self._tell(segment, scan)

    def finish(self, series_file: Path, *, complete: bool) -> None:
        """Settle which ids are free, once all segments were replayed.

        Parameters
        ----------
        complete
            Whether the blocks were all that there are; else any id that is no series may be in the others.
        """
        catalog = self.catalog
        end = int(np.flatnonzero(self.referred).max(initial=-1)) + 1
        catalog.reserve(end)
        self.referred = _longer(self.referred, catalog.id_end)[: catalog.id_end]
        if not complete:
            self.referred[:] = True
        catalog.release(np.flatnonzero(~self.referred & ~catalog.living_by_id()).astype(np.int32))
        self.referred = self.referred[: catalog.id_end]
        if len(self.recovered):
            self.damaged = True
            self.problems.append(
                f"cannot tell the names of {len(self.recovered)} series: their definitions in {series_file} are "
                f"damaged; they are called {recovered_names(self.recovered[:1])[0]} and so on, "
                "expected to be renamed or deleted"
            )

    @property
    def dead(self) -> NDArray[np.int32]:
        """Ids that are no series any more and that something still refers to."""
        return np.flatnonzero(self.referred & ~self.catalog.living_by_id()).astype(np.int32)

    def _fold(self, payload: memoryview, living: NDArray[np.bool_], now_s: float) -> None:
        """Fold again what a record of the log has of living series."""
        catalog, type_ = self.catalog, codec.record_type(payload)
        if type_ == codec.GAUGES:
            ids, values = codec.decode_gauges(payload)
            self.gauges.restore(ids[living], values[living], catalog.id_end)
        elif type_ == TALLIES:
            tallies, numbered = decode_tallies(payload, catalog.kinds_by_id())
            self.senders.take(numbered)
            if not living.all():
                tallies = tallies.take(np.flatnonzero(living))
            if len(tallies):
                self.gauges.remember(tallies, catalog.id_end)
                self.heads.take_tallies(tallies, catalog.id_end, now_s)
        else:
            batch = codec.decode_samples(payload, catalog.kinds_by_id())
            if not living.all():
                batch = batch.take(living)
            if len(batch):
                batch = self.gauges.resolve(batch, catalog.id_end, None)
                self.heads.take(batch, kinds_present(batch.kind)[0], catalog.id_end, now_s)

    def _apply(self, record: SeriesRecord) -> None:
        if record.type == codec.FORGET:
            self.catalog.forget(record.ids)
            self._dead = _marked(self._dead, record.ids)
            return
        if record.type == codec.RENAME:
            self.catalog.reserve(int(record.ids.max(initial=-1)) + 1)
            kinds = self.catalog.kinds(record.ids)
        else:
            kinds = record.kinds
        self.catalog.define(record.ids, record.names, kinds)
        self.retentions.assign(record.ids, record.names)
        self._dead = _longer(self._dead, self.catalog.id_end)
        self._dead[record.ids] = False

    def _unknown(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """Those of `ids` that were never defined, as far as can be read, nor forgotten; ascending."""
        catalog = self.catalog
        if len(catalog) == catalog.id_end and int(ids.max(initial=-1)) < catalog.id_end:
            return np.empty(0, np.int32)
        self._dead = _longer(self._dead, int(ids.max(initial=-1)) + 1)
        return np.unique(ids[~(catalog.living(ids) | self._dead[ids])])

    def _recover(self, ids: NDArray[np.int32], kinds: list[Kind]) -> None:
        if len(ids):
            names = recovered_names(ids)
            self._apply(SeriesRecord(codec.DEFINE, ids, names, np.array(kinds, np.uint8)))
            self.recovered = np.concatenate([self.recovered, ids])

    def _tell(self, file: FileBytes, scan: Scan) -> None:
        if file.unreadable_bytes:
            self.problems.append(f"cannot read {file.unreadable_bytes} bytes of {file.path}: {file.error}; passed over")
        elif scan.damaged_bytes:
            self.problems.append(f"cannot read {scan.damaged_bytes} bytes of {file.path}: damaged, passed over")


def _kinds_in(block: OpenBlock, ids: NDArray[np.int32]) -> dict[int, Kind]:
    """What can be known of the kinds of series from a block."""
    try:
        return dict(zip(ids.tolist(), block.block.kinds_of(ids), strict=True))
    except DamageError:
        return dict.fromkeys(ids.tolist(), Kind.GAUGE)  # whoever reads the block sets it aside


def _marked(mask: NDArray[np.bool_], ids: NDArray[np.int32]) -> NDArray[np.bool_]:
    mask = _longer(mask, int(ids.max(initial=-1)) + 1)
    mask[ids] = True
    return mask


def _longer(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    if len(mask) >= size:
        return mask
    return np.concatenate([mask, np.zeros(max(size, 2 * len(mask)) - len(mask), np.bool_)])
