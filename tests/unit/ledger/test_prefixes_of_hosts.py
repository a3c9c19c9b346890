"""Prefixes tell hosts of the planned tree apart, whatever depth is configured, and nothing else finer than that."""

import pytest

from tallystick.kernels.packed import Names
from tallystick.ledger.prefixes import Prefixes, prefix_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("prod.hosts.web.web1.cpu.user", "prod.hosts.web.web1"),
        ("prod.hosts.web.web1;k=a.b.c", "prod.hosts.web"),
        ("prod.apps.shop.requests", "prod.apps"),
        ("hosts.web1.cpu.user", "hosts.web1"),
        ("prod.hostsx.web.web1.cpu", "prod.hostsx"),
        ("prod.hosts", "prod"),
        ("load", "load"),
    ],
)
def test_the_prefix_of_a_name(name: str, expected: str) -> None:
    prefixes = Prefixes(2)
    (number,) = prefixes.of_names(Names.of([name])).tolist()
    assert prefixes.text(number) == expected == prefix_of(name, 2)
