"""What belongs to each registered protocol, so that none is half added."""

from pathlib import Path

import pytest

from tallystick.parse import protocol, protocols
from tallystick.parse.carbon import CarbonParser

ROOT = Path(__file__).parents[3]


def test_carbon_and_statsd_are_there():
    assert {"carbon", "statsd"} <= set(protocols())


@pytest.mark.parametrize("name", sorted(protocols()))
def test_a_protocol_has_golden_cases(name: str):
    cases = list((ROOT / "tests" / "golden" / name).glob("*/expected.json"))
    assert len(cases) >= 5, (
        f"protocol {name!r} has {len(cases)} cases in tests/golden/{name}; expected some of each kind"
    )


@pytest.mark.parametrize("name", sorted(protocols()))
def test_a_protocol_has_its_line_in_the_page_on_compatibility(name: str):
    page = ROOT / "COMPATIBILITY.md"
    assert name in page.read_text().lower(), f"COMPATIBILITY.md says nothing on {name!r}; expected what is supported"


def test_a_protocol_explains_itself():
    for parser in protocols().values():
        assert parser.__doc__
        assert parser.protocol in protocols()


def test_a_name_cannot_be_registered_twice():
    with pytest.raises(ValueError, match="carbon"):
        protocol("carbon")(CarbonParser)
