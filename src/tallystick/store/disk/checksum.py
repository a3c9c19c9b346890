"""The checksum of everything that the store writes."""

import xxhash

from tallystick.files import Buffer, bytes_of


def checksum(*parts: Buffer) -> int:
    """XXH3-64 of the parts, one after the other."""
    digest = xxhash.xxh3_64()
    for part in parts:
        digest.update(bytes_of(part))
    return digest.intdigest()
