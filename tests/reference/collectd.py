"""collectd's network protocol as its page says it: the twin of `kernels.collectd`, and a writer of packets."""

import hashlib
import hmac
import math
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.modes import OFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256

from reference.carbon import is_utf8
from reference.outcome import Outcome, Sample
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

TEXTS = {0: "host", 2: "plugin", 3: "plugin_instance", 4: "type", 5: "type_instance"}
KINDS = {0: Kind.CUMULATIVE, 1: Kind.GAUGE, 2: Kind.CUMULATIVE, 3: Kind.COUNTER}
FORMATS = {0: ">Q", 1: "<d", 2: ">q", 3: ">Q"}
FORBIDDEN = b' \t"\\:!,/()\n\r;' + bytes(range(32)) + b"\x7f"


@dataclass(frozen=True)
class Options:
    """Those of ``write_graphite``."""

    prefix: str = ""
    postfix: str = ""
    escape_character: str = "_"
    separate_instances: bool = False
    always_append_ds: bool = False
    preserve_separator: bool = False
    drop_duplicate_fields: bool = False
    use_tags: bool = False


@dataclass
class Texts:
    """What holds for the values that follow."""

    host: bytes = b""
    plugin: bytes = b""
    plugin_instance: bytes = b""
    type: bytes = b""
    type_instance: bytes = b""
    time_ms: int = 0


@dataclass
class Reader:
    """Reads packets that are neither signed nor encrypted."""

    types: dict[str, list[str]]
    options: Options = Options()
    outcome: Outcome = field(default_factory=Outcome)

    def read(self, packet: bytes) -> Outcome:
        texts = Texts()
        at = 0
        while at < len(packet):
            if len(packet) - at < 4:
                self.outcome.reject(Reason.FRAME)
                break
            part, length = struct.unpack_from(">HH", packet, at)
            body = packet[at + 4 : at + length]
            if length < 4 or at + length > len(packet):
                self.outcome.reject(Reason.FRAME)
                break
            reason = self._part(part, body, texts)
            if reason is not None:
                self.outcome.reject(reason)
                break
            at += length
        return self.outcome

    def _part(self, part: int, body: bytes, texts: Texts) -> Reason | None:
        """Take a part; a reason if nothing behind it can be read."""
        if part in TEXTS or part == 0x100:
            if not body.endswith(b"\0"):
                return Reason.FRAME
            if part == 0x100:
                self.outcome.reject(Reason.UNSUPPORTED)
            else:
                setattr(texts, TEXTS[part], body.split(b"\0")[0])
        elif part in (1, 7, 8, 9, 0x101):
            if len(body) != 8:
                return Reason.FRAME
            (number,) = struct.unpack(">Q", body)
            if part == 1:
                texts.time_ms = number * 1000 if number <= 9_000_000_000_000 else 0
            elif part == 8:
                fraction = number & ((1 << 30) - 1)
                texts.time_ms = (number >> 30) * 1000 + ((fraction * 1000 + (1 << 29)) >> 30)
        elif part in (0x200, 0x210):
            return Reason.SIGNATURE
        elif part == 6:
            count = struct.unpack_from(">H", body)[0] if len(body) >= 2 else -1
            if len(body) != 2 + 9 * count or any(kind > 3 for kind in body[2 : 2 + count]):
                return Reason.FRAME
            for k, kind in enumerate(body[2 : 2 + count]):
                (value,) = struct.unpack_from(FORMATS[kind], body, 2 + count + 8 * k)
                self.outcome.take(self._sample(texts, k, count, kind, value))
        return None

    def _sample(self, texts: Texts, k: int, count: int, kind: int, value: float) -> Sample | Reason:
        known = self.types.get(texts.type.decode("latin-1"), [])
        appended = count > 1 or self.options.always_append_ds
        if not (texts.host and texts.plugin and texts.type):
            return Reason.NAME_EMPTY
        common = name_of(texts, None, self.options)
        if len(untagged(texts, self.options)) > NAME_BYTES_MAX:
            return Reason.NAME_LONG
        if not is_utf8(common):
            return Reason.NAME_BYTES
        if texts.time_ms == 0:
            return Reason.TIMESTAMP
        if len(known) != count and not (count == 1 and not known and not appended):
            return Reason.UNDECLARED
        name = name_of(texts, known[k].encode() if appended else None, self.options)
        if len(name) > NAME_BYTES_MAX:
            return Reason.NAME_LONG
        if kind == 1 and not math.isfinite(value):
            return Reason.VALUE_NOT_FINITE
        return Sample(name, texts.time_ms, float(value), 1.0, int(KINDS[kind]))


def escaped(text: bytes, options: Options) -> bytes:
    points = b"" if options.preserve_separator or options.use_tags else b"."
    return bytes(ord(options.escape_character) if byte in FORBIDDEN + points else byte for byte in text)


def untagged(texts: Texts, options: Options) -> bytes:
    return name_of(texts, None, Options(**{**vars(options), "use_tags": False, "preserve_separator": True}))


def name_of(texts: Texts, source: bytes | None, options: Options) -> bytes:
    """As ``gr_format_name`` and ``gr_format_name_tagged`` of collectd make it."""
    host, plugin, plugin_instance, type_, type_instance = (
        escaped(getattr(texts, name), options) for name in TEXTS.values()
    )
    dropping = options.drop_duplicate_fields
    prefix, postfix = options.prefix.encode(), options.postfix.encode()
    if options.use_tags:
        typed = not (dropping and plugin == type_)
        path = b".".join([plugin, *([type_] if typed else []), *([source] if source is not None else [])])
        tags = [b"host=" + host, b"plugin=" + plugin]
        tags += [b"plugin_instance=" + plugin_instance] if plugin_instance else []
        tags += [b"type=" + type_] if typed else []
        shown = type_instance and not (dropping and plugin_instance == type_instance)
        tags += [b"type_instance=" + type_instance] if shown else []
        tags += [b"ds_name=" + source] if source is not None else []
        return b";".join([prefix + path + postfix, *tags])
    joint = b"." if options.separate_instances else b"-"
    first = plugin + joint + plugin_instance if plugin_instance else plugin
    second = type_
    if type_instance:
        second = type_instance if dropping and plugin == type_ else type_ + joint + type_instance
    words = [prefix + host + postfix, first, second]
    if source is not None:
        words = [*(words[:2] if dropping and first == second else words), source]
    return b".".join(words)


def text(part: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">HH", part, 5 + len(value)) + value + b"\0"


def number(part: int, value: int) -> bytes:
    return struct.pack(">HHQ", part, 12, value)


def values(*pairs: tuple[int, float]) -> bytes:
    """A part of values, each a kind and a number."""
    body = struct.pack(">H", len(pairs)) + bytes(kind for kind, _ in pairs)
    body += b"".join(struct.pack(FORMATS[kind], value) for kind, value in pairs)
    return struct.pack(">HH", 6, 4 + len(body)) + body


def signed(packet: bytes, user: bytes, password: bytes) -> bytes:
    told = hmac.digest(password, user + packet, "sha256")
    return struct.pack(">HH", 0x200, 36 + len(user)) + told + user + packet


def encrypted(packet: bytes, user: bytes, password: bytes, iv: bytes) -> bytes:
    cipher = Cipher(AES256(hashlib.sha256(password).digest()), OFB(iv)).encryptor()
    sealed = cipher.update(hashlib.sha1(packet).digest() + packet)
    return struct.pack(">HHH", 0x210, 22 + len(user) + len(sealed), len(user)) + user + iv + sealed
