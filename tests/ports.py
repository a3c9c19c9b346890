"""Ports for programs of tests that must be told one."""

import random
import socket

_LEAST, _MOST = 20_000, 32_000
_draw = random.SystemRandom()  # tests that run beside each other draw other ones


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of the loopback that nobody has.

    It lies below those that the system gives to whoever asks for any, so that the program that it is for finds it free.
    """
    while True:
        port = _draw.randrange(_LEAST, _MOST)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:  # somebody has it
                continue
            return port
