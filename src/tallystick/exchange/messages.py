"""What the messages of an Arrow stream say of themselves, before any of them is unpacked.

A stream of a stranger can be small and ask for any amount of memory: compressed buffers can hold any size, and columns
that need no bytes can have any number of rows. Both stand in the metadata of a message, a table of flatbuffers.

Notes
-----
Tables of flatbuffers: https://flatbuffers.dev/internals/; `Message`, `DictionaryBatch` and `RecordBatch` in Arrow's
``Message.fbs``.
"""

import struct
from dataclasses import dataclass

_RECORD_BATCH = 3
_DICTIONARY_BATCH = 2
# Places of fields in their tables.
_HEADER_TYPE, _HEADER = 1, 2
_DICTIONARY_DATA = 1
_LENGTH, _COMPRESSION = 0, 3


@dataclass(frozen=True, slots=True)
class Announced:
    """What a message announces.

    Parameters
    ----------
    rows
        Of a record batch, or entries of a dictionary; 0 of other messages.
    is_dictionary
        Whether the rows are entries of a dictionary.
    is_compressed
        Whether its buffers are.
    """

    rows: int
    is_dictionary: bool
    is_compressed: bool


def announced(metadata: bytes) -> Announced:
    """Read the metadata of a message.

    Raises
    ------
    ValueError
        If it ends before its fields do.
    """
    try:
        message = _Table(metadata, struct.unpack_from("<I", metadata)[0])
        of_type = message.number(_HEADER_TYPE, "<B")
        if of_type not in (_RECORD_BATCH, _DICTIONARY_BATCH):
            return Announced(0, is_dictionary=False, is_compressed=False)
        batch = message.table(_HEADER)
        if of_type == _DICTIONARY_BATCH:
            batch = batch.table(_DICTIONARY_DATA)
        rows, is_compressed = batch.number(_LENGTH, "<q"), batch.place(_COMPRESSION) != 0
        return Announced(rows, of_type == _DICTIONARY_BATCH, is_compressed)
    except struct.error as error:
        raise ValueError("a message cannot be read") from error


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of a flatbuffer: the buffer, and where in it the table begins."""

    buffer: bytes
    begin: int

    def place(self, field: int) -> int:
        """Where a field is; 0 if it was left out."""
        entries = self.begin - struct.unpack_from("<i", self.buffer, self.begin)[0]
        entry = 4 + 2 * field
        if entry >= struct.unpack_from("<H", self.buffer, entries)[0]:
            return 0
        offset: int = struct.unpack_from("<H", self.buffer, entries + entry)[0]
        return self.begin + offset if offset else 0

    def number(self, field: int, form: str) -> int:
        at = self.place(field)
        found: int = struct.unpack_from(form, self.buffer, at)[0] if at else 0
        return found

    def table(self, field: int) -> "_Table":
        at = self.place(field)
        if not at:
            raise struct.error("a table is missing")
        return _Table(self.buffer, at + struct.unpack_from("<I", self.buffer, at)[0])
