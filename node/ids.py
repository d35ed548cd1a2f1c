"""Time-ordered identifiers."""

import os
from datetime import datetime
from uuid import UUID


def uuid7(now: datetime) -> UUID:
    """A UUIDv7 (RFC 9562) of this moment; random beyond the millisecond."""
    stamp = int(now.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    noise = int.from_bytes(os.urandom(10), "big")
    value = stamp << 80 | 0x7 << 76 | (noise >> 68 & 0xFFF) << 64 | 0b10 << 62 | noise & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=value)
