"""`Facts`: what is known of a sample beside its name when its name is decided about."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

from tallystick.model.kind import Kind

_FACTS_KEPT = 10_000
_LOOPBACK = ("", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Facts:
    """Who sent a sample, and of what kind it is.

    Parameters
    ----------
    source
        As the ledger calls it: a protocol and the address of a listener, ``http`` and a route.
    peer
        Address of who sent; empty where it has none.
    kind
        None where no rule asks.
    """

    source: str = ""
    peer: str = ""
    kind: Kind | None = None

    @property
    def protocol(self) -> str:
        """The first word of the source."""
        return self.source.partition(" ")[0]

    @property
    def is_local(self) -> bool:
        """Whether it was sent from this machine."""
        return self.peer in _LOOPBACK


Asked = Callable[[Facts], bool]


def asked(texts: tuple[str, ...]) -> Asked:
    """Whether something is from one of these sources, as `tallystick.config.rules.Rule` spells them."""
    each = [[_word(word) for word in text.split()] for text in texts]

    @lru_cache(maxsize=_FACTS_KEPT)
    def holds(facts: Facts) -> bool:
        return any(all(one(facts) for one in words) for words in each)

    return holds


def _word(word: str) -> Asked:
    if "://" in word or word.startswith("/"):
        return lambda facts: word in facts.source.split(" ")
    if "/" in word:
        network = ipaddress.ip_network(word, strict=False)
        return lambda facts: _is_in(facts.peer, network)
    matches = re.compile(translate(word)).match
    return lambda facts: facts.protocol == word or (bool(facts.peer) and matches(facts.peer) is not None)


def _is_in(peer: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(peer) in network
    except ValueError:
        return False
