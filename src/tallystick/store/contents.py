"""`Contents`: what a store consists of beside its blocks: names, and the samples of the log, folded again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.fold import kinds_present
from tallystick.model.kind import Kind
from tallystick.model.retention import RetentionRule
from tallystick.store import codec
from tallystick.store.blocks import OpenBlock
from tallystick.store.catalog import SeriesCatalog
from tallystick.store.file_bytes import FileBytes
from tallystick.store.gauges import Gauges
from tallystick.store.heads import Heads
from tallystick.store.record import Scan
from tallystick.store.series_file import lost_definitions, read_series


class Contents:
    """Names and unsealed samples; the way to load a store, for whoever writes it and for whoever only reads.

    Parameters
    ----------
    rules
        How series are kept.
    """

    def __init__(self, rules: Sequence[RetentionRule]) -> None:
        self.catalog = SeriesCatalog()
        self.heads = Heads(rules)
        self.gauges = Gauges()
        self.problems: list[str] = []
        self.series_bytes = 0  # of the series file; what follows is a write that was torn

    def read_names(self, file: FileBytes, blocks: Sequence[OpenBlock]) -> None:
        """Define all series.

        Raises
        ------
        StoreError
            If a definition is missing, or a block has a series that is not defined.
        """
        scan = Scan(file)
        for names, kinds in read_series(file.path, scan):
            decoded = [name.decode() for name in names]
            self.catalog.create(decoded, [Kind(k) for k in kinds.tolist()], self.heads.assign)
        self.series_bytes = scan.whole_end
        for open_block in blocks:
            self._check_defined(open_block.block.series[-1:], file)

    def replay(self, segment: FileBytes, series_file: FileBytes, now_s: float) -> None:
        """Fold again what a segment of the log has; segments come in their order, after the names.

        Raises
        ------
        StoreError
            If it has a series that is not defined.
        """
        n_series = len(self.catalog)
        kinds = self.catalog.kinds(np.arange(n_series, dtype=np.int32))
        scan = Scan(segment)
        for payload in scan:
            if not payload:  # the mark of a segment that ends in order
                continue
            self._check_defined(codec.ids_of(payload), series_file)
            if codec.record_type(payload) == codec.GAUGES:
                self.gauges.restore(*codec.decode_gauges(payload), n_series)
                continue
            batch = self.gauges.resolve(codec.decode_samples(payload, kinds), n_series, None)
            self.heads.take(batch, kinds_present(batch.kind)[0], n_series, now_s)
        self._tell(segment, scan)

    def _check_defined(self, ids: NDArray[np.int32], series_file: FileBytes) -> None:
        """See that series are defined: damage at the end of the series file looks like a torn write."""
        if len(ids) and int(ids.max()) >= len(self.catalog):
            raise lost_definitions(series_file.path, len(self.catalog), int(ids.max()))

    def _tell(self, segment: FileBytes, scan: Scan) -> None:
        if segment.unreadable_bytes:
            self.problems.append(
                f"cannot read {segment.unreadable_bytes} bytes of {segment.path}: {segment.error}; passed over"
            )
        elif scan.damaged_bytes:
            self.problems.append(f"cannot read {scan.damaged_bytes} bytes of {segment.path}: damaged, passed over")
