"""摆渡: the messages of a file that was carried by hand.

One rule: a file is nothing but what the line would have brought, one after the other; it is trusted as little.
"""

from collections.abc import Iterator

from protocol import blobs, dsse

CERTIFICATE, STATEMENT, RECEIPT, ASK, PIECE = (
    b'"payloadType":"' + kind.encode() + b'"'
    for kind in (dsse.CERTIFICATE, dsse.STATEMENT, dsse.RECEIPT, blobs.ASK, blobs.PIECE)
)
_HEADS = (STATEMENT, RECEIPT, ASK, PIECE)


def messages(raw: bytes) -> Iterator[list[bytes]]:
    """Each message as its lines: certificates, the signed head, and what belongs to it."""
    found: list[bytes] = []
    headed = False
    for line in raw.splitlines():
        certificate = CERTIFICATE in line
        if headed and (certificate or any(head in line for head in _HEADS)):
            yield found
            found, headed = [], False
        found.append(line)
        headed = headed or not certificate
    if headed:
        yield found


def whole(lines: list[bytes]) -> bytes:
    """The bytes of a message."""
    return b"".join(line + b"\n" for line in lines)
