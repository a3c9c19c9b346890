"""Polls of targets that answer well, badly, endlessly or not at all: what is taken, and how the rest is accounted."""

import asyncio
import socket
import threading
import zlib

import pytest

from asking import Asked, Serve
from servers import wait_until
from tallystick.config import Poll
from tallystick.model.kind import Kind
from tallystick.receive.polls import Poller

REPORT = """<GANGLIA_XML VERSION="3.7.2" SOURCE="gmond"><CLUSTER NAME="web"><HOST NAME="web1.lan">
<METRIC NAME="load_one" VAL="0.5" TYPE="float" TN="{age}" SLOPE="both"></METRIC>
<METRIC NAME="os_name" VAL="Linux" TYPE="string" TN="3" SLOPE="zero"></METRIC>
</HOST></CLUSTER></GANGLIA_XML>"""


@pytest.fixture
def asked() -> Asked:
    return Asked()


class Node:
    """A Munin node with two plug-ins, which remembers what it was asked."""

    def __init__(self, **answers: str) -> None:
        self.answers = {
            "cap": "cap multigraph dirtyconfig\n",
            "nodes": "web1.lan\n.\n",
            "list": "load cpu\n",
            "config load": "load.label load\n.\n",
            "fetch load": "load.value 0.5\n.\n",
            "config cpu": "user.type DERIVE\n.\n",
            "fetch cpu": "user.value 17\n.\n",
        } | answers
        self.questions: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Welcome!\n# munin node at web1.lan\n")
        while (question := (await reader.readline()).decode().strip()) not in ("", "quit"):
            self.questions.append(question)
            answer = self.answers.get(question) or self.answers[question.split()[0]]
            writer.write(answer.encode())
        writer.close()


