"""The official client pushes what a batch job counted, as to a Pushgateway."""

import pytest
from balances import Balances
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, push_to_gateway, pushadd_to_gateway

from servers import START_S_MAX, Server

pytestmark = [pytest.mark.timeout(START_S_MAX + 60), pytest.mark.senders]

SOURCE = "http /metrics/job"


def test_what_a_batch_job_pushes_is_read_by_name(shared_server: Server) -> None:
    registry = CollectorRegistry()
    Counter("job_records", "Records.", ["table"], registry=registry).labels("us/ers").inc(12)
    seconds = Histogram("job_seconds", "Time.", buckets=(1, 10), registry=registry)
    seconds.observe(3)
    last = Gauge("job_last_success_unixtime", "When.", registry=registry)
    last.set_to_current_time()
    gateway = shared_server.url.removeprefix("http://")

    push_to_gateway(gateway, job="nightly", registry=registry, grouping_key={"instance": "db/1", "empty": ""})

    tags = "instance=db/1;job=nightly"
    assert shared_server.values(f"job_records_total;{tags};table=us/ers") == [12]
    assert shared_server.values(f"job_seconds_bucket;{tags};le=1.0") == [0]
    assert shared_server.values(f"job_seconds_bucket;{tags};le=10.0") == [1]
    assert shared_server.values(f"job_last_success_unixtime;{tags}") == [last._value.get()]
    pushed = Balances(shared_server, SOURCE)
    seconds.observe(30)
    pushadd_to_gateway(gateway, job="nightly", registry=registry, grouping_key={"instance": "db/1"})
    assert shared_server.values(f"job_seconds_sum;{tags}")[-1] == 33
    samples = sum(len(metric.samples) for metric in registry.collect())
    pushed.wait_for(stored=samples, rejected={})
