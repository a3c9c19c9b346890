"""What belongs to each registered protocol, so that none is half added."""

from pathlib import Path

import pytest

from tallystick.parse import protocol, protocols
from tallystick.parse.carbon import CarbonParser

ROOT = Path(__file__).parents[3]
TWINS = {
    "carbon": "property/test_parse_twins.py",
    "carbon-pickle": "property/test_pickle_twin.py",
    "carbon-protobuf": "property/test_carbon_protobuf_twin.py",
    "collectd": "property/test_collectd_twin.py",
    "collectd-http": "property/test_collectd_twin.py",
    "exposition": "property/test_parse_twins.py",
    "ganglia": "property/test_ganglia_twin.py",
    "influx": "property/test_parse_twins.py",
    "istatd": "property/test_istatd_twin.py",
    "native": "differential/test_native_schema.py",
    "openmetrics": "property/test_parse_twins.py",
    "opentsdb": "property/test_parse_twins.py",
    "opentsdb-json": "property/test_opentsdb_json_twin.py",
    "otlp": "property/test_otlp_twin.py",
    "otlp-json": "property/test_otlp_twin.py",
    "remote-write": "property/test_remote_write_twin.py",
    "remote-write-2": "property/test_remote_write_twin.py",
    "statsd": "property/test_parse_twins.py",
}
"""Where each parser is held against a plain one, or one by others."""


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


@pytest.mark.parametrize("name", sorted(protocols()))
def test_a_protocol_is_held_against_a_twin(name: str):
    assert name in TWINS, f"nothing says what {name!r} is compared with; expected a test below tests/ in TWINS"
    assert (ROOT / "tests" / TWINS[name]).is_file()


def test_a_protocol_explains_itself():
    for parser in protocols().values():
        assert parser.__doc__
        assert parser.protocol in protocols()


def test_a_name_cannot_be_registered_twice():
    with pytest.raises(ValueError, match="carbon"):
        protocol("carbon")(CarbonParser)
