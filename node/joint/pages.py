"""协办事项: the desk of a department that assists, the page of one part, and batches of yearly inspection."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node.cases import saying
from node.cases.dossier import dossier
from node.desk import materials, show
from node.desk.frame import Desk, Here, onward
from node.desk.frame import show as answer
from node.errors import BadForm, Conflict, NodeError, NotFound
from node.joint import actions, standing, views
from node.joint.routes import remarks
from node.joint.standing import Standing
from node.pages import links
from node.pages.views.cases import Action
from node.pages.views.common import Choice, Fact, Field, FormView, Light, Limit, Tab, Tag, Tone
from node.pages.views.joint import (
    BatchLine,
    JointDeskView,
    JointPartView,
    LedLine,
    PartLine,
    Remark,
    TallyLine,
)
from node.work import civil_date
from protocol.joint import THREE
from protocol.joint_acts import SILENT
from protocol.workdays import Calendar

router = APIRouter(include_in_schema=False)
PATH = "/joint"
Said = Mapping[str, Sequence[str]]


# The desk


def whole(no: str, n: int) -> str:
    """The page of a whole joint handling."""
    return f"{PATH}/{no}/{n}"


def part_light(row: Any, calendar: Calendar | None, today: date) -> Limit:
    """The light of one part's own sub-limit, as long as it is open; then how it was answered."""
    if row.outcome in SILENT:
        return Limit(light=Light.OVER, words="未答复")
    if row.opinion:
        return Limit.closed("逾期答复" if row.late else "已答复")
    return Limit.closed("已结束") if row.over else _running(row.due, calendar, today)


def _running(due: date, calendar: Calendar | None, today: date) -> Limit:
    if calendar is None:
        return Limit.unknown("没有工作日历")
    left = calendar.between(today, due) if due >= today else -max(1, calendar.between(due, today))
    return Limit.running(left, due=due)


def part_state(row: Any) -> Tag:
    """待答复, 已承诺, the opinion, or the silence on record."""
    words = row.outcome or row.opinion
    if words in SILENT:
        return Tag(text=words, tone=Tone.ALARM)
    if words:
        return Tag(text=words, tone=Tone.WARN if words in ("不同意", "视为同意") else Tone.GOOD)
    if row.over:
        return Tag(text="已撤回")
    return Tag(text="已承诺" if row.handler else "待答复", tone=Tone.CALM if row.handler else Tone.PLAIN)


def _line(desk: Desk, row: Any, item: str, lead: str, *, ours: bool = True) -> PartLine:
    calendar, today = show.calendar_of(desk.node.know.catalogue), civil_date(desk.now)
    return PartLine(
        no=row.no,
        item=show.item_name(desk.node, item),
        name=row.name,
        department=f"{show.place_name(desk.node, row.place)}　{row.department_name}",
        lead=show.place_name(desk.node, lead),
        limit=part_light(row, calendar, today),
        state=part_state(row),
        href=f"{PATH}/{row.no}/{row.n}/{row.part}" if ours else "",
        person=row.person or row.handler,
    )


def _desk_view(
    desk: Desk,
    box: str,
    results: Sequence[tuple[str, str]] = (),
    said: Said | None = None,
    wrong: NodeError | None = None,
) -> JointDeskView:
    node, mine = desk.node, desk.who.department
    rows = node.read(views.desk, node.place, mine, box)
    return JointDeskView(
        department=show.departments(desk.node).get(mine, mine),
        tabs=tuple(
            Tab(label=label, href=links.query(PATH, box=key), current=key == box)
            for key, label in views.BOXES.items()
        ),
        rows=tuple(_line(desk, row, row.item, row.by) for row in rows),
        led=_led(desk),
        tallies=_tallies(desk),
        batches=tuple(
            BatchLine(name=one.batch, bundle=one.name, words=f"已结束 {one.closed} / {one.cases} 件")
            for one in node.read(views.batches, node.place)
        ),
        batch_form=_batch_form(desk, said, wrong),
        results=tuple((no, f"未开启：{why}" if why else "已开启") for no, why in results),
    )


def _led(desk: Desk) -> tuple[LedLine, ...]:
    calendar, today = show.calendar_of(desk.node.know.catalogue), civil_date(desk.now)
    return tuple(
        LedLine(
            no=one.no,
            item=show.item_name(desk.node, one.item),
            name=one.name,
            words=f"已答复 {one.answered} / {one.parts} 个环节",
            limit=_running(one.until, calendar, today),
            href=whole(one.no, one.n),
        )
        for one in desk.node.read(views.led, desk.node.place)
    )


def _tallies(desk: Desk) -> tuple[TallyLine, ...]:
    today = civil_date(desk.now)
    since = date(today.year - 1, today.month, min(today.day, 28))
    found = desk.node.read(views.tallies, since, today, today)
    return tuple(
        TallyLine(
            department=f"{show.place_name(desk.node, one.place)}　{one.department_name}",
            due=one.due,
            on_time="无数据"
            if one.on_time_percent is None
            else f"{one.on_time_percent // 100}.{one.on_time_percent % 100:02}%",
            silent=one.silent,
            absent=one.absent,
        )
        for one in found
    )


