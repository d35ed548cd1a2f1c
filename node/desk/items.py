"""Items as pages show them: the card of a list, and the whole item with its 八公开."""

from node.accounts.roles import Role
from node.desk.frame import Desk
from node.pages import links
from node.pages.views.catalogue import ItemCard, ItemView, MaterialNeed, OpenMatter
from node.pages.views.common import Choice, Fact, Field, Stop, StopState, Tag, Tone
from node.work import civil_date
from protocol.catalogue import Item
from protocol.errors import RoutingError
from protocol.limits import Limit
from protocol.routing import Route, check_filing, route


def way_of(desk: Desk, item: Item) -> Route | None:
    """Where a case of this item from here goes today; None while nobody may decide it."""
    know = desk.node.know
    if know.catalogue is None:
        return None
    try:
        return route(know.catalogue, know.roster, item.id, desk.node.place, civil_date(desk.now))
    except RoutingError:
        return None


def refused(desk: Desk, item: Item) -> str:
    """Why the item cannot be filed here by an agent; "" if it can."""
    place = desk.node.know.roster[desk.node.place]
    try:
        check_filing(item, place, by_agent=Role.AGENT in desk.who.roles)
    except RoutingError as wrong:
        return str(wrong)
    return ""


def in_words(limit: Limit | None) -> str:
    """20 个工作日; 即办; 无法定时限."""
    return str(limit) if limit else "无法定时限"


def card(desk: Desk, item: Item) -> ItemCard:
    """One item of a list."""
    way = way_of(desk, item)
    tags = [Tag(text="联办")] if item.joint_departments else []
    if not item.proxy_allowed:
        tags.append(Tag(text="不可代办", tone=Tone.WARN))
    return ItemCard(
        key=item.id,
        name=item.name,
        department=item.department.name,
        route=_route_words(way),
        promise=in_words(item.promised_limit),
        statutory=in_words(item.statutory_limit),
        kind=item.case_kind,
        type_name=item.item_type.name,
        mode=str(item.village_mode or ""),
        tags=tuple(tags),
        refused=refused(desk, item),
        href=links.item(item.id),
    )


def _route_words(way: Route | None) -> str:
    if way is None:
        return "去向待定"
    if way.receives.code == way.decides.code:
        return f"{way.decides.tier.word}受理并决定"
    return f"{way.receives.tier.word}受理初审 · {way.decides.tier.word}决定"


def stops(desk: Desk, item: Item) -> tuple[Stop, ...]:
    """Who will receive and decide, from here."""
    node = desk.node
    way = way_of(desk, item)
    found = []
    for place in node.know.roster.line(node.place):
        what = "登记、送达" if place.code == node.place else "跟踪进度"
        if way and place.code == way.receives.code:
            what = "受理、初审" if way.receives.code != way.decides.code else "受理、决定"
        elif way and place.code == way.decides.code:
            what = "决定"
        state = StopState.NOW if place.code == node.place else StopState.AHEAD
        found.append(Stop(word=place.tier.word, name=place.name, state=state, what=what))
    return tuple(found)


def _course(desk: Desk, item: Item) -> tuple[str, ...]:
    """办事程序 as a case from here goes today, place by place; the bare words while nobody may decide it."""
    way = way_of(desk, item)
    if way is None:
        return ("、".join(step.name for step in item.flow) or "登记、受理、审查、决定、送达",)
    here, two = desk.node.know.roster[desk.node.place], way.receives.code != way.decides.code
    steps = [("登记", here)] if here.code != way.receives.code else []
    steps += [("受理", way.receives)] + ([("初审", way.receives)] if two else [])
    steps += [(name, way.decides) for name in ("审查", "决定") if _takes(item, name)]
    return tuple(f"{name}（{place.name}）" for name, place in (*steps, ("送达", here)))


def _takes(item: Item, name: str) -> bool:
    return not item.flow or any(step.name == name for step in item.flow)


def _limits(item: Item) -> str:
    statutory = in_words(item.statutory_limit)
    return f"承诺 {in_words(item.promised_limit)}；{'法定 ' if item.statutory_limit else ''}{statutory}"


def whole(desk: Desk, item: Item) -> ItemView:
    """One item with everything that must be public."""
    fee = item.fee
    fees = f"{fee.name}：{fee.standard}（{fee.basis}）" if fee.charge else "不收费"
    told = (
        ("项目名称", (item.name,)),
        ("办事程序", _course(desk, item)),
        ("法律依据", (item.legal_basis,)),
        ("许可条件", item.conditions or ("无特别条件",)),
        ("申报材料", tuple(f"{one.name}（{one.need}，{one.form}）" for one in item.materials)),
        ("承诺时限", (_limits(item),)),
        ("收费标准及依据", (fees,)),
        ("申请书格式文本", (item.application_form or "窗口提供空白表",)),
    )
    return ItemView(
        key=item.id,
        name=item.name,
        codes=(
            Fact(label="事项编号", value=item.id, number=True),
            Fact(label="基本编码", value=item.basic_code, number=True),
            Fact(label="实施编码", value=item.impl_code, number=True),
            Fact(label="主管部门", value=item.department.name),
            Fact(label="事项类型", value=item.item_type.name),
        ),
        card=card(desk, item),
        open=tuple(OpenMatter(title=title, lines=lines) for title, lines in told),
        materials=tuple(
            MaterialNeed(name=one.name, need=one.need, form=one.form, source=one.source, free=one.share_free)
            for one in item.materials
        ),
        stops=stops(desk, item),
        version=f"第 {item.version} 版",
        deed=item.devolution.note,
        file_href="" if refused(desk, item) else links.file(item.id),
    )


def by_department(desk: Desk) -> tuple[Field, ...]:
    """The items of the edition in force by department, as checks of one name."""
    by: dict[str, list[Choice]] = {}
    for item in desk.node.know.catalogue or ():
        by.setdefault(item.department.name, []).append(Choice(value=item.id, label=item.name))
    return tuple(
        Field(name="items", label=name, kind="checks", required=True, choices=tuple(choices))
        for name, choices in sorted(by.items())
    )
