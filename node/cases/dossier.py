"""The personal part of a case (卷宗) as this node may read it: the sealed parts of its steps, merged.

One rule: nothing opened here is stored; it is opened when a person or a hand-over needs it. A later step's
fields replace an earlier one's; lists of opinions, of files and of documents' numbers grow.
Whoever seals a part writes into it what he likes, so what counts of it depends on what his word is: all of a step; of
a joint handling's notice what the steps do not tell; of the origin's supplement its files, and once a step has taken
it up what it says of them; of other words beside the chain a remark under their own heading; of everything else nothing.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from node.db import table_of
from node.exchange.model import AS_THEY_CAME, COUNTING, EventRow
from node.work import Knowledge
from protocol.envelope import Event, read_event
from protocol.errors import SealError
from protocol.identity import mask_id_no, mask_name, mask_phone
from protocol.messages import STEPS, SUBMISSIONS
from protocol.sealed import binding, is_party, open_sealed

GROWING = ("notes", "files", "documents")
_ENTRIES = frozenset((*GROWING, "defects", "absent"))
_WORDS = frozenset(("materials", "scope"))
_PARTS = frozenset(("applicant", "entrustment", "agent", "supplement", "delivery"))
NOTICE = "joint.notice"
PAPERS = frozenset((*STEPS, *SUBMISSIONS, NOTICE))
"""Kinds whose sealed part may hand over the application and its files."""
_REMARKS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "case.withdrawal_asked": re.compile("申请撤回"),
        "agency.stopped": re.compile("[中终]止代办"),
        "joint.visit": re.compile("约定联合踏勘"),
        "joint.minutes": re.compile("(联审会议|联合踏勘)纪要"),
        "joint.opinion": re.compile("(?!准予|不予|审查意见|退).*协办意见：.*"),
    }
)
"""The headings under which a word beside the chain remarks something: never those that a decision is printed from."""


def events_of(session: Session, no: str, *kinds: str) -> list[Event]:
    """Every event of the case that counts here, submissions included, or those of some kinds: as they came, of one
    moment the chain first.
    """
    event = table_of(EventRow).c
    wanted = [event.kind.in_(kinds)] if kinds else []
    rows = session.execute(
        select(event.raw, event.n, event.at)
        .where(event.case_no == no, event.state.in_(COUNTING), *wanted)
        .order_by(event.at, event.n.is_(None), event.n, *AS_THEY_CAME)
    )
    return [read_event(row.raw) for row in rows]


def open_private(event: Event, know: Knowledge) -> dict[str, Any] | None:
    """The sealed part of one event; None if there is none, or it is not sealed to us."""
    if event.enc is None or not is_party(event.enc, know.place):
        return None
    bound = binding(event.id, event.frm, event.kind, event.case.no if event.case else "")
    try:
        return shaped(open_sealed(event.enc, know.place, know.keys.seal, bound))
    except SealError:
        return None


def shaped(opened: Mapping[str, Any]) -> dict[str, Any]:
    """A sealed part without what has not its field's shape: whoever sealed it writes what he likes, and nobody else saw it."""
    found: dict[str, Any] = {}
    for name, value in opened.items():
        if name in _ENTRIES:
            if isinstance(value, list):
                found[name] = [one for one in value if isinstance(one, dict)]
        elif name in _WORDS:
            if isinstance(value, list):
                found[name] = [one for one in value if isinstance(one, str)]
        elif name in _PARTS:
            if isinstance(value, dict):
                found[name] = shaped(value)
        else:
            found[name] = value
    return found


def unreadable(session: Session, know: Knowledge, no: str, n: int) -> bool:
    """Whether step `n` of the case names us as a reader of its sealed part, and that part does not open.

    It was spoiled, or moved from another event; nobody but its readers can see that.
    """
    steps = [one for one in events_of(session, no) if one.case is not None and one.case.n == n]
    return any(
        one.enc is not None and is_party(one.enc, know.place) and open_private(one, know) is None
        for one in steps
    )


def dossier(session: Session, know: Knowledge, no: str) -> dict[str, Any] | None:
    """All that this node may read of the case's personal part; None if it may read nothing."""
    events = events_of(session, no)
    taken_up = {str(one.body.get("submission")) for one in events if one.case is not None}
    merged: dict[str, Any] = {}
    for event in sorted(events, key=lambda one: one.kind != NOTICE):
        opened = open_private(event, know)
        if opened is None:
            continue
        opened = _counting(event, opened, taken_up=event.frm == know.place or event.hash in taken_up)
        grown = {name: [*merged.get(name, []), *opened.get(name, [])] for name in GROWING}
        merged |= opened
        for name, listed in grown.items():
            if listed:
                merged[name] = [one for at, one in enumerate(listed) if one not in listed[:at]]
    return merged or None


def _counting(event: Event, opened: dict[str, Any], *, taken_up: bool) -> dict[str, Any]:
    """Of an opened part, what its kind lets it say; `taken_up`: a step has taken the submission up, or it is ours."""
    if event.kind in STEPS or event.kind == NOTICE:
        return opened
    if event.kind == "case.supplement_sent":
        wanted = ("files", "supplement") if taken_up else ("files",)
        return {name: opened[name] for name in wanted if name in opened}
    heading = _REMARKS.get(event.kind)
    if heading is None:
        return {}
    return {"notes": [one for one in opened.get("notes", ()) if heading.fullmatch(str(one.get("what", "")))]}


def masked(private: dict[str, Any]) -> dict[str, Any]:
    """The dossier as it may be shown without a reason (脱敏): name, number and telephone covered, address and keys left out."""
    found = dict(private)
    person = found.get("applicant")
    if isinstance(person, dict):
        found["applicant"] = {
            **person,
            "name": mask_name(str(person.get("name", ""))),
            "id_no": mask_id_no(str(person.get("id_no", ""))),
            "phone": mask_phone(str(person.get("phone", ""))),
            "address": "",
        }
    if files := found.get("files"):
        found["files"] = [{name: value for name, value in one.items() if name != "key"} for one in files]
    return found


def applicant(session: Session, know: Knowledge, no: str) -> dict[str, Any] | None:
    """Only the applicant, from the first sealed part of a step or a notice we may open: for lists."""
    event = table_of(EventRow).c
    rows = session.execute(
        select(event.raw)
        .where(
            event.case_no == no,
            event.kind.in_((*STEPS, NOTICE)),
            event.state.in_(COUNTING),
        )
        .order_by(event.n.is_(None), event.n, *AS_THEY_CAME)
    ).scalars()
    for raw in rows:
        opened = open_private(read_event(raw), know)
        if opened and isinstance(opened.get("applicant"), dict):
            return opened
    return None
