"""Signatures and encryption of collectd's packets.

::

    signed    = 0x0200 length hash[32] user packet    HMAC-SHA-256 of user and packet, keyed by the password
    encrypted = 0x0210 length user_length[2] user iv[16] OFB(hash[20] packet)    SHA-1 of the packet

where AES-256 has the SHA-256 of the password as its key. A sender seals a whole packet, and only once: a part of these
types anywhere else is rejected, so no depth has to be bounded. There is nothing against replays in the protocol.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.packed import padded
from tallystick.model.reason import Reason
from tallystick.parse.collectd.users import Users

_SIGNED, _ENCRYPTED = 0x0200, 0x0210
_HEAD = struct.Struct(">HH")
_USER_LENGTH = struct.Struct(">H")
_HMAC_BYTES = 32
_SIGNED_HEAD_BYTES = _HEAD.size + _HMAC_BYTES
_IV_BYTES, _SHA1_BYTES = 16, 20
_ENCRYPTED_HEAD_BYTES = _HEAD.size + _USER_LENGTH.size


class Level(IntEnum):
    """What a listener demands of packets; each includes what the ones above it offer."""

    NONE = 0
    SIGN = 1
    ENCRYPT = 2

    @classmethod
    def parse(cls, word: str) -> "Level":
        """The level of a word of the config."""
        return cls[word.upper()]


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets that can be read.

    Parameters
    ----------
    buffer : uint8[n]
        What they lie in: what was received, or what was decrypted of it.
    offsets : int64[s]
    lengths : int32[s]
        Each without what seals it.
    faults : uint8[s]
        `Reason.NONE`, or why one is not to be read; of such a one only the user lies there, if there is one.
    """

    buffer: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int32]
    faults: NDArray[np.uint8]

    def with_clear(self, clear: dict[int, bytes]) -> "Packets":
        """The same packets in a buffer of their own, with the clear text of those that have one."""
        bounds = zip(self.offsets.tolist(), self.lengths.tolist(), strict=True)
        pieces = [
            clear[k] if k in clear else self.buffer[start : start + length].tobytes()
            for k, (start, length) in enumerate(bounds)
        ]
        lengths = np.array([len(piece) for piece in pieces], np.int32)
        offsets = np.cumsum(lengths, dtype=np.int64) - lengths
        return Packets(padded(b"".join(pieces)), offsets, lengths, self.faults)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A packet's bounds in what was received; or its clear text, or its fault."""

    start: int
    stop: int
    clear: bytes | None = None
    fault: Reason = Reason.NONE


class Seals:
    """Opens what is signed or encrypted.

    Parameters
    ----------
    users
        Who may send; without them signatures are not looked at, as in collectd, and nothing can be decrypted.
    """

    def __init__(self, level: Level = Level.NONE, users: Users | None = None) -> None:
        self._level = level
        self._users = users

    def opened(self, buffer: NDArray[np.uint8], offsets: NDArray[np.int64], lengths: NDArray[np.int32]) -> Packets:
        """The packets within datagrams, one for each. The buffer is left as it is."""
        faults = np.zeros(len(offsets), np.uint8)
        sealed = (lengths >= _HEAD.size) & (buffer[offsets] == _SIGNED >> 8)
        if self._level is Level.NONE and not sealed.any():
            return Packets(buffer, offsets, lengths, faults)
        if self._users is not None:
            self._users.refresh()
        offsets, lengths = offsets.copy(), lengths.copy()
        faults[~sealed & (lengths > 0)] = Reason.NONE if self._level is Level.NONE else Reason.SIGNATURE
        clear: dict[int, bytes] = {}
        for k in np.flatnonzero(sealed).tolist():
            start = int(offsets[k])
            one = self._open(buffer[start : start + int(lengths[k])].tobytes())
            faults[k] = one.fault
            offsets[k], lengths[k] = start + one.start, one.stop - one.start
            if one.clear is not None:
                clear[k] = one.clear
        opened = Packets(buffer, offsets, lengths, faults)
        return opened.with_clear(clear) if clear else opened

    def _open(self, packet: bytes) -> _Opened:
        part, length = _HEAD.unpack_from(packet)
        if part == _SIGNED and _SIGNED_HEAD_BYTES < length <= len(packet):
            return self._verified(packet, length)
        if part == _ENCRYPTED and length == len(packet):
            return self._decrypted(packet)
        return _Opened(0, len(packet), fault=Reason.FRAME)

    def _verified(self, packet: bytes, length: int) -> _Opened:
        user = packet[_SIGNED_HEAD_BYTES:length]
        if self._users is not None:
            password = self._users.password(user)
            told = packet[_HEAD.size : _SIGNED_HEAD_BYTES]
            signed = memoryview(packet)[_SIGNED_HEAD_BYTES:]
            if password is None or not hmac.compare_digest(told, hmac.digest(password, signed, "sha256")):
                return _Opened(_SIGNED_HEAD_BYTES, length, fault=Reason.SIGNATURE)
        if self._level is Level.ENCRYPT:
            return _Opened(_SIGNED_HEAD_BYTES, length, fault=Reason.SIGNATURE)
        return _Opened(length, len(packet))

    def _decrypted(self, packet: bytes) -> _Opened:
        (user_bytes,) = _USER_LENGTH.unpack_from(packet, _HEAD.size) if len(packet) > _ENCRYPTED_HEAD_BYTES else (0,)
        iv = _ENCRYPTED_HEAD_BYTES + user_bytes
        sealed = iv + _IV_BYTES
        if user_bytes == 0 or len(packet) <= sealed + _SHA1_BYTES:
            return _Opened(0, len(packet), fault=Reason.FRAME)
        password = self._users.password(packet[_ENCRYPTED_HEAD_BYTES:iv]) if self._users is not None else None
        if password is not None:
            clear = decrypt(password, packet[iv:sealed], packet[sealed:])
            if hmac.compare_digest(clear[:_SHA1_BYTES], hashlib.sha1(clear[_SHA1_BYTES:]).digest()):
                return _Opened(0, 0, clear=clear[_SHA1_BYTES:])
        return _Opened(_ENCRYPTED_HEAD_BYTES, iv, fault=Reason.SIGNATURE)


def decrypt(password: bytes, iv: bytes, sealed: bytes) -> bytes:
    """Decrypt, or encrypt, by AES-256 in output feedback mode.

    Notes
    -----
    Its key stream is what cipher block chaining makes of zeros; `cryptography` keeps that mode and gives up OFB.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES256
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    encryptor = Cipher(AES256(hashlib.sha256(password).digest()), CBC(iv)).encryptor()
    stream = encryptor.update(bytes(len(sealed) + -len(sealed) % len(iv)))
    return (np.frombuffer(sealed, np.uint8) ^ np.frombuffer(stream, np.uint8)[: len(sealed)]).tobytes()