def _batch_form(desk: Desk, said: Said | None, wrong: NodeError | None) -> FormView | None:
    catalogue = desk.node.know.catalogue
    yearly = [one for one in catalogue.bundles if one.yearly] if catalogue else []
    if not yearly or not saying.may(desk.who, "case.joint_opened"):
        return None
    errors = wrong.fields() if wrong else {}
    given = {name: "".join(values) for name, values in (said or {}).items()}
    choices = tuple(Choice(value=one.id, label=one.name) for one in yearly)
    fields = (
        Field(name="bundle", label="联办组合", kind="select", required=True, choices=choices,
              value=given.get("bundle", ""), error=errors.get("bundle", "")),
        Field(name="period", label="期次", required=True, hint="如 2026 年度", maxlength=100,
              value=given.get("period", ""), error=errors.get("period", "")),
        Field(name="numbers", label="办件编号", kind="textarea", required=True, rows=6, hint="每行一个，须已受理",
              value=given.get("numbers", ""), error=errors.get("numbers", "")),
    )  # fmt: skip
    error = wrong.detail if wrong and not errors else ""
    return FormView(action=f"{PATH}/batches", fields=fields, submit="开启联合年检", error=error)


def _drawn(desk: Desk, template: str, view: object, status: int = 200) -> Response:
    page = desk.page()
    return answer(page.pages.draw(template, page, view), status)


@router.get(PATH)
async def joint_desk(desk: Here, box: str = "todo") -> Response:
    """协办事项."""
    return _drawn(desk, "joint.html", _desk_view(desk, box if box in views.BOXES else "todo"))


@router.post(f"{PATH}/batches")
async def open_batch(request: Request, desk: Here) -> Response:
    """集中联合年检 from a list."""
    said = await _form(request)
    numbers = "".join(said.get("numbers", ())).split()
    try:
        found = await desk.node.do(
            actions.open_batch, desk.who, "".join(said.get("bundle", ())), "".join(said.get("period", ())), numbers
        )  # fmt: skip
    except (BadForm, Conflict) as wrong:
        return _drawn(desk, "joint.html", _desk_view(desk, "todo", said=said, wrong=wrong), wrong.status)
    return _drawn(desk, "joint.html", _desk_view(desk, "todo", found))


async def _form(request: Request) -> Said:
    form = await request.form()
    return {name: [str(value) for value in form.getlist(name)] for name in form}


# One part


def _part_view(
    desk: Desk, no: str, n: int, key: str = "", failed: tuple[str, NodeError, Said] | None = None
) -> JointPartView:
    """A part asked of this place; without `key` the whole, for everyone who has heard of it."""
    node = desk.node
    found = node.read(standing.find, no, n)
    rows = node.read(views.parts, no, n)
    row = next((one for one in rows if one.part == key), None)
    if found is None or (key and (row is None or row.place != node.place)):
        raise NotFound("没有这项协办")
    private = node.read(dossier, node.know, no)
    nothing = _nothing(desk, found, row) if row else ""
    return JointPartView(
        no=no,
        item=show.item_name(node, found.item),
        title=row.name if row else found.joint.terms.name,
        line=_line(desk, row, found.item, found.joint.by) if row else None,
        facts=_facts(desk, found, row),
        personal=show.personal(private, shown=False),
        papers=materials.papers(desk, no, show.item_of(node, found.item), private),
        parts=tuple(_line(desk, one, found.item, found.joint.by, ours=False) for one in rows),
        remarks=tuple(
            Remark(
                place=show.place_name(node, one["place"]),
                who=f"{one.get('name', '')}（{one.get('by', '')}）",
                what=str(one.get("what", "")),
                text=str(one.get("text", "")),
            )
            for one in remarks(node, no, n)
        ),
        actions=() if nothing or not row else _actions(row, failed),
        nothing=nothing,
        case_href=links.case(no) if found.in_chain else "",
    )


def _nothing(desk: Desk, found: Standing, row: Any) -> str:
    if found.ended:
        return f"联办已结束，本环节记为{row.outcome or '未答复'}。"
    if not saying.may(desk.who, "joint.opinion"):
        return "您的岗位不能答复协办意见。"
    if desk.who.department != row.department:
        return f"本环节由{row.department_name}答复，您的账户不属于该部门。"
    return ""


