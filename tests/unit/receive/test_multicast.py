"""Doors that join a multicast group, on the loopback interface."""

import contextlib
import socket

import pytest

from servers import cannot_run, wait_until
from tallystick.config import Listener
from tallystick.ledger import Ledger
from tallystick.model.address import Address, Group
from tallystick.model.clock import ManualClock
from tallystick.model.errors import StartError
from tallystick.parse import NameTable, protocols
from tallystick.receive import DatagramDoor, Intake, IntakeLimits
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

GROUP4, GROUP6 = "239.2.11.71", "ff11::7a11"


@pytest.fixture
def intake() -> Intake:
    names, store, clock = NameTable(), MemoryStore(), ManualClock()
    return Intake(names, Router(names, store.create), store, Ledger(clock), clock, IntakeLimits(600, 86400))


def opened(intake: Intake, address: Address, group: Group) -> DatagramDoor:
    try:
        door = DatagramDoor(intake, address, protocols()["carbon"](), group)
    except StartError as error:
        cannot_run(f"no multicast on loopback here: {error}")
    door.start()
    return door


def send4(port: int, text: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        try:
            sender.sendto(text, (GROUP4, port))
        except OSError as error:
            cannot_run(f"nothing can be sent to {GROUP4} on loopback here: {error}")


def send6(port: int, text: bytes, interface: int) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface)
        sender.sendto(text, (GROUP6, port))


def interface_for_groups_of_ipv6() -> str:
    """One that has a route for them: the loopback has none on most machines. This group's scope is the machine."""
    for index, name in socket.if_nameindex():
        with contextlib.suppress(OSError):
            send6(9, b"", index)
            return name
    pytest.skip("no interface here has a route for multicast groups of IPv6")


@pytest.mark.parametrize("interface", ["lo", "127.0.0.1"])
@pytest.mark.parametrize("host", [GROUP4, "0.0.0.0"])
def test_what_is_sent_to_a_group_arrives(intake: Intake, host: str, interface: str) -> None:
    door = opened(intake, Address("udp", host, 0), Group(GROUP4, interface))
    send4(door.address.port, b"a 1 -1")
    wait_until(lambda: [b.stored for b in intake.ledger.balances()] == [1], "the sample")
    door.stop()


def test_groups_of_ipv6_can_be_joined_too(intake: Intake) -> None:
    interface = interface_for_groups_of_ipv6()
    door = opened(intake, Address("udp", "::", 0), Group(GROUP6, interface))
    send6(door.address.port, b"a 1 -1", socket.if_nametoindex(interface))
    wait_until(lambda: [b.stored for b in intake.ledger.balances()] == [1], "the sample")
    door.stop()


def test_several_sockets_on_a_group_receive_the_same(intake: Intake) -> None:
    first = opened(intake, Address("udp", GROUP4, 0), Group(GROUP4, "lo"))
    second = opened(intake, Address("udp", "0.0.0.0", first.address.port), Group(GROUP4, "lo"))
    send4(first.address.port, b"a 1 -1")
    wait_until(lambda: [b.stored for b in intake.ledger.balances()] == [1, 1], "both")
    first.stop()
    second.stop()


def test_an_interface_that_is_not_there_is_told(intake: Intake) -> None:
    with pytest.raises(StartError, match=r"cannot join multicast group 239.2.11.71 on nowhere0: .*; expected"):
        DatagramDoor(intake, Address("udp", GROUP4, 0), protocols()["carbon"](), Group(GROUP4, "nowhere0"))


def test_a_listener_on_a_groups_address_joins_it() -> None:
    assert Listener(protocol="carbon", address=f"udp://{GROUP4}:2003").group == Group(GROUP4)
    assert Listener(protocol="carbon", address="udp://0.0.0.0:1", multicast=f"{GROUP4}%lo").group == Group(GROUP4, "lo")
    assert Listener(protocol="carbon", address="udp://127.0.0.1:2003").group is None
