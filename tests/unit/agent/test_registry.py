"""Each collector has what one needs to use it: its names told, its keys explained, and a case that shows it works."""

import sys
from pathlib import Path

import msgspec
import pytest

from tallystick.agent import Collector, Host, Surroundings, registered
from tallystick.agent.collecting.registry import Registered

GOLDEN = Path(__file__).parents[2] / "golden"
BY_NAME = pytest.mark.parametrize("one", registered().values(), ids=list(registered()))


@BY_NAME
def test_a_collector_is_a_file_of_its_name_that_tells_what_it_yields(one: Registered) -> None:
    module = sys.modules[one.looks.__module__]
    assert module.__name__.rpartition(".")[2] == one.name
    told = module.__doc__ or ""
    assert "``" in told, f"its docstring stands in docs/reference/collectors.md; expected names of {one.name}.* in it"
    assert one.looks.__doc__
    assert one.looks.collect is not Collector.collect


OF_OTHERS = {"exec": ("<name>", "<label>."), "jmx": ("<name>",), "memcached": ("counters.", "gauges.")}
OF_OTHERS |= {"munin": ("<plugin>.",), "prometheus": ("<metric>",)}
"""What names begin with whose units others know."""


@BY_NAME
def test_all_that_a_collector_tells_has_a_unit_and_a_meaning(one: Registered) -> None:
    lines = [line for line in one.looks.TELLS if not line.name.startswith("_")]
    assert lines
    for line in lines:
        assert line.meaning
        assert line.unit or line.name.startswith(OF_OTHERS[one.name])


@BY_NAME
def test_every_key_of_a_collector_says_what_it_means(one: Registered) -> None:
    for field in msgspec.structs.fields(one.settings):
        told = msgspec.inspect.type_info(field.type)
        assert isinstance(told, msgspec.inspect.Metadata), f"{one.name}.{field.name}: expected Annotated[..., key(...)]"
        assert (told.extra_json_schema or {}).get("description")


@BY_NAME
def test_a_collector_has_cases_that_show_what_it_makes_of_an_answer(one: Registered) -> None:
    of_the_host = list(GOLDEN.glob(f"proc/*/{one.name}.txt"))
    of_services = list((GOLDEN / "collectors" / one.name).glob("*"))
    assert of_the_host or of_services, f"expected golden/proc/*/{one.name}.txt or files in golden/collectors/{one.name}"


@BY_NAME
def test_a_search_on_an_empty_host_finds_no_service_and_does_not_fail(one: Registered, tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    found = list(one.looks.discover(Surroundings(Host(str(tmp_path)))))
    assert not (found and one.looks.TELLS_UP)
