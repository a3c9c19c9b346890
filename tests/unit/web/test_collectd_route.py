"""collectd's ``write_http``: its bodies are stored, and answered so that it goes on."""

import json

import pytest

from posting import NOW_S, House
from tallystick.model.kind import Kind

LIST = {
    "values": [1.5, None],
    "dstypes": ["derive", "derive"],
    "dsnames": ["rx", "tx"],
    "time": NOW_S,
    "interval": 10.0,
    "host": "web1.example.org",
    "plugin": "interface",
    "plugin_instance": "eth0",
    "type": "if_octets",
    "type_instance": "",
}
NAME = "web1_example_org.interface-eth0.if_octets.rx"


@pytest.mark.anyio
async def test_json_is_stored_and_its_rejects_are_told() -> None:
    house = House()
    answer = await house.post("/collectd", json.dumps([LIST]).encode())
    assert (answer.status_code, answer.json()) == (200, {"stored": 1, "rejected": {"value_not_finite": 1}})
    assert house.values() == {NAME: 1.5}
    assert house.store.catalog.kinds(house.store.catalog.ids()).tolist() == [Kind.CUMULATIVE]
    balance = house.balance("/collectd")
    assert (balance.received, balance.stored, balance.rejected) == (2, 1, {"value_not_finite": 1})


@pytest.mark.anyio
async def test_commands_are_stored() -> None:
    house = House()
    line = f"PUTVAL web1.example.org/interface-eth0/if_octets interval=10.000 {NOW_S}.000:7:8\r\n"
    answer = await house.post("/collectd", line.encode())
    assert (answer.status_code, answer.json()) == (200, {"stored": 2, "rejected": {}})
    assert house.values() == {NAME: 7, NAME.replace("rx", "tx"): 8}


@pytest.mark.anyio
async def test_rates_are_gauges_where_the_url_says_so() -> None:
    house = House()
    assert (await house.post("/collectd?store_rates=true", json.dumps([LIST]).encode())).status_code == 200
    assert house.store.catalog.kinds(house.store.catalog.ids()).tolist() == [Kind.GAUGE]
    answer = await house.post("/collectd?store_rates=maybe", b"")
    assert (answer.status_code, answer.json()) == (
        400, {"error": "cannot use store_rates='maybe'; expected true or false"}
    )  # fmt: skip
