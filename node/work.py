"""Work: everything an action or a handler may touch inside one transaction.

One rule: acts are only said through `send`, which numbers the event for each reader and lays it into the
outbox in the same transaction as the change it reports. Nothing leaves before the commit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session

from node.db import after_commit, insert_all, table_of, upsert
from node.errors import Unavailable
from node.exchange.model import EventRow, EventState, MetaRow, OutboxRow, OutState, PeerRow
from node.ids import uuid7
from node.library import Library
from protocol.case import Case, Step
from protocol.catalogue import Catalogue
from protocol.certificates import Certificate, KeyRing
from protocol.envelope import CaseRef, Event, read_event, write_event
from protocol.keys import Keys
from protocol.messages import case_of
from protocol.places import Code
from protocol.roster import Roster
from protocol.rules import Rules
from protocol.sealed import binding, seal
from protocol.subjects import Lane

CIVIL = ZoneInfo("Asia/Shanghai")


SKIPPED = "skipped"
"""Meta: how many acts of ours others hold and this database forgot."""
MOST_SKIPPED = 1000
"""A reader that lies about them uses up no more than a tenth of a day's case numbers."""


def civil_date(moment: datetime) -> date:
    """The civil date (Asia/Shanghai) of an aware moment: the day the law counts."""
    return moment.astimezone(CIVIL).date()


@dataclass(slots=True)
class Knowledge:
    """What a node knows and believes at a moment: who it is, whom it trusts, the tree, the catalogue."""

    place: Code
    keys: Keys
    certificate: Certificate
    ring: KeyRing
    roster: Roster
    catalogue: Catalogue | None = None
    rules: Rules = field(default_factory=Rules)
    """Parameters of handling, the same in the whole city."""
    library: Library = field(default_factory=Library)
    """Editions already opened and rosters already built; the nodes of one process may share it."""

    @property
    def edition(self) -> int:
        """Number of the catalogue edition held; 0 before the first."""
        return self.catalogue.edition if self.catalogue else 0


Follow = Callable[["Work", Case | None, Case, Step], object]
"""Runs in the transaction that took the step, with the case before (None: its first) and after it."""


