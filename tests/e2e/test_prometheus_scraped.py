"""We scrape what Prometheus scrapes, an application with its client library and itself, under the same names."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from test_prometheus import expected_of, latest, running_prometheus, running_shop, wait_for

from ports import free_port
from servers import START_S_MAX, running_server, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 120), pytest.mark.senders]

CONFIG = """
[[listeners]]
protocol = "carbon"
address = "tcp://127.0.0.1:0"
[[polls]]
protocol = "prometheus"
address = "http://127.0.0.1:{shop_port}/metrics"
interval_s = 1
job = "shop"
[[polls]]
protocol = "prometheus"
address = "http://127.0.0.1:{own_port}/metrics"
interval_s = 1
"""


def test_what_prometheus_would_scrape_is_scraped_here_under_the_same_names(tmp_path: Path) -> None:
    own_port = free_port()
    with ExitStack() as all_of_them:
        with running_shop() as shop_port:
            all_of_them.enter_context(running_prometheus(tmp_path, own_port, "global: {scrape_interval: 1s}"))
            config = CONFIG.format(shop_port=shop_port, own_port=own_port)
            (tmp_path / "server").mkdir()
            server = all_of_them.enter_context(running_server(tmp_path / "server", config))
            shop, own = (
                f"instance=127.0.0.1:{port};job={job}" for port, job in ((shop_port, "shop"), (own_port, "prometheus"))
            )
            for target, value in expected_of(shop, own).items():
                wait_for(server, target, value)
            build = server.render("seriesByTag('name=prometheus_build_info')")
            assert [set(values.values()) for values in build.values()] == [{1.0}]
            scraped = f"scrape_samples_scraped;{own}"
            assert (latest(server, scraped) or 0) > 100
            (said,) = server.get("/api/metadata", query=f"process_cpu_seconds_total;{own}")["series"]
            assert (said["unit"], said["kind"]) == ("seconds", "cumulative")
            assert said["description"] == "Total user and system CPU time spent in seconds."
        wait_for(server, f"up;{shop}", 0)
        source = f"poll prometheus http://127.0.0.1:{shop_port}/metrics"
        wait_until(lambda: "truncated" in server.balance(source)["rejected"], "the shop to be missed")
        balance = server.balance(source)
        assert balance["received"] == balance["stored"] + sum(balance["rejected"].values()) + balance["in_flight"]
        assert balance["rejected"].keys() == {"truncated", "value_not_finite"}
