"""Numbers and events as StatsD's lines, and their way to whoever listens on this host.

Loads as little as it can: a script that counts calls ``tallystick send`` each time.
"""

import os
import socket
from collections.abc import Iterable, Iterator, Sequence

TYPES = {"counter": "c", "timing": "ms", "gauge": "g", "set": "s"}
KIND_OPTIONS = {
    "--counter": "counter",
    "--gauge": "gauge",
    "--aggregate": "timing",
    "--timing": "timing",
    "--set": "set",
}
"""What the options of ``tallystick send`` that are plain say of a value."""
DEFAULT = ("127.0.0.1", 8125)
_NAME_BYTES_MAX = 1024
_NOT_IN_NAMES = ":|@\x7f"
_IPV4 = "0123456789."
_VALUE_CHARS = "0123456789.-+"


def send_at_once(words: Sequence[str]) -> bool:
    """Send one number, if the words say no more than that, and somebody listens; else False, and nothing is sent.

    Parameters
    ----------
    words
        Behind ``tallystick send``.
    """
    if "TALLYSTICK_APP" in os.environ:  # names are made then
        return False
    rest = list(words)
    address = DEFAULT
    if "--to" in rest[:-1]:
        at = rest.index("--to")
        host, _, port = rest[at + 1].removeprefix("udp://").rpartition(":")
        if not rest[at + 1].startswith("udp://") or host.strip(_IPV4) or not (port.isdecimal() and port.isascii()):
            return False
        address = host, int(port)
        del rest[at : at + 2]
    kinds = [KIND_OPTIONS[word] for word in rest if word in KIND_OPTIONS] or ["gauge"]
    plain = [word for word in rest if word not in KIND_OPTIONS]
    if len(kinds) != 1 or "set" in kinds or len(plain) != 2 or plain[0].startswith("-") or not is_name(plain[0]):
        return False
    name, text = plain
    if text.strip(_VALUE_CHARS):
        return False
    try:
        send_datagrams(socket.AF_INET, address, ["\n".join(lines(name, repr(float(text)), kinds[0])).encode()])
    except (OSError, ValueError):
        return False  # it is told by who explains more
    return True


def is_name(name: str) -> bool:
    """Whether a line can begin with it, and mean it."""
    wrong = any(char <= " " or char in _NOT_IN_NAMES for char in name)
    return bool(name) and not wrong and len(name.encode()) <= _NAME_BYTES_MAX


def lines(name: str, value: str, kind: str, one_in: int = 1) -> Iterator[str]:
    """The lines of one value.

    Parameters
    ----------
    value
        A number, or the member of a set.
    one_in
        So many the value stands for.
    """
    if kind == "gauge" and value.startswith("-"):
        yield f"{name}:0|g"  # a sign means a change of the level: from zero it is the level itself
    yield f"{name}:{value}|{TYPES[kind]}" + (f"|@{1.0 / one_in!r}" if one_in > 1 else "")


def send_datagrams(family: int, address: tuple[str, int] | str, datagrams: Iterable[bytes]) -> None:
    """Send datagrams to a port of UDP or to a Unix socket.

    Raises
    ------
    OSError
        If nobody listens on this machine; one of another machine cannot be known.
    """
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.connect(address)
        for datagram in datagrams:
            connection.send(datagram)
        # The kernel knows by now if nobody listens on this machine, and would tell only at the next send.
        refused = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if refused:
            raise ConnectionRefusedError(refused, "nobody listens")
