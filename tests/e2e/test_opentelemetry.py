"""OpenTelemetry's SDK for Python with its own exporter, all instruments, in both temporalities."""

import pytest
from balances import Balances
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter, UpDownCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from servers import START_S_MAX, Server, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 120), pytest.mark.senders]

SOURCE = "http /v1/metrics"
DELTA, CUMULATIVE = AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE
TAGS = "http.route=/a_b;service.name=shop"
EXPORT_MS = 3_600_000  # only when it is asked to


def provider(server: Server, temporality: AggregationTemporality) -> MeterProvider:
    exporter = OTLPMetricExporter(
        f"{server.url}/v1/metrics",
        compression=Compression.Gzip,
        preferred_temporality=dict.fromkeys((Counter, Histogram, ObservableCounter, UpDownCounter), temporality),
    )
    return MeterProvider(
        [PeriodicExportingMetricReader(exporter, EXPORT_MS)],
        Resource({"service.name": "shop", "process.pid": 7}),
        views=[View(instrument_name="*.exponential", aggregation=ExponentialBucketHistogramAggregation())],
    )


def balances(server: Server) -> Balances:
    """Once something was sent there is an account."""
    wait_until(lambda: any(b["source"] == SOURCE for b in server.get("/ledger")["sources"]), "an account")
    return Balances(server, SOURCE)


def one(server: Server, target: str) -> float:
    found = wait_until(lambda: server.values(target), f"{target} to be there")
    return sum(found)


@pytest.mark.parametrize("temporality", [DELTA, CUMULATIVE], ids=["delta", "cumulative"])
def test_every_instrument_of_the_sdk_is_read_back(server: Server, temporality: AggregationTemporality) -> None:
    meters = provider(server, temporality)
    meter = meters.get_meter("shop")
    attributes = {"http.route": "/a b"}
    requests = meter.create_counter("requests", unit="{request}", description="What was asked.")
    connections = meter.create_up_down_counter("connections")
    seconds = meter.create_histogram("seconds", explicit_bucket_boundaries_advisory=[0.1, 1, 10])
    exponential = meter.create_histogram("seconds.exponential")

    def temperature(options: CallbackOptions) -> list[Observation]:
        return [Observation(-3.25, attributes)]

    meter.create_observable_gauge("temperature", [temperature])
    measured = [0.05, 0.5, 0.7, 5.0, 70.0, 8.0]
    for turn, some in enumerate((measured[:3], measured[3:])):
        requests.add(5 + turn, attributes)
        connections.add(3 - 5 * turn, attributes)
        for value in some:
            seconds.record(value, attributes)
            exponential.record(value, attributes)
        assert meters.force_flush()
    meters.shutdown()
    balance = server.balance(SOURCE)
    assert balance["received"] == balance["stored"] + balance["in_flight"], balance
    assert balance["rejected"] == {}

    assert one(server, f"temperature;{TAGS}") in (-3.25, -6.5)
    for name in ("seconds", "seconds.exponential"):
        assert one(server, f"stat({name};{TAGS},'count')") == len(measured)
        assert one(server, f"stat({name};{TAGS},'sum')") == pytest.approx(sum(measured))
        assert max(server.values(f"stat({name};{TAGS},'max')")) == pytest.approx(70.0, rel=0.02)
    last = server.values(f"stat(requests;{TAGS},'last')")[-1]
    if temporality is DELTA:
        assert one(server, f"requests;{TAGS}") == 11
        assert last == 6
    else:
        assert last == 11
    assert server.values(f"stat(connections;{TAGS},'last')")[-1] == 1
    (said,) = server.get("/api/metadata", query=f"requests;{TAGS}")["series"]
    assert (said["unit"], said["description"]) == ("{request}", "What was asked.")


def test_a_restart_of_the_server_costs_a_growing_histogram_one_report(server: Server) -> None:
    meters = provider(server, CUMULATIVE)
    seconds = meters.get_meter("shop").create_histogram("seconds.exponential")
    seconds.record(1.0)
    assert meters.force_flush()
    assert server.balance(SOURCE)["rejected"] == {}
    server.wait_until_safe()
    server.kill()
    server.start()
    seconds.record(2.0)
    assert meters.force_flush()
    assert balances(server).change()["in_flight"] == 0
    assert server.balance(SOURCE)["rejected"] == {"reset": 1}
    seconds.record(3.0)
    meters.shutdown()
    assert server.balance(SOURCE)["stored"] == 1
    assert one(server, "stat(seconds.exponential;service.name=shop,'count')") == 2
