"""Messages of Prometheus, as classes of the protobuf library: remote write 1.0 and 2.0, and a scrape's answer.

Texts are declared as bytes, so that those that are not UTF-8 can be sent, too.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_F = descriptor_pb2.FieldDescriptorProto

HISTOGRAM = """
1 count_int uint64; 2 count_float double; 3 sum double; 4 schema sint32; 5 zero_threshold double
6 zero_count_int uint64; 7 zero_count_float double; 8 negative_spans *BucketSpan; 9 negative_deltas *sint64
10 negative_counts *double; 11 positive_spans *BucketSpan; 12 positive_deltas *sint64; 13 positive_counts *double
14 reset_hint int32; 15 timestamp int64; 16 custom_values *double
"""
SCHEMA = {
    "BucketSpan": "1 offset sint32; 2 length uint32",
    "Histogram": HISTOGRAM,
    "Sample": "1 value double; 2 timestamp int64; 3 start_timestamp int64",
    "Label": "1 name bytes; 2 value bytes",
    "Exemplar": "1 labels *Label; 2 value double; 3 timestamp int64",
    "TimeSeries": "1 labels *Label; 2 samples *Sample; 3 exemplars *Exemplar; 4 histograms *Histogram",
    "MetricMetadata": "1 type int32; 2 metric_family_name bytes; 4 help bytes; 5 unit bytes",
    "WriteRequest": "1 timeseries *TimeSeries; 3 metadata *MetricMetadata",
    "Metadata2": "1 type int32; 3 help_ref uint32; 4 unit_ref uint32",
    "Exemplar2": "1 labels_refs *uint32; 2 value double; 3 timestamp int64",
    "TimeSeries2": """1 labels_refs *uint32; 2 samples *Sample; 3 histograms *Histogram; 4 exemplars *Exemplar2
        5 metadata Metadata2; 6 created_timestamp int64""",
    "LabelPair": "1 name bytes; 2 value bytes",
    "ScrapedHistogram": """1 sample_count uint64; 2 sample_sum double; 5 schema sint32; 6 zero_threshold double
        7 zero_count uint64; 12 positive_span *BucketSpan; 13 positive_delta *sint64""",
    "Metric": "1 label *LabelPair; 7 histogram ScrapedHistogram",
    "MetricFamily": "1 name bytes; 2 help bytes; 3 type int32; 4 metric *Metric",
    "Request": "4 symbols *bytes; 5 timeseries *TimeSeries2",
}


def _add(file: descriptor_pb2.FileDescriptorProto, name: str, fields: str) -> None:
    message = file.message_type.add(name=name)
    for line in fields.strip().replace(";", "\n").splitlines():
        number, field, kind = line.split()
        repeated, kind = kind.startswith("*"), kind.lstrip("*")
        added = message.field.add(name=field, number=int(number))
        added.label = _F.LABEL_REPEATED if repeated else _F.LABEL_OPTIONAL
        if kind in SCHEMA:
            added.type, added.type_name = _F.TYPE_MESSAGE, f".test.{kind}"
        else:
            added.type = getattr(_F, f"TYPE_{kind.upper()}")


def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="remote_write.proto", package="test", syntax="proto3")
    for name, fields in SCHEMA.items():
        _add(file, name, fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


_POOL = _pool()
WriteRequest, Request, MetricFamily = (
    message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"test.{name}"))
    for name in ("WriteRequest", "Request", "MetricFamily")
)

Labels = list[tuple[bytes, bytes]]


def write_request(series: list[tuple[Labels, dict[str, object]]]) -> bytes:
    """A request of 1.0: labels of each series, and its fields beside them."""
    rows = [{"labels": [{"name": key, "value": value} for key, value in labels], **more} for labels, more in series]
    return WriteRequest(timeseries=rows).SerializeToString()


def request(series: list[tuple[Labels, dict[str, object]]]) -> bytes:
    """A request of 2.0, with the symbols that its labels need."""
    symbols = {b"": 0}
    rows = []
    for labels, more in series:
        refs = [symbols.setdefault(word, len(symbols)) for pair in labels for word in pair]
        rows.append({"labels_refs": refs, **more})
    return Request(symbols=list(symbols), timeseries=rows).SerializeToString()