class Work:
    """One transaction's worth of acting: built by `Node`, handed to actions and handlers."""

    def __init__(
        self,
        session: Session,
        know: Knowledge,
        now: datetime,
        wake: Callable[[], object],
        learn: Callable[[dict[str, Any]], object] = lambda _changes: None,
        follow: "Mapping[str, Sequence[Follow]] | None" = None,
    ) -> None:
        self.session = session
        self.know = know
        self._learn = learn
        self.follow = follow or {}
        """What capabilities do once a step of a kind has been taken; called by `cases.steps`."""
        self.now = now
        self.today = civil_date(now)
        self._wake = wake
        self.kept: dict[str, Any] = {}
        """What capabilities remember until the end of this transaction, by their name."""
        self._ep = ""
        self._first_ord = self._ord = 0
        self._seqs: dict[str, int] = {}
        self._events: list[dict[str, Any]] = []
        self._outbox: list[dict[str, Any]] = []
        self._last: dict[Callable[[Work], object], None] = {}

    @property
    def me(self) -> Code:
        """The place this node speaks for."""
        return self.know.place

    def catalogue(self) -> Catalogue:
        """The edition in force; Unavailable if this node has none yet."""
        if self.know.catalogue is None:
            raise Unavailable("本节点还没有收到事项目录，请稍候再试")
        return self.know.catalogue

    def meta(self, key: str) -> str | None:
        """A small fact of this database."""
        meta = table_of(MetaRow).c
        found = self.session.execute(select(meta.value).where(meta.key == key)).scalar()
        return None if found is None else str(found)

    def set_meta(self, key: str, value: str) -> None:
        """Remember a small fact."""
        upsert(self.session, MetaRow, [{"key": key, "value": value}], ["key"], ["value"])

    def serial(self, name: str, period: str = "", above: int = 0) -> int:
        """The next number under `name` in `period` (20260302, 2026 or ""), higher than `above`: given once, never again.

        Also not when this database was set back to an older copy: what was given since is left out.
        """
        key = f"{name}:{period}" if period else name
        last, skipped = max(int(self.meta(key) or 0), above), int(self.meta(SKIPPED) or 0)
        until = self.meta(f"{SKIPPED}:until") or ""
        if skipped and period <= until[: len(period)]:
            last += skipped - int(self.meta(f"{SKIPPED}:{key}") or 0)
            self.set_meta(f"{SKIPPED}:{key}", str(skipped))
        self.set_meta(key, str(last + 1))
        return last + 1

    def skip_serials(self, count: int) -> None:
        """Leave out so many of every serial number of today and before; what readers say costs `MOST_SKIPPED` a day at most."""
        day, total = f"{self.today:%Y%m%d}", int(self.meta(SKIPPED) or 0)
        if self.meta(f"{SKIPPED}:until") != day:
            self.set_meta(f"{SKIPPED}:until", day)
            self.set_meta(f"{SKIPPED}:before", str(total))
        most = int(self.meta(f"{SKIPPED}:before") or 0) + MOST_SKIPPED
        self.set_meta(SKIPPED, str(min(total + count, most)))

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Run `callback` once this work is committed."""
        after_commit(self.session, callback)

    def at_the_end(self, action: "Callable[[Work], object]") -> None:
        """Run `action` in this same work when all else in it is done and stored; once, however often it was asked."""
        self._last[action] = None

    def learn(self, **changes: Any) -> None:
        """Know something new from here on in this work, and in the whole node once it is committed."""
        self.know = replace(self.know, **changes)
        self.after_commit(lambda: self._learn(changes))

    def wake_outbox(self) -> None:
        """Have the outbox look once this work is committed."""
        self.after_commit(self._wake)

    def send(
        self,
        kind: str,
        body: Mapping[str, Any],
        to: Mapping[str, Lane],
        *,
        case: CaseRef | None = None,
        private: Mapping[str, Any] | None = None,
        parties: Iterable[str] = (),
    ) -> Event:
        """Say an act: a new event, numbered for each reader, in the outbox once this work commits.

        `private` is sealed to `parties` (and always to this node itself). `to` names each reader with its
        lane; this node is never its own reader. The skeleton says how many files the sealed part names.
        """
        if private is not None and private.get("files"):
            body = {**body, "files": len(private["files"])}
        self._begin()
        self._ord += 1
        id = uuid7(self.now)  # noqa: A001 - the wire's name
        readers = self._number(place for place in to if place != self.me)
        raw = write_event(
            id=id,
            kind=kind,
            frm=self.me,
            ep=self._ep,
            to=readers,
            iat=self.now,
            cat=self.know.edition,
            cls="internal" if private is None else "personal",
            body=dict(body),
            case=case,
            enc=self._seal(id, kind, case.no if case else "", private, parties),
        )
        event = read_event(raw)
        self._keep(event, [(place, seq, to[place]) for place, seq in readers])
        return event

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of this work that leaves nothing behind if it raises: no row, and nothing said or learnt."""
        seqs, order, epoch, know = dict(self._seqs), self._ord, self._ep, self.know
        events, outbox, last = len(self._events), len(self._outbox), dict(self._last)
        later = dict(self.session.info.get("after_commit", {}))
        try:
            with self.session.begin_nested():
                yield
        except BaseException:
            self._seqs, self._ord, self._ep, self.know = seqs, order, epoch, know
            del self._events[events:], self._outbox[outbox:]
            self._last = last
            self.session.info["after_commit"] = later
            raise

    def flush(self) -> None:
        """Write what was said; called once, after the action."""
        while self._last:
            last, self._last = list(self._last), {}
            for action in last:
                action(self)
        if not self._events:
            return
        insert_all(self.session, EventRow, self._events)
        insert_all(self.session, OutboxRow, self._outbox)
        upsert(
            self.session,
            PeerRow,
            [new_peer(place, seq) for place, seq in self._seqs.items()],
            ["place"],
            ["last_seq"],
        )
        self.set_meta("ord", str(self._ord))
        self._events, self._outbox = [], []
        self.wake_outbox()

    def renew_epoch(self) -> None:
        """Begin a new epoch: this database was set back, and its old numbers are spent."""
        self.flush()
        self.set_meta("epoch", uuid7(self.now).hex)
        peers = self.session.execute(select(table_of(PeerRow).c.place)).scalars()
        rows = [new_peer(place, 0) for place in peers]
        upsert(self.session, PeerRow, rows, ["place"], ["last_seq"])
        self._ep, self._seqs = "", {}

    def _begin(self) -> None:
        if self._ep:
            return
        meta = table_of(MetaRow).c
        known = self.session.execute(select(meta.key, meta.value).where(meta.key.in_(("epoch", "ord"))))
        found = {row.key: row.value for row in known}
        self._ep = found.get("epoch") or uuid7(self.now).hex
        if "epoch" not in found:
            self.set_meta("epoch", self._ep)
        self._ord = int(found.get("ord", 0))

    def _number(self, places: Iterable[str]) -> list[tuple[str, int]]:
        """Each reader with the next number of its channel."""
        readers = list(places)
        peer = table_of(PeerRow).c
        if new := [place for place in readers if place not in self._seqs]:
            rows = self.session.execute(select(peer.place, peer.last_seq).where(peer.place.in_(new)))
            self._seqs |= dict.fromkeys(new, 0) | {row.place: row.last_seq for row in rows}
        for place in readers:
            self._seqs[place] += 1
        return [(place, self._seqs[place]) for place in readers]

    def _seal(
        self,
        name: UUID,
        kind: str,
        case_no: str,
        private: Mapping[str, Any] | None,
        parties: Iterable[str],
    ) -> dict[str, Any] | None:
        if private is None:
            return None
        readers = [self.know.certificate]
        for place in dict.fromkeys(parties):
            if place == self.me:
                continue
            certificate = self.know.ring.current(place)
            if certificate is None:
                raise Unavailable(f"没有 {place} 的证书，不能把个人信息封给它")
            readers.append(certificate)
        return seal(dict(private), readers, binding(str(name), self.me, kind, case_no))

    def _keep(self, event: Event, readers: list[tuple[str, int, Lane]]) -> None:
        number = event.case.n if event.case else None
        case_no = case_of(event)
        self._events.append(
            {
                "frm": self.me,
                "ep": self._ep,
                "ord": self._ord,
                "hash": event.hash,
                "kind": event.kind,
                "case_no": case_no,
                "n": number,
                "cat": event.cat,
                "statement": "",
                "state": EventState.MINE,
                "rule": "",
                "reason": "",
                "raw": event.raw,
                "at": self.now,
            },
        )
        self._outbox += [
            {
                "place": place,
                "ep": self._ep,
                "seq": seq,
                "ord": self._ord,
                "lane": str(lane),
                "kind": event.kind,
                "case_no": case_no,
                "state": OutState.STORED,
                "tries": 0,
                "next_try": self.now,
                "stored_at": self.now,
                "rule": "",
                "reason": "",
            }
            for place, seq, lane in readers
        ]


def new_peer(place: str, last_seq: int) -> dict[str, Any]:
    """A whole row of `peers` for somebody not heard of yet."""
    return {
        "place": place,
        "last_seq": last_seq,
        "receipt_iat": "",
        "edition": 0,
        "knows_us": False,
        "refusal": "",
    }


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)
