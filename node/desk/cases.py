"""The case page and its acts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node import audit
from node.accounts.roles import AT_WORK
from node.agency import serving
from node.cases import actions, acts, views
from node.cases.acts import Act, Ask
from node.cases.dossier import dossier, events_of
from node.cases.model import to_case
from node.desk import clock, materials, show, telling
from node.desk.advice import advice
from node.desk.frame import AtWork, Desk, Here, onward
from node.desk.frame import show as answer
from node.documents import issue
from node.errors import BadForm, Conflict, Forbidden, NodeError, NotFound
from node.fees import views as fees
from node.pages import links, screens
from node.pages.render import answer_live
from node.pages.views.cases import (
    Action,
    CaseView,
    Document,
    Step,
)
from node.pages.views.common import Choice, Fact, Field
from node.pages.views.materials import Papers
from node.posts import shown
from node.work import Work, civil_date
from protocol.lifecycle import Case

router = APIRouter(include_in_schema=False)

_RANKS = ("main", "plain", "danger")
"""Acts in the order of their buttons: what cannot be taken back is not the first to be pressed."""

Failed = tuple[Act, NodeError, Mapping[str, Sequence[str]]]
"""An act that was refused: which, why, and what had been written."""
_TRIES = 3


# One case


def case_view(
    desk: Desk, no: str, *, reveal: bool = False, failed: Failed | None = None, reveal_error: str = ""
) -> CaseView:
    """The case page, all of it of one moment: a step that comes while it is drawn has it drawn again."""
    for _ in range(_TRIES):
        row = desk.node.read(views.one, no)
        view = _drawn(desk, row, reveal=reveal, failed=failed, reveal_error=reveal_error)
        if desk.node.read(views.one, no).n == row.n:
            break
    return view


def _drawn(desk: Desk, row: Any, *, reveal: bool, failed: Failed | None, reveal_error: str) -> CaseView:
    node, no = desk.node, row.no
    private = _private(desk, no)
    item = show.item_of(node, row.item)
    case = to_case(row)
    acts_now = offered(desk, case, failed)
    return replace(
        _outline(desk, row),
        personal=show.personal(private, shown=reveal),
        reveal_action=f"{links.case(no)}/reveal" if private and not reveal else "",
        facts=_facts(desk, row, private, item),
        papers=materials.papers(desk, no, item, private),
        steps=_story(desk, no),
        actions=tuple(one for one in acts_now if not one.refused),
        documents=_documents(desk, no) if private else (),
        evidence_href=links.evidence(no),
        slip_href=links.slip(no) if private else "",
        nothing_to_do=_nothing(desk, case, acts_now),
        reveal_error=reveal_error,
        clock=clock.clock_view(desk, case, item),
        joints=clock.joint_briefs(desk, no),
        waiting=clock.waiting(desk, no),
        advice=advice(desk, case, private, acts_now),
        failure=failed[1].detail if failed and not any(one.open for one in acts_now) else "",
        findings=clock.finding_lines(desk, no),
    )


def _private(desk: Desk, no: str) -> dict[str, Any] | None:
    """The personal part of a case, for those who work on it."""
    return desk.node.read(dossier, desk.node.know, no) if desk.who.roles & AT_WORK else None


def _outline(desk: Desk, row: Any) -> CaseView:
    """Where the case stands: its light and its rail, and no more, for what is asked every two seconds."""
    node = desk.node
    item = show.item_of(node, row.item)
    calendar = show.calendar_of(node.know.catalogue)
    return CaseView(
        no=row.no,
        item=show.item_name(node, row.item),
        item_href=links.item(row.item),
        item_version=f"第 {item.version} 版" if item else "",
        kind=show.mode(item) if item else "",
        state=show.state_tag(row),
        limit=show.limit_of(row, calendar, civil_date(desk.now)),
        holder=show.place_name(node, row.holder),
        ours=row.holder == node.place,
        stops=show.stops(node, row, node.read(events_of, row.no)),
        personal=(),
        reveal_action="",
        facts=(),
        papers=Papers(materials=()),
        steps=(),
        actions=(),
        live_href=links.query(f"/live/cases/{row.no}", part="status", n=str(row.n)),
    )


def _story(desk: Desk, no: str) -> tuple[Step, ...]:
    return telling.story(desk, desk.node.read(views.events, no), desk.node.read(views.reach, no))


def _facts(desk: Desk, row: Any, private: dict[str, Any] | None, item: Any) -> tuple[Fact, ...]:
    node = desk.node
    found = [
        Fact(label="受理起点", value=show.place_name(node, row.origin)),
        Fact(label="登记日期", value=_day(row.filed_on)),
        Fact(label="承办单位", value=show.place_name(node, row.holder)),
    ]
    if row.speaker == node.place and (words := shown.today(desk).words_for(row.item)):
        found.append(Fact(label="岗位", value=words))
    if item:
        found.append(Fact(label="主管部门", value=item.department.name))
        found.append(Fact(label="收费", value=node.read(fees.words, row.no, charge=item.fee.charge)))
    if row.accepted_on:
        found.append(Fact(label="受理日期", value=_day(row.accepted_on)))
    entrusted = (private or {}).get("entrustment")
    if entrusted:
        agent = entrusted.get("agent", {})
        words = f"{agent.get('name', '')}（{agent.get('no', '')}），{'、'.join(entrusted.get('scope', ()))}，至 {entrusted.get('until', '')}"
        found.append(Fact(label="代办委托", value=words))
    elif row.agent:
        found.append(Fact(label="代办委托", value="有"))
    if row.decided_by:
        found.append(Fact(label="决定人工号", value=row.decided_by))
    found += serving.facts(desk, row.no)
    if (private or {}).get("note"):
        found.append(Fact(label="备注", value=str((private or {})["note"])))
    return tuple(found)


def _day(day: date | None) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def _documents(desk: Desk, no: str) -> tuple[Document, ...]:
    """The documents that apply now, those with a number and those still without."""
    node = desk.node
    subject = node.read(issue.subject_of, node.know, no)
    known = node.read(issue.issued, subject)
    found = []
    for kind in issue.offered(subject):
        row, made = known.get(kind.id), kind.made_by(subject)
        found.append(
            Document(
                name=kind.title(subject),
                number=issue.number_of(subject, kind, row) or "尚未取号",
                at=show.said_at(made) if made else desk.now,
                href=f"{links.case(no)}/documents/{kind.id}",
                printed=row.prints if row else 0,
            )
        )
    return tuple(found)


def _nothing(desk: Desk, case: Case, acts_now: tuple[Action, ...]) -> str:
    """What is said where nothing, or not everything, can be done by this officer here."""
    closed = "、".join(one.label for one in acts_now if one.refused)
    if closed:
        return f"其他岗位可办：{closed}。"
    if acts_now:
        return ""
    if not case.speaker:
        return f"本件{case.state.label}，没有后续步骤。"
    if case.speaker == desk.node.place:
        return "本站现在没有可办的步骤。"
    return f"现由{show.place_name(desk.node, case.speaker)}办理，本站等候结果。"


def _all_acts(desk: Desk) -> list[Act]:
    return [act for capability in desk.node.capabilities for act in capability.acts]


def offered(desk: Desk, case: Case, failed: Failed | None = None) -> tuple[Action, ...]:
    """The acts that fit the case now, those of other roles closed with the reason; at most one is the main one."""
    return desk.node.look(lambda work: _offered(desk, work, case, failed))


def _offered(desk: Desk, work: Work, case: Case, failed: Failed | None) -> tuple[Action, ...]:
    found = []
    fitting = [
        act
        for act in _all_acts(desk)
        if act.offered(case, desk.node.place) and (act.allows is None or act.allows(work, case))
    ]
    main_given = any(act.first and act.first(case) and actions.may(desk.who, act.kind) for act in fitting)
    for act in fitting:
        allowed = actions.may(desk.who, act.kind)
        if act.asks and any(
            ask.options and ask.kind == "choice" and not ask.options(work, case) for ask in act.asks
        ):
            continue
        leads = allowed and not main_given and not (act.doubted and act.doubted(work, case))
        rank = act.rank if act.rank != "main" or leads else "plain"
        if allowed and act.first and act.first(case):
            rank = "main"
        main_given |= rank == "main"
        mistaken = failed if failed is not None and failed[0].key == act.key else None
        found.append(
            Action(
                key=act.key,
                label=act.label,
                action=links.act(case.no, act.key),
                fields=tuple(
                    field for ask in act.asked(work, case) for field in _fields(ask, work, case, mistaken)
                ),
                rank=rank,
                hint=act.hint,
                confirm=act.confirm,
                shortcut=act.shortcut if allowed else "",
                href=f"{links.case(case.no)}/{act.page}" if act.page else "",
                refused="" if allowed else "您的岗位不能办理这一步",
                open=mistaken is not None,
                error=mistaken[1].detail if mistaken is not None else "",
                carried=(("n", str(case.n)),),
            )
        )
    return tuple(sorted(found, key=lambda one: (bool(one.refused), _RANKS.index(one.rank))))


def _fields(ask: Ask, work: Work, case: Case, mistaken: Failed | None) -> list[Field]:
    errors = mistaken[1].fields() if mistaken else {}
    said = mistaken[2] if mistaken else {}
    value = ",".join(said.get(ask.name, ()))
    choices = tuple(
        Choice(value=v, label=label) for v, label in (ask.options(work, case) if ask.options else ())
    )
    plain = Field(
        name=ask.name,
        label=ask.label,
        value=value,
        hint=ask.hint,
        required=ask.needed,
        error=errors.get(ask.name, ""),
        choices=choices,
    )
    if ask.kind == "defects":
        problem = "".join(said.get("problem", ())[:1])
        return [
            replace(plain, name="material", kind="checks", value=",".join(said.get("material", ()))),
            Field(
                name="problem", label="问题和要求", kind="textarea", required=True, value=problem,
                hint="逐项写清；多项材料可一行一项", error=errors.get("defects", ""), maxlength=1000,
            ),
        ]  # fmt: skip
    kind = {"long": "textarea", "choice": "select", "many": "checks", "date": "date"}.get(ask.kind, "text")
    if ask.kind == "choice" and len(choices) <= 4:
        kind = "radio"
        plain = replace(plain, value=value or (choices[0].value if len(choices) == 1 else ""))
    return [replace(plain, kind=kind)]


@router.get(links.CASES + "/{no}")
async def case_page(request: Request, desk: Here, no: str, done: str = "") -> Response:
    """One case."""
    request.state.notice = next((act.done for act in _all_acts(desk) if act.key == done), "")
    return answer(screens.case_page(desk.page(), case_view(desk, no)))


@router.get("/live/cases/{no}")
async def case_live(request: Request, desk: Here, no: str, part: str = "status", n: int = 0) -> Response:
    """The light and the rail, the story, or the materials of a case."""
    node = desk.node
    row = node.read(views.one, no)
    view = _outline(desk, row)
    if part == "story":
        view = replace(view, steps=_story(desk, no))
    elif part == "materials":
        item = show.item_of(node, row.item)
        view = replace(view, papers=materials.papers(desk, no, item, _private(desk, no)))
    view = replace(
        view,
        newer=bool(n) and row.n != n,
        live_href=links.query(f"/live/cases/{no}", part=part, n=str(n or row.n)),
    )
    return answer_live(screens.case_live(desk.page(), view, part), request.headers)


@router.post(links.CASES + "/{no}/reveal")
async def reveal(request: Request, desk: AtWork, no: str) -> Response:
    """查看并留痕: the personal values, once, after the reason is in the audit log."""
    reason = str((await request.form()).get("reason", "")).strip()
    if not reason:
        return answer(screens.case_page(desk.page(), case_view(desk, no, reveal_error="请写明查看事由")), 422)
    await desk.node.do(_note_view, desk.who.login, no, reason)
    return answer(screens.case_page(desk.page(), case_view(desk, no, reveal=True)))


def _note_view(work: Work, login: str, no: str, reason: str) -> None:
    audit.record(work.session, login, "case.reveal", no, reason, now=work.now)


@router.post(links.CASES + "/{no}/{key}")
async def act_on_case(request: Request, desk: Here, no: str, key: str) -> Response:
    """Do one of the acts offered on the case page; on a mistake the form comes back with what was written."""
    act = next((one for one in _all_acts(desk) if one.key == key), None)
    if act is None:
        raise NotFound("没有这一步")
    form = await request.form()
    answers = {name: [str(value) for value in form.getlist(name)] for name in form}
    seen = "".join(answers.get("n", ()))
    try:
        await desk.node.do(
            acts.do, desk.who, act, no, answers, int(seen) if seen.isdecimal() and len(seen) < 10 else None
        )
    except (BadForm, Conflict, Forbidden, NotFound) as wrong:
        view = case_view(desk, no, failed=(act, wrong, answers))
        return answer(screens.case_page(desk.page(), view), wrong.status)
    return onward(links.query(links.case(no), done=key))
