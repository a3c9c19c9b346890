"""Munin nodes: asked what they have, what it means and how much it is, plug-in by plug-in.

What a plug-in's ``config`` says is asked for once an hour, unless it brings the values along (``dirtyconfig``): then it
is all that is asked for. An answer that is cut off holds the values of the plug-ins before.
"""

import asyncio
import re

from tallystick.config import Poll
from tallystick.model.reason import Reason
from tallystick.parse.munin import read_conversation
from tallystick.parse.reading import Reading
from tallystick.receive.polls.exchange import Answer, Exchange, PollError, ReadingExchange
from tallystick.receive.polls.talk import Talk, connected

_GREETING = re.compile(rb"#.*(?:munin|lrrd) (?:node|client) at (\S+)", re.IGNORECASE)
_BANNER_LINES_MAX = 100
_CONFIG_KEPT_S = 3600.0
_VALUE = re.compile(rb"^[^.\s]+\.value\s", re.MULTILINE)


def exchange(poll: Poll) -> Exchange:
    """The exchange with a node."""
    return MuninExchange(poll)


class MuninExchange(ReadingExchange):
    """A node, and what is known of its plug-ins."""

    in_parts = True

    def __init__(self, poll: Poll) -> None:
        super().__init__(poll)
        self._configs: dict[str, tuple[float, bytes]] = {}  # when it was asked for, and what it was

    async def ask(self, answer: Answer) -> None:
        async with connected(self.poll.endpoint, self.poll.answer_bytes_max) as talk:
            node = await _greeting(talk)
            await talk.say("cap multigraph dirtyconfig")
            await talk.line()
            listed: set[str] = set()
            for host in await _nodes(talk) or [node]:
                await talk.say(f"list {host}")
                plugins = (await talk.line()).decode("utf-8", "replace").split()
                answer.say(f"> list {host}\n".encode())
                for plugin in plugins:
                    await self._plugin(talk, plugin, answer)
                listed.update(plugins)
            self._configs = {plugin: known for plugin, known in self._configs.items() if plugin in listed}
            await talk.say("quit")

    def read(self, answer: bytes, now_ms: int) -> Reading:
        return read_conversation(answer, self.poll.prefix or "munin", now_ms)

    async def _plugin(self, talk: Talk, plugin: str, answer: Answer) -> None:
        now_s = asyncio.get_running_loop().time()
        asked_s, config = self._configs.get(plugin, (0.0, b""))
        if not config or now_s - asked_s > _CONFIG_KEPT_S:
            config = await _asked(talk, "config", plugin)
        answer.say(config)
        if _VALUE.search(config):
            return
        self._configs[plugin] = now_s, config
        answer.say(await _asked(talk, "fetch", plugin))


async def _greeting(talk: Talk) -> str:
    """The node's name, from the line that says it; what stands before (a message of the day) is passed over."""
    for _ in range(_BANNER_LINES_MAX):
        if match := _GREETING.match(await talk.line()):
            return match[1].decode("utf-8", "replace")
    raise PollError(
        Reason.FRAME, f"no greeting in {_BANNER_LINES_MAX} lines; expected '# munin node at ...', as of munin-node"
    )


async def _nodes(talk: Talk) -> list[str]:
    """The hosts that the node answers for."""
    await talk.say("nodes")
    found: list[str] = []
    while (line := await talk.line()) != b".":
        if line.startswith(b"#"):
            return []  # it does not know the question, and says only this
        found.append(line.decode("utf-8", "replace"))
    return found


async def _asked(talk: Talk, verb: str, plugin: str) -> bytes:
    """A question and its answer, to the line with the dot."""
    await talk.say(f"{verb} {plugin}")
    lines = [f"> {verb} {plugin}".encode()]
    while (line := await talk.line()) != b".":
        lines.append(line)
    return b"\n".join([*lines, b".\n"])
