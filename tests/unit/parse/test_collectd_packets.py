"""What is beside the packets of collectd: signatures, encryption, users, and what types mean."""

import os
from pathlib import Path

import numpy as np
import pytest

from reference.collectd import encrypted, number, signed, text, values
from servers import cannot_run
from tallystick.config import Listener
from tallystick.config.collectd import WriteGraphite
from tallystick.model.reason import Reason
from tallystick.parse import NameTable, Parsed, padded, protocols
from tallystick.parse.collectd import CollectdParser
from tallystick.parse.collectd.seals import Level, Seals, decrypt
from tallystick.parse.collectd.types import known_types, read_types_db
from tallystick.parse.collectd.users import Users

NOW_MS = 1_700_000_000_000
IV = bytes(range(16))
PACKET = number(8, 1_700_000_000 << 30) + text(0, "web1") + text(2, "p") + text(4, "gauge") + values((1, 1.5))
SEALED = {
    "plain": PACKET,
    "signed": signed(PACKET, b"web", b"secret"),
    "signed by a stranger": signed(PACKET, b"stranger", b"secret"),
    "signed wrongly": signed(PACKET, b"web", b"guessed"),
    "changed behind its signature": signed(PACKET, b"web", b"secret")[:-1] + b"\x41",
    "encrypted": encrypted(PACKET, b"web", b"secret", IV),
    "encrypted by a stranger": encrypted(PACKET, b"stranger", b"secret", IV),
    "encrypted wrongly": encrypted(PACKET, b"web", b"guessed", IV),
    "changed in its encryption": encrypted(PACKET, b"web", b"secret", IV)[:-1] + b"\x41",
}
TAKEN = {
    Level.NONE: {"plain", "signed", "encrypted"},
    Level.SIGN: {"signed", "encrypted"},
    Level.ENCRYPT: {"encrypted"},
}


@pytest.fixture
def auth_file(tmp_path: Path) -> Path:
    path = tmp_path / "passwd"
    path.write_text("# who may send\nweb: secret\n db :\tother \nno colon\n")
    return path


def parse(parser: CollectdParser, *packets: bytes) -> tuple[Parsed, NameTable]:
    lengths = np.array([len(packet) for packet in packets], np.int32)
    offsets = np.cumsum(lengths, dtype=np.int64) - lengths
    names, buffer = NameTable(), padded(b"".join(packets))
    parsed = parser.parse_datagrams(buffer, offsets, lengths, names, NOW_MS)
    assert buffer[: lengths.sum()].tobytes() == b"".join(packets)
    return parsed, names


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("seal", SEALED)
def test_a_level_takes_what_is_sealed_well_enough_by_whom_it_knows(level: Level, seal: str, auth_file: Path):
    parser = CollectdParser(seals=Seals(level, Users(auth_file)))
    parsed, names = parse(parser, PACKET[:-1] + b"\0", SEALED[seal], SEALED["encrypted"])
    taken = seal in TAKEN[level]
    first = level is Level.NONE
    assert len(parsed.batch) == first + taken + 1
    assert set(names.names(parsed.batch.ids)) == {b"web1.p.gauge"}
    assert parsed.rejects.counts[Reason.SIGNATURE] == parsed.rejects.total == 3 - len(parsed.batch)
    assert parsed.began.tolist() == [[0, 0], [first, 1], [first + taken, 2]]


def test_who_sent_what_is_not_sealed_right_is_told(auth_file: Path):
    parser = CollectdParser(seals=Seals(Level.SIGN, Users(auth_file)))
    parsed, _ = parse(parser, SEALED["signed wrongly"], SEALED["encrypted by a stranger"], PACKET)
    assert parsed.rejects.texts == (b"web", b"stranger", PACKET)
    assert parsed.rejects.offset.tolist() == [0, len(SEALED["signed wrongly"]), parsed.consumed - len(PACKET)]


def test_without_users_signatures_are_passed_over_and_nothing_is_decrypted():
    parsed, _ = parse(CollectdParser(), *SEALED.values())
    assert len(parsed.batch) == 5
    assert parsed.rejects.counts[Reason.SIGNATURE] == parsed.rejects.total == 4


def test_a_long_run_of_signatures_is_opened_once():
    packet = PACKET
    for _ in range(1000):
        packet = signed(packet, b"web", b"secret")
    parsed, _ = parse(CollectdParser(), packet)
    assert (len(parsed.batch), parsed.rejects.counts[Reason.SIGNATURE]) == (0, 1)


