"""Functions and methods that are metrics by a tag, and what a process shows of itself."""

import gc

import pytest

from hearing import Hearing
from tallystick.model.errors import TallystickError
from tallystick.sensors import Sensors
from tallystick.sensors.tagging import Tagging
from tallystick.sensors.view import dump, snapshot

ON_HOST = "dev.hosts.web.web1.shop"


def test_a_tagged_function_is_asked_and_what_is_said_of_it_travels(own: Sensors, door: Hearing) -> None:
    @Tagging(own).sensor(unit="jobs", owner="team-x", alert="above 1000")
    def queue_length() -> int:
        """Jobs that wait.

        And more about it.
        """
        return 3

    assert queue_length() == 3
    assert own.flush()
    name = f"{ON_HOST}.queue_length"
    assert [slot["last"] for slot in door.slots[name]] == [3.0]
    assert door.names[name] == {
        "name": name,
        "kind": "gauge",
        "unit": "jobs",
        "owner": "team-x",
        "description": "Jobs that wait.",
        "alert": "above 1000",
    }


def test_tagged_methods_are_asked_of_each_object_while_it_lives(own: Sensors, door: Hearing) -> None:
    tagging = Tagging(own)

    class Cache:
        def __init__(self, name: str, entries: int) -> None:
            self.entries = entries
            tagging.watch(self, cache=name)

        @tagging.sensor(unit="entries")
        def size(self) -> int:
            return self.entries

    pages, users = Cache("pages", 5), Cache("users", 7)
    assert own.flush()
    del users
    gc.collect()
    assert own.flush()
    assert [slot["last"] for slot in door.slots[f"{ON_HOST}.Cache.size;cache=pages"]] == [5.0, 5.0]
    assert [slot["last"] for slot in door.slots[f"{ON_HOST}.Cache.size;cache=users"]] == [7.0]
    assert pages.entries == 5


def test_what_cannot_be_asked_is_refused(own: Sensors) -> None:
    tagging = Tagging(own)

    async def later() -> int:
        return 1

    for function in (later, lambda needed: needed):
        with pytest.raises(TallystickError, match="expected a plain function that needs no argument"):
            tagging.sensor()(function)
    with pytest.raises(TallystickError, match="cannot watch object"):
        tagging.watch(object())


def test_a_process_shows_what_it_holds(own: Sensors, door: Hearing) -> None:
    own.counter("requests", owner="team-x", view="home").increment(2)
    own.timing("render").observe(0.5)
    assert own.flush()
    own.counter("requests", view="home").increment(3)
    own.gauge("secret", collect=False).set(1)
    own.distinct("users").add("ada")
    render, requests, secret, users = snapshot(own)
    assert (requests.name, requests.kind, requests.owner) == ("requests;view=home", "counter", "team-x")
    assert (requests.samples, requests.total) == (2.0, 5.0)
    assert requests.now is not None
    assert requests.now.last == 3.0
    assert requests.sent_as == ("dev.apps.shop.requests;view=home", f"{ON_HOST}.requests;view=home")
    assert (render.unit, render.total, render.now) == ("s", 0.5, None)
    assert secret.sent_as == ()
    assert users.samples == 1.0
    table = dump(own)
    assert "shop on web1" in table
    assert door.address in table
    assert "secret (kept here)" in table
    assert own.flush()
    assert door.sum("dev.apps.shop.requests;view=home") == 5
