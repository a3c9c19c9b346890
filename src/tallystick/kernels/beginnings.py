"""Where the beginning of a name ends, by which the ledger and the census count."""

import numpy as np

from tallystick.kernels.compile import inlined, scanner

_DOT, _SEMICOLON = 0x2E, 0x3B
_HOSTS = np.frombuffer(b".hosts.", np.uint8)
HOST_DEPTH = 4
"""In the planned tree a host is the fourth component: ``prod.hosts.web.web1``."""


@inlined
def _are_hosts(arena: np.ndarray, at: int, stop: int) -> bool:
    k = 0
    while k < len(_HOSTS) and at + k < stop and arena[at + k] == _HOSTS[k]:
        k += 1
    return k == len(_HOSTS)


@scanner
def beginning_end(arena: np.ndarray, start: int, stop: int, depth: int, host_depth: int) -> int:
    """Where the first `depth` components of ``arena[start:stop]`` end, its last one and its tags never with them.

    Parameters
    ----------
    depth
        How many components; of a name that has only one, that.
    host_depth
        At least so many of names whose second component is ``hosts``, so that hosts are told apart; 0 for no exception.
    """
    at, components, end = start, 0, stop
    while at < stop and arena[at] != _SEMICOLON:
        if arena[at] == _DOT:
            components += 1
            end = at
            if components == 1 and host_depth > depth and _are_hosts(arena, at, stop):
                depth = host_depth
            if components == depth:
                break
        at += 1
    return at if components == 0 else end
