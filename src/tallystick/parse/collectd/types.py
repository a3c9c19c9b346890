"""``types.db``: which values each of collectd's types has, and of what kind they are.

::

    line   = type 1*blank source *(["," ] 1*blank source)
    source = name ":" ("GAUGE" | "COUNTER" | "DERIVE" | "ABSOLUTE") ":" minimum ":" maximum

Packets say of what kind their values are, but not what the several values of a type are called. The types of collectd
itself that have several are known here (`_WELL_KNOWN`), so that a server without collectd understands its senders; what
its own ``types.db`` says, and files of the config, come on top of that.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from tallystick.kernels.collectd import Types
from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import Names, padded

SYSTEM_TYPES_DB = Path("/usr/share/collectd/types.db")
"""Where the packages of Debian, Fedora and others install it."""

KINDS = ("counter", "gauge", "derive", "absolute")
"""The kinds of values, numbered as packets do."""

Sources = tuple[tuple[str, int], ...]
"""Name and kind of each value of a type."""

_WELL_KNOWN = {
    "arc_counts": "demand_data:c demand_metadata:c prefetch_data:c prefetch_metadata:c",
    "arc_l2_bytes": "read:c write:c",
    "arc_size": "current:g target:g minlimit:g maxlimit:g",
    "compression": "uncompressed:d compressed:d",
    "df": "used:g free:g",
    "disk_io_time": "io_time:d weighted_io_time:d",
    "disk_latency": "read:g write:g",
    "disk_merged": "read:d write:d",
    "disk_octets": "read:d write:d",
    "disk_ops": "read:d write:d",
    "disk_time": "read:d write:d",
    "dns_octets": "queries:d responses:d",
    "domain_state": "state:g reason:g",
    "ib_octets": "rx:d tx:d",
    "ib_packets": "rx:d tx:d",
    "if_dropped": "rx:d tx:d",
    "if_errors": "rx:d tx:d",
    "if_octets": "rx:d tx:d",
    "if_packets": "rx:d tx:d",
    "io_octets": "rx:d tx:d",
    "io_ops": "read:d write:d",
    "io_packets": "rx:d tx:d",
    "load": "shortterm:g midterm:g longterm:g",
    "memcached_octets": "rx:d tx:d",
    "mysql_octets": "rx:d tx:d",
    "mysql_qcache": "hits:c inserts:c not_cached:c lowmem_prunes:c queries_in_cache:g",
    "mysql_threads": "running:g connected:g cached:g created:c",
    "node_octets": "rx:d tx:d",
    "ps_count": "processes:g threads:g",
    "ps_cputime": "user:d syst:d",
    "ps_disk_octets": "read:d write:d",
    "ps_disk_ops": "read:d write:d",
    "ps_pagefaults": "minflt:d majflt:d",
    "serial_octets": "rx:d tx:d",
    "smart_attribute": "current:g worst:g threshold:g pretty:g",
    "vf_bytes": "vf_rx:d vf_tx:d",
    "vf_dropped": "vf_rx:d vf_tx:d",
    "vf_packets": "vf_rx:d vf_tx:d",
    "vmpage_faults": "minflt:d majflt:d",
    "vmpage_io": "in:d out:d",
    "voltage_threshold": "value:g threshold:g",
}
_LETTERS = {kind[0]: number for number, kind in enumerate(KINDS)}


def known_types(files: Iterable[Path] = (), system: Path = SYSTEM_TYPES_DB) -> dict[str, Sources]:
    """The types of collectd, of the system's ``types.db`` if there is one, and of `files`; later ones win.

    Raises
    ------
    ValueError
        If one of `files` cannot be read or used; the text names it.
    """
    types = {type_: _well_known(text) for type_, text in _WELL_KNOWN.items()}
    for path in ([system] if system.is_file() else []) + list(files):
        types |= read_types_db(path)
    return types


def read_types_db(path: Path) -> dict[str, Sources]:
    """The types of a file.

    Raises
    ------
    ValueError
        If it cannot be read or a line of it is not as the format has it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}; expected a types.db of collectd") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text; expected a types.db of collectd") from None
    types = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            types[words[0]] = tuple(_source(word) for word in words[1:])
        except ValueError as error:
            raise ValueError(f"{path} line {number}: {error}; expected name:KIND:minimum:maximum") from None
    return types


def compiled(types: Mapping[str, Sources], escape: bytes) -> Types:
    """Types as the kernel looks them up.

    Parameters
    ----------
    escape
        What becomes of each byte of a value's name.
    """
    table = NameTable()
    table.intern_many([type_.encode() for type_ in types])
    first = np.cumsum([0, *map(len, types.values())], dtype=np.int32)
    sources = Names.of_bytes([name.encode().translate(escape) for of in types.values() for name, _ in of])
    return Types(table.arrays, first, padded(sources.data.tobytes()), sources.offsets)


def _source(word: str) -> tuple[str, int]:
    name, *rest = word.rstrip(",").split(":")
    if len(rest) != 3 or not name or rest[0].lower() not in KINDS:
        raise ValueError(f"{word!r} is no value of a type")
    return name, KINDS.index(rest[0].lower())


def _well_known(text: str) -> Sources:
    pairs = (word.split(":") for word in text.split())
    return tuple((name, _LETTERS[letter]) for name, letter in pairs)
