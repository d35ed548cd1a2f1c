"""收件箱: what comes in is verified, freed of repeats and applied in one transaction, then acknowledged.

1. `arrivals.examine` opens parcels and receipts: pure work, no database.
2. `Inbox.take_in` drops what is here already (`channels`), lets the handlers apply the rest in batches, stores every
   event with its state and the channels with their gaps, all in one transaction.
3. Only after that commit are the deliveries acknowledged. A crash before it brings them again.
An event that cannot be applied is a *fact*: a row with its rule and reason, told to the sender in the next
receipt. It blocks its own case and nothing else.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from node.config import Pace
from node.db import insert_all, insert_ignore
from node.exchange import outbox
from node.exchange.arrivals import Arrival, Batch, Entry
from node.exchange.aside import Unbelievable, set_aside
from node.exchange.channels import Channels
from node.exchange.model import CertificateRow, EventRow, EventState, StatementRow
from node.work import Work
from node.writer import passing
from protocol.messages import case_of

log = logging.getLogger(__name__)

Handler = Callable[[Work, Sequence[Arrival]], None]
"""Applies verified events of its kinds, in the order they came; never raises for a bad one."""


class Inbox:
    """Applies batches with the handlers of a node's capabilities."""

    def __init__(self, handlers: Mapping[str, Handler], pace: Pace) -> None:
        self._handlers = handlers
        self._pace = pace

    def take_in(self, work: Work, batch: Batch) -> None:
        """Apply a batch inside one transaction; see the module's steps."""
        for admitted in batch.admitted:
            row = {"fingerprint": admitted.fingerprint, "place": admitted.place, "line": admitted.line}
            insert_ignore(work.session, CertificateRow, [row])
        for receipt in batch.receipts:
            outbox.hear(work, receipt, self._pace)
        if batch.unbelievable:
            set_aside(work, batch.unbelievable)
        if strays := [one for one in batch.arrivals if not one.seq]:
            set_aside(work, [_stray(one) for one in strays])
        entries: list[Entry] = [*(one for one in batch.arrivals if one.seq), *batch.barred]
        if entries:
            self._keep(work, entries)

    def apply(self, work: Work, arrivals: list[Arrival]) -> None:
        """Have the handlers of their kinds say what becomes of these events."""
        for handler, group in self._grouped(arrivals):
            self._handle(work, handler, group)

    def _keep(self, work: Work, entries: list[Entry]) -> None:
        channels = Channels(work, entries)
        fresh = channels.without_repeats()
        self.apply(work, [one for one in fresh if isinstance(one, Arrival)])
        statements = {one.statement.hash: one.statement.line for one in fresh}
        insert_ignore(
            work.session, StatementRow, [{"hash": name, "line": line} for name, line in statements.items()]
        )
        insert_all(work.session, EventRow, [_row(one, work.now) for one in fresh])
        channels.store(fresh)

    def _grouped(self, arrivals: list[Arrival]) -> Iterable[tuple[Handler, list[Arrival]]]:
        """By handler; what steps of cases rest on (authorisations) before the steps that came with it."""
        groups: dict[Handler, list[Arrival]] = {}
        for one in sorted(arrivals, key=lambda one: one.event.case is not None):
            handler = self._handlers.get(one.event.kind)
            if handler is None:
                one.quarantine("P-14", f"本节点不办理 {one.event.kind}")
            else:
                groups.setdefault(handler, []).append(one)
        return groups.items()

    def _handle(self, work: Work, handler: Handler, group: list[Arrival]) -> None:
        """All at once; if a defect of ours shows up, one by one, so that only the culprit stands aside.

        What will pass by itself (a lock, a lost connection) is no defect: the whole transaction runs again.
        """
        try:
            with work.attempt():
                handler(work, group)
        except Exception as defect:
            if passing(defect):
                raise
            log.exception("a handler failed on %d events; trying one by one", len(group))
            for one in group:
                self._handle_alone(work, handler, one)

    def _handle_alone(self, work: Work, handler: Handler, one: Arrival) -> None:
        one.state, one.rule, one.reason = EventState.APPLIED, "", ""
        try:
            with work.attempt():
                handler(work, [one])
        except Exception as defect:
            if passing(defect):
                raise
            log.exception("event %s of %s cannot be applied", one.event.id, one.event.frm)
            one.quarantine("N-1", f"本节点处理出错：{type(defect).__name__}")


def _stray(one: Arrival) -> Unbelievable:
    """A document published for everybody has no number in a mailbox; it has a road of its own."""
    return Unbelievable(one.event.raw, one.event.frm, "", "P-12", "公布的文件不经邮箱，另有通道")


def _row(one: Entry, now: datetime) -> dict[str, Any]:
    event = one.event
    return {
        "frm": event.frm,
        "ep": event.ep,
        "ord": one.seq,
        "hash": event.hash,
        "kind": event.kind,
        "case_no": case_of(event),
        "n": event.case.n if event.case else None,
        "cat": event.cat,
        "statement": one.statement.hash,
        "state": one.state,
        "rule": one.rule,
        "reason": one.reason,
        "raw": event.raw,
        "at": now,
    }