def test_every_cut_of_a_sealed_packet_is_one_reject(auth_file: Path):
    parser = CollectdParser(seals=Seals(Level.SIGN, Users(auth_file)))
    for packet in (SEALED["signed"], SEALED["encrypted"]):
        parsed, _ = parse(parser, *(packet[:length] for length in range(1, len(packet))))
        assert (len(parsed.batch), parsed.rejects.total) == (0, len(packet) - 1)


def test_a_key_stream_of_any_length_is_that_of_output_feedback():
    for length in (1, 15, 16, 17, 1000):
        sealed = encrypted(bytes(length), b"u", b"p", IV)[6 + 1 + 16 :]
        assert decrypt(b"p", IV, sealed)[20:] == bytes(length)


def test_users_are_read_again_when_their_file_changes(auth_file: Path):
    users = Users(auth_file)
    assert (users.password(b"web"), users.password(b"db"), users.password(b"no colon")) == (b"secret", b"other", None)
    auth_file.write_text("web: changed\n")
    os.utime(auth_file, (1, 1))
    users.refresh()
    assert (users.password(b"web"), users.password(b"db")) == (b"changed", None)
    auth_file.unlink()
    users.refresh()
    users.refresh()
    assert users.password(b"web") == b"changed"
    auth_file.write_text("new: one\n")
    users.refresh()
    assert (users.password(b"web"), users.password(b"new")) == (None, b"one")


def test_users_that_cannot_be_read_at_first_are_told(tmp_path: Path):
    with pytest.raises(ValueError, match=r"nowhere cannot be read: .*; expected lines of 'user: password'"):
        Users(tmp_path / "nowhere")


def test_types_of_a_file_come_on_top_of_what_is_known(tmp_path: Path):
    path = tmp_path / "types.db"
    path.write_text("# ours\n\nload  one:GAUGE:0:U\nmine a:derive:0:U b:ABSOLUTE:U:U,   c:COUNTER:0:U\n")
    types = known_types([path])
    assert types["load"] == (("one", 1),)
    assert types["mine"] == (("a", 2), ("b", 3), ("c", 0))
    assert types["if_octets"] == (("rx", 2), ("tx", 2))


@pytest.mark.parametrize("line", ["load one", "load one:GAUGE:0", "load :GAUGE:0:U", "load one:FLOAT:0:U"])
def test_a_bad_line_of_types_is_told_with_its_number(tmp_path: Path, line: str):
    path = tmp_path / "types.db"
    path.write_text(f"good value:GAUGE:0:U\n{line}\n")
    with pytest.raises(ValueError, match=r"types.db line 2: .* expected name:KIND:minimum:maximum"):
        read_types_db(path)


def test_what_is_known_of_several_values_is_what_collectd_says(tmp_path: Path):
    system = Path("/usr/share/collectd/types.db")
    if not system.exists():
        cannot_run(f"{system} is missing: apt-get install collectd-core")
    theirs = {type_: sources for type_, sources in read_types_db(system).items() if len(sources) > 1}
    ours = known_types(system=tmp_path / "none")
    assert {type_: ours[type_] for type_ in theirs} == theirs


def test_a_listener_is_told_all_of_it(auth_file: Path, tmp_path: Path):
    types_db = tmp_path / "types.db"
    types_db.write_text("gauge left:GAUGE:0:U right:GAUGE:0:U\n")
    listener = Listener(
        protocol="collectd",
        address="udp://127.0.0.1:0",
        security="sign",
        auth_file=str(auth_file),
        types_db=(str(types_db),),
        write_graphite=WriteGraphite(prefix="collectd.", separate_instances=True),
    )
    assert list(listener.conflicts()) == []
    parser = protocols()["collectd"].configured(listener)
    packet = PACKET + text(3, "q") + values((1, 2.0), (1, 3.0))
    parsed, names = parse(parser, signed(packet, b"web", b"secret"), PACKET)
    assert names.names(parsed.batch.ids) == [b"collectd.web1.p.q.gauge.left", b"collectd.web1.p.q.gauge.right"]
    assert np.flatnonzero(parsed.rejects.counts).tolist() == [Reason.SIGNATURE, Reason.UNDECLARED]
