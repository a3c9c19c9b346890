"""Polls: asking those who wait to be asked, on a thread with an event loop of its own.

`Poller` keeps the time; an `Exchange` is a protocol's way to ask one target and to read what it answered. Adding one is
a module here, named as the protocol, with a function ``exchange``.
"""

from tallystick.receive.polls.exchange import Answer, Exchange, PollError, exchange_for
from tallystick.receive.polls.poller import Poller

__all__ = ["Answer", "Exchange", "PollError", "Poller", "exchange_for"]
