"""Materials carried by hand (摆渡): what a place lacks, said in a file, and the pieces that the next file brings it.

1. A file to a place brings the materials of steps it has not confirmed, and those it said it lacks, from the byte on
   that it said. A file holds so many bytes; what is left goes into further files of the same export.
2. A file from a place says, by the same signed asks as on the line, what it still lacks of whom it goes to, and by
   pieces without bytes what it has. So a stick that was lost, filled up or read in half costs a trip and nothing else.

One rule: a piece in a file is a piece of the line, its bytes in base64 on the line below; the lane takes both.
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlmodel import Session

from node.cases.dossier import open_private
from node.db import table_of, upsert
from node.exchange.model import EventRow, OutboxRow
from node.materials import index, reached
from node.materials.model import BlobRow, BlobState, WantedRow
from node.work import Knowledge, Work
from protocol.blobs import MAX_PIECE, Ask, Piece, read_ask, write_ask, write_piece
from protocol.envelope import read_event
from protocol.errors import EnvelopeError
from protocol.places import Code
from protocol.sealed import is_party

if TYPE_CHECKING:
    from node.materials.collect import Materials

_MOST_STEPS = 5000
_MOST_ASKS = 500


@dataclass(frozen=True, slots=True)
class Load:
    """Bytes of one blob that a place is to have."""

    sha256: str
    first: int
    end: int


def loads(session: Session, know: Knowledge, place: str) -> list[Load]:
    """What `place` may have and, as far as we know, lacks: first what it asked for, then what is new to it."""
    wanted, blob = table_of(WantedRow).c, table_of(BlobRow).c
    asked = session.execute(
        select(wanted.sha256, wanted.no, wanted.at)
        .where(wanted.place == place)
        .order_by(wanted.said_at, wanted.sha256)
    ).all()
    first = {row.sha256: row.at for row in asked if index.may_have(session, row.no, row.sha256, place)}
    for name in _unconfirmed(session, know, place):
        first.setdefault(name, 0)
    here = session.execute(
        select(blob.sha256, blob.size).where(blob.sha256.in_(list(first)), blob.state == BlobState.HERE)
    )
    sizes = {row.sha256: row.size for row in here}
    return [Load(name, at, sizes[name]) for name, at in first.items() if at < sizes.get(name, 0)]


def _unconfirmed(session: Session, know: Knowledge, place: str) -> Iterator[str]:
    """The files that our acts name which `place` has not confirmed and may open."""
    out, event = table_of(OutboxRow).c, table_of(EventRow).c
    rows = session.execute(
        select(event.raw)
        .join_from(table_of(OutboxRow), table_of(EventRow), (event.ep == out.ep) & (event.ord == out.ord))
        .where(event.frm == know.place, out.place == place, out.done_at.is_(None))
        .order_by(out.ord)
        .limit(_MOST_STEPS)
    ).scalars()
    for raw in rows:
        said = read_event(raw)
        if said.body.get("files") and said.enc is not None and is_party(said.enc, place):
            yield from (one.sha256 for one in index.entries(open_private(said, know)))


def share(found: Sequence[Load], room: int, part: int, beside: int = 0) -> tuple[list[Load], int]:
    """What goes into file `part` (from 1) of those that hold `room` bytes, and how many files there are.

    The first file holds `beside` bytes of mail, too.
    """
    files: list[list[Load]] = [[]]
    left = max(0, room - beside)
    for load in found:
        at = load.first
        while at < load.end:
            if left < min(MAX_PIECE, load.end - at):
                files.append([])
                left = room
            end = min(load.end, at + left)
            files[-1].append(Load(load.sha256, at, end))
            left, at = left - (end - at), end
    return files[part - 1] if 1 <= part <= len(files) else [], len(files)


def pieces(part: "Materials", place: str, found: Sequence[Load]) -> Iterator[bytes]:
    """The lines of these loads; a blob deleted meanwhile is left out."""
    know = part.node.know
    for load in found:
        for at in range(load.first, load.end, MAX_PIECE):
            try:
                data = part.store.read(load.sha256, at, min(MAX_PIECE, load.end - at))
            except FileNotFoundError:
                break
            piece = Piece(know.place, Code(place), load.sha256, at, data)
            line, _, raw = write_piece(piece, know.keys, know.certificate).partition(b"\n")
            yield line + b"\n" + b64encode(raw) + b"\n"


def words(part: "Materials", place: str) -> list[bytes]:
    """What `place` gave us and is here, as signed lines: pieces without bytes."""
    node = part.node
    found = node.read(reached.lately, node.place, place, node.clock())
    return [reached.write_word(one, node.know) + b"\n" for one in found]


def asks(part: "Materials", place: str) -> list[bytes]:
    """What we lack and `place` may have, as signed asks; certificates before the first."""
    node = part.node
    found: list[bytes] = []
    for row in node.read(index.coming, _MOST_ASKS):
        if place not in node.read(index.sources, node.place, row.no):
            continue
        come = min(part.store.come(row.sha256), row.size - 1)
        ask = Ask(node.know.place, Code(place), row.no, row.sha256, ((come, row.size),), MAX_PIECE)
        chain = () if found else node.know.ring.chain(node.place)
        found.append(write_ask(ask, node.know.keys, node.know.certificate, node.clock(), chain))
    return found


def wanted(work: Work, place: str, found: Sequence[Ask]) -> None:
    """Remember what `place` says it lacks, instead of what it said before."""
    table = table_of(WantedRow)
    work.session.execute(delete(table).where(table.c.place == place))
    rows = [
        {"place": place, "sha256": one.blob, "no": one.no, "at": one.ranges[0][0], "said_at": work.now}
        for one in found
    ]
    upsert(work.session, WantedRow, rows, ["place", "sha256"], ["no", "at", "said_at"])


def ask_of(part: "Materials", raw: bytes, source: str) -> Ask:
    """The ask in these lines; EnvelopeError if it is not genuine or not for us."""
    know = part.node.know
    return read_ask(raw, know.ring, know.place, source)


def piece_of(lines: Sequence[bytes]) -> bytes:
    """A piece as the line would have brought it; EnvelopeError for what is no piece."""
    if len(lines) != 2:
        raise EnvelopeError("B-1", "摆渡文件里的材料块不完整")
    try:
        return lines[0] + b"\n" + b64decode(lines[1], validate=True)
    except (Error, ValueError):
        raise EnvelopeError("B-1", "摆渡文件里的材料块不是 base64") from None
