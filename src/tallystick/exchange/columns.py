"""History as Arrow columns: what Parquet and CSV files hold and HTTP imports carry; see ``docs/reference/parquet.md``.

A row is a slot with all of its statistics. A plain table of samples, with the columns ``name``, ``time`` and ``value``
(and ``kind``, if it likes), is read as well.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.fold import fold_batch
from tallystick.model.errors import ForeignFileError
from tallystick.model.kind import Kind
from tallystick.model.name import canonical
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import Histograms, Sketches, Spread, Tally, offsets
from tallystick.store.blocks.arranging import in_order, narrowed
from tallystick.store.history import History

STATISTICS = ("count", "sum", "m2", "min", "max", "last")
HISTOGRAM = pa.list_(pa.struct([("bucket", pa.int32()), ("weight", pa.float64())]))
SCHEMA = pa.schema(
    [
        ("name", pa.dictionary(pa.int32(), pa.string())),
        ("kind", pa.dictionary(pa.int8(), pa.string())),
        ("step", pa.int32()),
        ("time", pa.timestamp("s", "UTC")),
        *((statistic, pa.float64()) for statistic in STATISTICS),
        ("histogram", HISTOGRAM),
        ("sketch", pa.binary()),
    ]
)
"""The columns of a row; ``step`` is in seconds, ``time`` the beginning of the slot."""
_KINDS = [kind.name.lower() for kind in Kind]
_SAMPLE_STEP_S = 1
_FAR_S = 1e15  # no store keeps a time beyond
# A whole number that is a time says by its size what it counts since 1970, until the year 5138.
_UNITS = ((10**11, 1), (10**14, 1000), (10**17, 10**6))


def to_batch(history: History) -> pa.RecordBatch:
    """The rows of a history, in all columns of `SCHEMA`."""
    tally, full = history.tally, history.tally.full
    kinds = np.array(history.kinds, np.int8)
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(tally.series), pa.array(history.names, pa.string())),
        pa.DictionaryArray.from_arrays(pa.array(kinds[tally.series]), pa.array(_KINDS)),
        pa.array(np.full(len(tally), tally.step_s, np.int32)),
        pa.array(np.asarray(tally.slot) * tally.step_s).cast(SCHEMA.field("time").type),
        *(pa.array(np.ascontiguousarray(c)) for c in (full.count, full.sum, full.m2, full.min, full.max, tally.last)),
        _histogram_column(tally),
        _sketch_column(tally),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def to_short_batch(history: History) -> pa.RecordBatch:
    """The same, without the columns that say nothing: where each slot is one sample, its value says all."""
    batch = to_batch(history)
    tally = history.tally
    left_out = [*(STATISTICS[:-1] if tally.spread is None else ())]
    left_out += ["histogram"] * (tally.histograms is None) + ["sketch"] * (tally.sketches is None)
    return batch.select([name for name in SCHEMA.names if name not in left_out])


def from_batch(batch: pa.RecordBatch) -> Iterator[History]:
    """What the rows of a batch hold, a piece for each step; names are made canonical.

    Raises
    ------
    ForeignFileError
        If columns are missing or hold something else; the text names them.
    """
    have = set(batch.schema.names)
    _check_types(batch.schema)
    try:
        if {"name", "step", "time", "last"} <= have and have.isdisjoint(STATISTICS[:-1]):
            yield from _slots(batch, spread=False)
        elif {"name", "step", "time", *STATISTICS} <= have:
            yield from _slots(batch, spread=True)
        elif {"name", "time", "value"} <= have:
            yield from _samples(batch)
        else:
            raise ForeignFileError(
                f"cannot use columns {', '.join(batch.schema.names) or '(none)'}; expected name, time and value, or "
                f"{', '.join(SCHEMA.names)}"
            )
    except (pa.ArrowException, ValueError) as error:
        raise ForeignFileError(f"cannot use columns: {error}") from error


def _check_types(schema: pa.Schema) -> None:
    """Columns that are used are there once, and of types whose rows have bytes of their own.

    Others of Arrow's can have many rows in the same bytes, and would need memory for each when they are converted.

    Raises
    ------
    ForeignFileError
        If one is not.
    """
    for name, (fits, expected) in _FITS.items():
        if name not in schema.names:
            continue
        if len(schema.get_all_field_indices(name)) > 1:
            raise ForeignFileError(f"cannot use columns: there are several named {name}; expected one")
        of_type = schema.field(name).type
        if not (fits(of_type) or pa.types.is_null(of_type)):
            raise ForeignFileError(f"cannot use columns: {name} is of type {str(of_type)[:200]}; expected {expected}")


def _is_text(of_type: pa.DataType) -> bool:
    if pa.types.is_dictionary(of_type):
        of_type = of_type.value_type
    return bool(pa.types.is_string(of_type) or pa.types.is_large_string(of_type))


def _is_number(of_type: pa.DataType) -> bool:
    return bool(pa.types.is_integer(of_type) or pa.types.is_floating(of_type))


def _is_time(of_type: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(of_type) or pa.types.is_string(of_type)) or _is_number(of_type)


def _is_histogram(of_type: pa.DataType) -> bool:
    if not (pa.types.is_list(of_type) and pa.types.is_struct(of_type.value_type)):
        return False
    fields = {field.name: field.type for field in of_type.value_type}
    return fields.keys() == {"bucket", "weight"} and all(_is_number(one) for one in fields.values())


_NUMBER, _TEXT = (_is_number, "numbers"), (_is_text, "texts")
_FITS: dict[str, tuple[Callable[[pa.DataType], bool], str]] = {
    "name": _TEXT,
    "kind": _TEXT,
    "step": (pa.types.is_integer, "whole numbers"),
    "time": (_is_time, "times, numbers or texts"),
    "value": _NUMBER,
    **dict.fromkeys(STATISTICS, _NUMBER),
    "histogram": (_is_histogram, "lists of bucket and weight"),
    "sketch": (pa.types.is_binary, "bytes"),
}
"""For each column that is used, which types fit, and how to say so."""


def _slots(batch: pa.RecordBatch, *, spread: bool) -> Iterator[History]:
    names, kinds, series = _series(batch)
    step, time_s = _whole(batch.column("step")), _times_ms(batch.column("time")) // 1000
    if len(step) and int(step.min()) < 1:
        raise ForeignFileError(f"cannot use step {step.min()}; expected a number of seconds from 1")
    # A row that lacks a statistic is refused by the store, as one whose statistics are no numbers.
    last, columns = _numbers(batch.column("last")), STATISTICS[:-1] if spread else ()
    whole = Spread(*(_numbers(batch.column(name)) for name in columns)) if spread else None
    histograms, sketches = _histograms(batch), _sketches(batch)
    for step_s in np.unique(step).tolist():
        tally = Tally(step_s, series, time_s // step_s, last, whole, histograms, sketches)
        mine = step == step_s
        yield History(names, kinds, in_order(narrowed(tally if mine.all() else tally.take(np.flatnonzero(mine)))))


def _samples(batch: pa.RecordBatch) -> Iterator[History]:
    names, kinds, series = _series(batch)
    value = _numbers(batch.column("value"))
    known = ~np.isnan(value)
    kind = np.array(kinds, np.uint8)[series] if kinds else np.empty(0, np.uint8)
    if (kind == Kind.SET).any():
        raise ForeignFileError("cannot use samples of a set: members are no numbers; expected sketches of slots")
    samples = SampleBatch(series, _times_ms(batch.column("time")), value, np.ones(len(value)), kind).take(known)
    if len(samples):
        for tally in fold_batch(samples, _SAMPLE_STEP_S):
            yield History(names, kinds, tally)


def _series(batch: pa.RecordBatch) -> tuple[list[str], list[Kind], NDArray[np.int32]]:
    """Names and kinds of the series in a batch, and which of them each row is of."""
    name = _dictionary(batch.column("name"))
    names = [_canonical(text) for text in name.dictionary.to_pylist()]
    if name.null_count:
        raise ForeignFileError(f"cannot use {name.null_count} rows without a name")
    of_name = name.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    of_kind = np.zeros(len(of_name), np.int64)
    if "kind" in batch.schema.names:
        kind = _dictionary(batch.column("kind"))
        # Behind the last one is the kind of rows without one.
        numbers = np.array([*(_kind(text) for text in kind.dictionary.to_pylist()), Kind.GAUGE], np.int64)
        of_kind = numbers[kind.indices.fill_null(len(numbers) - 1).to_numpy(zero_copy_only=False)]
    code = of_name * len(Kind) + of_kind
    used = np.zeros(len(names) * len(Kind), np.bool_)
    used[code] = True
    number = np.cumsum(used) - 1
    pairs = [divmod(pair, len(Kind)) for pair in np.flatnonzero(used).tolist()]
    return [names[n] for n, _ in pairs], [Kind(k) for _, k in pairs], number[code].astype(np.int32)


def _canonical(name: str | None) -> str:
    try:
        return canonical(name or "")
    except ValueError:
        return name or ""  # the store refuses and counts it


def _kind(text: str | None) -> Kind:
    try:
        return Kind.GAUGE if text is None else Kind[text.upper()]
    except KeyError:
        raise ForeignFileError(f"cannot use kind {text!r}; expected one of {', '.join(_KINDS)}") from None


def _dictionary(column: pa.Array) -> pa.DictionaryArray:
    return column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()


def _numbers(column: pa.Array) -> NDArray[np.float64]:
    """float64[n], NaN for null."""
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _whole(column: pa.Array) -> NDArray[np.int64]:
    return np.asarray(column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), np.int64)


def _times_ms(column: pa.Array) -> NDArray[np.int64]:
    """Milliseconds since the epoch of a column of times, or of numbers; of null, a time that no store keeps."""
    if pa.types.is_string(column.type):
        column = pc.replace_substring_regex(column, "Z$", "").cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.timestamp("ms", column.type.tz), safe=False)
        return _whole(column)
    if pa.types.is_floating(column.type):
        return np.asarray(np.clip(np.nan_to_num(_numbers(column)), -_FAR_S, _FAR_S) * 1000.0, np.int64)
    time = _whole(column)
    newest = int(time.max(initial=0))
    per_second = next((unit for limit, unit in _UNITS if newest < limit), 10**9)
    return time * 1000 if per_second == 1 else time // (per_second // 1000)


def _histogram_column(tally: Tally) -> pa.Array:
    h = tally.histograms
    if h is None:
        return pa.nulls(len(tally), HISTOGRAM)
    buckets = pa.StructArray.from_arrays([pa.array(h.bucket), pa.array(h.weight)], fields=list(HISTOGRAM.value_type))
    return pa.ListArray.from_arrays(pa.array(h.offset.astype(np.int32)), buckets, type=HISTOGRAM)


def _sketch_column(tally: Tally) -> pa.Array:
    s = tally.sketches
    if s is None:
        return pa.nulls(len(tally), pa.binary())
    return pa.Array.from_buffers(
        pa.binary(),
        len(tally),
        [None, pa.py_buffer(s.offset.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(s.data))],
    )


def _histograms(batch: pa.RecordBatch) -> Histograms | None:
    if "histogram" not in batch.schema.names:
        return None
    column = batch.column("histogram").cast(HISTOGRAM)
    lengths = _whole(pc.list_value_length(column))
    if not lengths.any():
        return None
    buckets = column.flatten()
    if buckets.null_count:
        raise ForeignFileError("cannot use a histogram: a bucket of it is null; expected bucket and weight")
    bucket, weight = buckets.field("bucket"), buckets.field("weight")
    return Histograms(offsets(lengths), bucket.to_numpy().astype(np.int32), _numbers(weight))


def _sketches(batch: pa.RecordBatch) -> Sketches | None:
    if "sketch" not in batch.schema.names:
        return None
    column = batch.column("sketch").cast(pa.binary())
    lengths = _whole(pc.binary_length(column))
    if not lengths.any():
        return None
    joined = b"".join(sketch for sketch in column.to_pylist() if sketch)
    return Sketches(offsets(lengths), np.frombuffer(joined, np.uint8))