def saying(text: bytes) -> Serve:
    """A target that says this and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        writer.close()

    return serve


class TestMunin:
    def test_what_a_node_has_is_stored(self, asked: Asked) -> None:
        asked.once(Node())
        assert asked.kinds("munin") == {
            "munin.web1_lan.load.load": Kind.GAUGE,
            "munin.web1_lan.cpu.user": Kind.CUMULATIVE,
        }
        assert (asked.balance.stored, asked.balance.rejected) == (2, {})

    def test_configs_are_asked_for_once(self, asked: Asked) -> None:
        node = Node()
        asked.times(3, node)
        assert [question for question in node.questions if question.startswith("config")] == [
            "config load",
            "config cpu",
        ]
        assert asked.balance.stored == 6

    def test_a_plug_in_that_brings_its_values_with_its_config_is_asked_for_that_alone(self, asked: Asked) -> None:
        node = Node(**{"list": "cpu\n", "config cpu": "user.value 17\nuser.type DERIVE\n.\n"})
        asked.times(2, node)
        assert [question for question in node.questions if question.endswith("cpu")] == ["config cpu"] * 2
        assert asked.kinds("munin") == {"munin.web1_lan.cpu.user": Kind.CUMULATIVE}

    def test_an_old_node_knows_neither_capabilities_nor_nodes(self, asked: Asked) -> None:
        unknown = "# Unknown command. Try list, config, fetch, version or quit\n"
        asked.once(Node(cap=unknown, nodes=unknown))
        assert asked.names("munin") == ["munin.web1_lan.load.load", "munin.web1_lan.cpu.user"]

    def test_values_before_a_plug_in_that_hangs_are_stored(self, asked: Asked) -> None:
        poller = asked.once(Node(**{"fetch cpu": "user.value 17\n"}), timeout_s=1)
        assert asked.names("munin") == ["munin.web1_lan.load.load"]
        assert asked.balance.rejected == {"truncated": 1}
        assert "no end within 1 s" in asked.cause
        assert poller.targets[0].failures == 1

    def test_a_greeting_without_end_is_cut_off(self, asked: Asked) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while not writer.is_closing():
                writer.write(b"Hello!\n" * 1000)
                await writer.drain()

        asked.once(serve)
        assert asked.balance.rejected == {"frame": 1}
        assert "no greeting in 100 lines" in asked.cause

    def test_a_line_without_end_is_cut_off(self, asked: Asked) -> None:
        asked.once(saying(b"x" * 200_000))
        assert asked.balance.rejected == {"line_long": 1}

    def test_an_answer_beyond_its_limit_is_cut_off(self, asked: Asked) -> None:
        asked.once(Node(**{"fetch cpu": "user.label x\n" * 500 + ".\n"}), answer_bytes_max=2000)
        assert asked.names("munin") == ["munin.web1_lan.load.load"]
        assert asked.balance.rejected == {"body_long": 1}

    def test_a_node_that_says_a_byte_now_and_then_costs_no_more_than_its_time(self, asked: Asked) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for byte in b"# munin node at w":
                writer.write(bytes([byte]))
                await asyncio.sleep(0.2)
            writer.close()

        asked.once(serve, timeout_s=1)
        assert asked.balance.rejected == {"truncated": 1}


class TestGanglia:
    def test_a_value_is_of_the_moment_at_which_it_was_heard_of_and_taken_once(self, asked: Asked) -> None:
        ages = iter([3, 14, 4])  # ten seconds lie between the polls: the same value, then a new one

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await saying(REPORT.format(age=next(ages)).encode())(reader, writer)

        asked.times(3, serve, protocol="ganglia")
        assert asked.names("ganglia") == ["ganglia.web.web1_lan.load_one"]
        assert (asked.balance.stored, asked.balance.rejected) == (2, {"text": 3})

    def test_the_interactive_port_is_asked(self, asked: Asked) -> None:
        heard: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readline())
            await saying(REPORT.format(age=0).encode())(reader, writer)

        asked.once(serve, protocol="ganglia", query="/web/web1.lan", prefix="g")
        assert (heard, asked.names("g")) == ([b"/web/web1.lan\n"], ["g.web.web1_lan.load_one"])

    def test_compressed_reports_are_read_and_bombs_are_not(self, asked: Asked) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = packer.compress(REPORT.format(age=0).encode()) + packer.flush()
        asked.once(saying(packed), protocol="ganglia")
        assert asked.balance.stored == 1
        bomber = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = bomber.compress(b"<" * 50_000_000) + bomber.flush()
        asked = Asked()
        asked.once(saying(bomb), protocol="ganglia")
        assert asked.balance.rejected == {"body_long": 1}
        asked = Asked()
        asked.once(saying(packed[:50] + b"xxxx" + packed[54:]), protocol="ganglia")
        assert asked.balance.rejected == {"encoding": 1}

    def test_a_billion_laughs_are_not_laughed(self, asked: Asked) -> None:
        text = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><GANGLIA_XML>&b;</GANGLIA_XML>'
        asked.once(saying(text), protocol="ganglia")
        assert asked.balance.rejected == {"frame": 1}
        assert "declares the entity a" in asked.cause

    def test_who_hangs_up_without_a_word_has_failed(self, asked: Asked) -> None:
        poller = asked.once(saying(b""), protocol="ganglia")
        assert poller.targets[0].cause.startswith("it hung up without a word")


class TestPoller:
    def test_who_does_not_listen_is_told_and_named_in_a_notice(self, asked: Asked, deserted_port: int) -> None:
        address = f"tcp://127.0.0.1:{deserted_port}"
        poller = asked.times(2, saying(b""), address=address)
        assert poller.notices() == []
        asyncio.run(poller.poll(poller.targets[0]))
        (notice,) = poller.notices()
        assert notice.startswith(f"cannot poll munin {address}: ")
        assert "3 times in turn" in notice
        assert asked.balance.rejected == {"truncated": 3}

    def test_each_poll_is_told_in_series_of_its_own(self, asked: Asked) -> None:
        asked.once(Node())
        assert [name.rpartition(".")[2] for name in asked.names("tallystick.polls")] == [
            "up",
            "duration_s",
            "samples",
        ]

    def test_targets_are_polled_at_their_interval_until_the_end(self, asked: Asked) -> None:
        polled = threading.Semaphore(0)
        with socket.create_server(("127.0.0.1", 0)) as server:
            poll = Poll(protocol="ganglia", address=f"tcp://127.0.0.1:{server.getsockname()[1]}", interval_s=1)
            poller = Poller(asked.intake, [poll])
            poller.start()
            for _ in range(2):
                connection, _ = server.accept()
                connection.close()
                polled.release()
            poller.stop()
        assert poller.targets[0].failures >= 1

    def test_a_poll_under_way_does_not_hold_up_the_end(self, asked: Asked) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            poll = Poll(protocol="munin", address=f"tcp://127.0.0.1:{server.getsockname()[1]}", interval_s=600)
            poller = Poller(asked.intake, [poll])
            poller.start()
            connection, _ = server.accept()
            poller.stop()
            with connection:
                wait_until(lambda: connection.recv(1) == b"", "the connection to be dropped")

    def test_who_has_nobody_to_ask_has_no_thread(self, asked: Asked) -> None:
        poller = Poller(asked.intake, [])
        poller.start()
        assert not [thread for thread in threading.enumerate() if thread.name == "polls"]
        poller.stop()
