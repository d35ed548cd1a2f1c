"""摆渡: parcels in one file, carried by hand between two nodes whose line is down.

One rule: a file is nothing but parcels one after the other; it is trusted as little as the line.
"""

from collections.abc import Iterable

from protocol.dsse import CERTIFICATE, STATEMENT

MAX_CARRIED = 16 * 1024 * 1024
"""Bytes of a file taken in at once."""

_CERTIFICATE, _STATEMENT = (f'"payloadType":"{kind}"'.encode() for kind in (CERTIFICATE, STATEMENT))


def parcels(lines: Iterable[bytes]) -> list[bytes]:
    """The parcels of a file: each begins with its certificates, if it has any, and its statement."""
    found: list[list[bytes]] = []
    after_certificate = False
    for line in lines:
        certificate = _CERTIFICATE in line
        head = certificate or _STATEMENT in line
        if not found or (head and not after_certificate):
            found.append([])
        found[-1].append(line)
        after_certificate = certificate
    return [b"".join(line + b"\n" for line in one) for one in found]