def _facts(desk: Desk, found: Standing, row: Any) -> tuple[Fact, ...]:
    terms = found.joint.terms
    facts = [
        Fact(label="联办组合", value=terms.name),
        Fact(label="牵头", value=f"{show.place_name(desk.node, found.joint.by)}　{terms.lead_name}"),
        Fact(label="抄告日期", value=_day(found.joint.opened_on)),
        Fact(label="联办期限", value=_day(terms.until)),
    ]
    if terms.batch:
        facts.append(Fact(label="年检期次", value=terms.batch))
    if row is None:
        return (*facts, *_visited(found))
    facts.insert(3, Fact(label="本环节期限", value=_day(row.due)))
    if row.handler and row.by_day:
        facts.append(Fact(label="承诺", value=f"{row.handler}，{_day(row.by_day)}前答复"))
    facts += _visited(found)
    if row.absences:
        facts.append(Fact(label="缺席", value=f"{row.absences} 次"))
    return tuple(facts)


def _visited(found: Standing) -> list[Fact]:
    facts = []
    if found.visit is not None:
        facts.append(Fact(label="联合踏勘", value=f"{_day(found.visit.day)} {found.visit.time}"))
    names = {part.key: part.department_name for part in found.joint.assists}
    for _, one in found.minutes:
        away = "、".join(names.get(key, key) for key in one.absent)
        facts.append(
            Fact(label=one.meeting, value=f"{_day(one.held_on)}，{f'缺席：{away}' if away else '全部到会'}")
        )
    return facts


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _actions(row: Any, failed: tuple[str, NodeError, Said] | None) -> tuple[Action, ...]:
    """The two forms; what was said comes back with its errors."""
    at = f"{PATH}/{row.no}/{row.n}/{row.part}"

    def field(act: str, name: str, label: str, value: str = "", **more: Any) -> Field:
        errors = failed[1].fields() if failed and failed[0] == act else {}
        said = failed[2] if failed and failed[0] == act else {}
        given = "".join(said[name]) if name in said else value
        return Field(name=name, label=label, value=given, error=errors.get(name, ""), **more)

    def error(act: str) -> str:
        return failed[1].detail if failed and failed[0] == act and not failed[1].fields() else ""

    opinions = tuple(Choice(value=word, label=word) for word in THREE)
    replaces = (("correct", "yes"),) if row.opinion else ()
    return (
        Action(
            key="opinion",
            label="更正意见" if row.opinion else "答复意见",
            action=f"{at}/opinion",
            rank="main",
            open=not row.opinion,
            fields=(
                field("opinion", "opinion", "意见", kind="radio", required=True, choices=opinions),
                field("opinion", "reasons", "理由", kind="textarea", hint="不同意须说明理由"),
                field("opinion", "report_to", "转报部门", hint="同意但需转报的，写明上级部门", maxlength=100),
            ),
            hint="签名后抄告牵头单位和其他协办单位",
            error=error("opinion"),
            carried=replaces,
        ),
        Action(
            key="promise",
            label="承诺办理",
            action=f"{at}/promise",
            fields=(
                field("promise", "handler", "经办人工号", required=True, maxlength=40, value=row.handler),
                field("promise", "by_day", "承诺日期", kind="date", hint=f"不晚于 {row.due}"),
            ),
            open=bool(failed and failed[0] == "promise"),
            error=error("promise"),
        ),
    )


@router.get(PATH + "/{no}/{n}")
async def joint_whole(desk: Here, no: str, n: int) -> Response:
    """The whole of it: parts and minutes for all who have heard of it, what is sealed for its parties."""
    return _drawn(desk, "joint_part.html", _part_view(desk, no, n))


@router.get(PATH + "/{no}/{n}/{part}")
async def joint_part(desk: Here, no: str, n: int, part: str) -> Response:
    """One part that a department here is asked to answer."""
    return _drawn(desk, "joint_part.html", _part_view(desk, no, n, part))


@router.post(PATH + "/{no}/{n}/{part}/{act}")
async def reply(request: Request, desk: Here, no: str, n: int, part: str, act: str) -> Response:
    """协办意见, or 承诺办理."""
    said = await _form(request)
    try:
        await _do(desk, no, n, part, act, said)
    except (BadForm, Conflict) as wrong:
        view = _part_view(desk, no, n, part, (act, wrong, said))
        return _drawn(desk, "joint_part.html", view, wrong.status)
    return onward(f"{PATH}/{no}/{n}/{part}")


async def _do(desk: Desk, no: str, n: int, part: str, act: str, said: Said) -> None:
    def one(name: str) -> str:
        return "".join(said.get(name, ())[:1])

    if act == "opinion":
        await desk.node.do(
            actions.answer, desk.who, no, n, part, one("opinion"), one("reasons"), one("report_to"),
            correct=one("correct") == "yes",
        )  # fmt: skip
    elif act == "promise":
        try:
            day = date.fromisoformat(one("by_day")) if one("by_day") else None
        except ValueError:
            raise BadForm(by_day="请填写日期") from None
        await desk.node.do(actions.promise, desk.who, no, n, part, one("handler"), day)
    else:
        raise NotFound("没有这个操作")
