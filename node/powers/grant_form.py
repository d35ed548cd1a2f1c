"""The form of a new authorisation: drawn, and read back as a `Grant`."""

from collections.abc import Iterable

from starlette.datastructures import FormData

from node.desk import items, staff
from node.desk.frame import Desk
from node.desk.written import Written, days, several, text
from node.errors import BadForm
from node.pages import links
from node.pages.views.common import Choice, Field, FormView
from node.pages.views.powers import GrantView
from node.powers.actions import Grant
from node.work import civil_date
from protocol.powers import EVERY_ITEM, RANKS, Power


def grant_form(desk: Desk, written: Written) -> GrantView:
    """The form, fresh or as it came back."""
    today = civil_date(desk.now)
    roster = desk.node.know.roster
    places = [roster[desk.node.place], *roster.children(desk.node.place)]
    field = written.field
    fields = (
        field("place", "单位", desk.node.place, kind="select", half=True,
              choices=tuple(Choice(value=one.code, label=one.name) for one in places)),
        field("person", "被授权人工号", half=True, maxlength=40, suggest=staff.suggestions(desk), hint="下级单位的人员请填其工号"),
        field("powers", "可以作出", Power.DECIDE, kind="checks", choices=_choices(Power)),
        field("rank", "审批权限", RANKS[0], kind="radio", choices=_choices(RANKS)),
        field("since", "自", today.isoformat(), kind="date", half=True),
        field("until", "至", f"{today.year}-12-31", kind="date", half=True),
        field("why", "事由", required=False, maxlength=500, hint="如首席代表授权书的文号"),
    )  # fmt: skip
    return GrantView(
        form=FormView(
            action=links.AUTHORISATIONS, fields=fields, submit="提交，待另一人批准", error=written.error
        ),
        scope=Field(
            name="scope", label="事项范围", kind="radio", value=written.value("scope"), required=True, error=written.fault("items"),
            choices=(Choice(value="all", label="全部事项"), Choice(value="some", label="下面勾选的事项")),
        ),
        groups=items.by_department(desk),
        ticked=frozenset(written.value("items").split(",")),
    )  # fmt: skip


def _choices(words: Iterable[str]) -> tuple[Choice, ...]:
    return tuple(Choice(value=str(one), label=str(one)) for one in words)


def read_grant(form: FormData) -> Grant:
    """What the form says; BadForm at the fields that say nothing."""
    since, until = days(form, "since", "until")
    if text(form, "scope") not in ("all", "some"):
        raise BadForm(items="请选择全部事项，或勾选事项")
    return Grant(
        person=text(form, "person"),
        items=(EVERY_ITEM,) if text(form, "scope") == "all" else several(form, "items"),
        since=since,
        until=until,
        powers=several(form, "powers"),
        rank=text(form, "rank"),
        place=text(form, "place"),
        why=text(form, "why"),
    )
