"""How many of the files that our acts gave away have come to whoever was given them (材料已到几份).

1. An act that names files is listed with each party it was sealed to, file by file.
2. A party that has the whole of a file, its hash right, says so to all who gave it: once, at once, by a piece
   without bytes. That word may be lost.
3. So a party that has not said it is asked now and then, as long as anything is heard of it, by an ask that begins where the
   file ends; it answers with the same word, or that the file is not there.

One rule: 已到 is the signed word of whoever received it, never that we sent the last byte.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, func, select, tuple_, update
from sqlmodel import Session

from node.db import table_of
from node.exchange.model import OutboxRow, PeerRow
from node.materials import index
from node.materials.model import BlobRow, BlobState, CaseFileRow, SentFileRow
from node.work import Knowledge, Work
from protocol.blobs import MAX_PIECE, Ask, Piece, write_ask, write_piece
from protocol.places import Code

if TYPE_CHECKING:
    from node.node import Node

ASK_AFTER = timedelta(minutes=15)
ASK_FOR = timedelta(days=30)
"""Nobody is asked longer after the act was listed or he was last heard than this."""
AT_ONCE = 32
MOST_WORDS = 2000
PAGE = 30

_sent, _blobs, _files = table_of(SentFileRow), table_of(BlobRow), table_of(CaseFileRow)
_out, _peers = table_of(OutboxRow), table_of(PeerRow)

Key = tuple[str, str, int]
"""Of an act at one reader: place, epoch, number."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many files of `total` have come."""

    arrived: int
    total: int

    @property
    def words(self) -> str:
        """材料已到 2 / 5 份."""
        return f"材料已到 {self.arrived} / {self.total} 份"


@dataclass(frozen=True, slots=True)
class Word:
    """What one giver is to hear: all `size` bytes of a file are here."""

    place: str
    sha256: str
    size: int


# what is known


def of_acts(session: Session, keys: Iterable[tuple[str, int]]) -> dict[Key, Progress]:
    """By reader and act, for these acts (epoch, number) of ours: those that gave a reader files."""
    found: dict[Key, Progress] = {}
    wanted = list(dict.fromkeys(keys))
    for at in range(0, len(wanted), 200):
        acts = tuple_(_sent.c.ep, _sent.c.ord).in_(wanted[at : at + 200])
        rows = session.execute(_counted(_sent.c.place, _sent.c.ep, _sent.c.ord).where(acts))
        found |= {(row.place, row.ep, row.ord): Progress(row.here, row.total) for row in rows}
    return found


def _counted(*by: Any) -> Any:
    return select(*by, func.count(_sent.c.reached_at).label("here"), func.count().label("total")).group_by(
        *by
    )


def of_case(session: Session, no: str) -> dict[str, Progress]:
    """By party, how many different files of a case that we gave it have come."""
    names = (
        select(_sent.c.place, _sent.c.sha256, func.max(_sent.c.reached_at).label("at"))
        .where(_sent.c.no == no)
        .group_by(_sent.c.place, _sent.c.sha256)
        .subquery()
    )
    rows = session.execute(
        select(names.c.place, func.count(names.c.at), func.count()).group_by(names.c.place)
    )
    return {row[0]: Progress(row[1], row[2]) for row in rows}


def on_the_way(session: Session) -> int:
    """How many acts, counted once for each reader that has applied them, have files that have not come."""
    rows = (
        select(_sent.c.place, _sent.c.ep, _sent.c.ord)
        .join_from(
            _sent,
            _out,
            (_out.c.case_no == _sent.c.no)
            & (_out.c.place == _sent.c.place)
            & (_out.c.ep == _sent.c.ep)
            & (_out.c.ord == _sent.c.ord),
        )
        .where(_sent.c.reached_at.is_(None), _out.c.done_at.is_not(None))
        .distinct()
    )
    return session.execute(select(func.count()).select_from(rows.subquery())).scalar() or 0


def lacking(session: Session) -> Sequence[Row[Any]]:
    """(no, place, ep, ord, here, total) of acts with files that have not come, the oldest first."""
    key = (_sent.c.no, _sent.c.place, _sent.c.ep, _sent.c.ord)
    counted = _counted(*key).having(func.count(_sent.c.reached_at) < func.count())
    return list(session.execute(counted.order_by(_sent.c.ord).limit(PAGE)).all())


# what is heard


def reached(work: Work, piece: Piece) -> None:
    """Its sender says that it has the whole of a file; what is said of another length is no such word."""
    here = select(_blobs.c.sha256).where(_blobs.c.sha256 == piece.blob, _blobs.c.size == piece.at)
    work.session.execute(
        update(_sent)
        .where(
            _sent.c.place == piece.frm,
            _sent.c.sha256 == piece.blob,
            _sent.c.reached_at.is_(None),
            _sent.c.sha256.in_(here),
        )
        .values(reached_at=work.now)
    )


# what is said


def givers(session: Session, me: str, name: str) -> list[Word]:
    """Who is to hear that a file is here: everybody who spoke for a case that has it."""
    rows = session.execute(
        select(_files.c.no, _blobs.c.size)
        .join_from(_files, _blobs, _blobs.c.sha256 == _files.c.sha256)
        .where(_files.c.sha256 == name)
        .distinct()
    ).all()
    found = [Word(place, name, row.size) for row in rows for place in index.sources(session, me, row.no)]
    return list(dict.fromkeys(found))


def givers_of_cases(session: Session, me: str, numbers: Sequence[str]) -> list[Word]:
    """The same for every file of these cases that was here already when they were listed."""
    rows = session.execute(
        select(_files.c.no, _blobs.c.sha256, _blobs.c.size)
        .join_from(_files, _blobs, _blobs.c.sha256 == _files.c.sha256)
        .where(_files.c.no.in_(numbers), _blobs.c.state == BlobState.HERE)
        .distinct()
    ).all()
    places = {no: index.sources(session, me, no) for no in {row.no for row in rows}}
    return list(dict.fromkeys(Word(place, row.sha256, row.size) for row in rows for place in places[row.no]))


def silent(session: Session, now: datetime) -> Sequence[Row[Any]]:
    """(place, sha256, no, size) of files whose party is heard of and has not said that it has them."""
    return session.execute(
        select(_sent.c.place, _sent.c.sha256, _sent.c.no, _blobs.c.size)
        .distinct()
        .join_from(_sent, _blobs, _blobs.c.sha256 == _sent.c.sha256)
        .join(_peers, _peers.c.place == _sent.c.place)
        .where(
            _sent.c.reached_at.is_(None),
            _sent.c.asked_at < now - ASK_AFTER,
            _peers.c.heard_at > _sent.c.asked_at,
            _peers.c.heard_at > now - ASK_FOR,
        )
        .limit(AT_ONCE)
    ).all()


def lately(session: Session, me: str, place: str, now: datetime) -> list[Word]:
    """What `place` gave us and came in the last weeks, for a file that is carried to it by hand."""
    rows = session.execute(
        select(_files.c.no, _blobs.c.sha256, _blobs.c.size)
        .join_from(_blobs, _files, _files.c.sha256 == _blobs.c.sha256)
        .where(_blobs.c.state == BlobState.HERE, _blobs.c.at > now - ASK_FOR)
        .order_by(_blobs.c.at.desc())
        .limit(MOST_WORDS)
    ).all()
    gave = {no for no in {row.no for row in rows} if place in index.sources(session, me, no)}
    return list(dict.fromkeys(Word(place, row.sha256, row.size) for row in rows if row.no in gave))


def _asked(work: Work, rows: Sequence[Row[Any]]) -> None:
    asked = tuple_(_sent.c.place, _sent.c.sha256).in_([(row.place, row.sha256) for row in rows])
    work.session.execute(update(_sent).where(asked).values(asked_at=work.now))


def write_word(word: Word, know: Knowledge) -> bytes:
    """The word as it travels."""
    piece = Piece(know.place, Code(word.place), word.sha256, word.size, b"")
    return write_piece(piece, know.keys, know.certificate)


class Words:
    """What this node says of files that came, and asks of those it gave away; lost with the process, then asked for."""

    def __init__(self, node: "Node", send: Callable[[str, bytes], Awaitable[bool]]) -> None:
        self._node = node
        self._send = send
        self._due: deque[Word] = deque(maxlen=MOST_WORDS)
        self._looked_at: datetime | None = None

    def tell(self, words: Iterable[Word]) -> None:
        """Say these with the next step."""
        self._due.extend(words)

    async def step(self) -> int:
        """Say what is due, ask who is silent; how much was sent."""
        sent = 0
        while self._due and sent < AT_ONCE:
            if not await self._say(self._due[0]):
                return sent
            self._due.popleft()
            sent += 1
        return sent + await self._ask()

    async def _say(self, word: Word) -> bool:
        return await self._send(word.place, write_word(word, self._node.know))

    async def _ask(self) -> int:
        """Now and then ask those who have not said it."""
        node, now = self._node, self._node.clock()
        if self._looked_at is not None and now - self._looked_at < ASK_AFTER / 3:
            return 0
        self._looked_at = now
        know, asked = node.know, []
        for row in node.read(silent, now):
            ends = ((row.size, row.size + 1),)
            ask = Ask(know.place, Code(row.place), row.no, row.sha256, ends, MAX_PIECE)
            data = write_ask(ask, know.keys, know.certificate, now, know.ring.chain(know.place))
            if not await self._send(row.place, data):
                break  # who was not asked is asked as soon as the line is back
            asked.append(row)
        if asked:
            await node.do(_asked, asked)
        return len(asked)
