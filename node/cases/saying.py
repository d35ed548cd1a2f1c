"""How an officer's act becomes a signed step: the officer's role, the policy that every node asks, the lifecycle.

One rule: an own act is asked exactly what others' events are asked (`permits`), before anything is said.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.cases.permits import Early, permit
from node.cases.steps import Cases, as_written
from node.documents import registry
from node.errors import BadForm, Conflict, Forbidden, RoleMissing, Unavailable
from node.powers import views as powers
from node.work import Work
from protocol.catalogue import Item
from protocol.errors import EnvelopeError, ProtocolError
from protocol.lifecycle import Case, Step
from protocol.messages import STEPS, read_body
from protocol.powers import NEEDS

_DESK = frozenset((Role.AGENT, Role.CLERK, Role.REVIEWER, Role.CHIEF_REPRESENTATIVE))
_WINDOW = frozenset((Role.CLERK, Role.REVIEWER, Role.CHIEF_REPRESENTATIVE))
_SIGNS = frozenset((Role.AGENT, Role.CHIEF_REPRESENTATIVE, Role.CENTRE_HEAD))
"""Who may decide or approve, if authorised: in a village the agents, elsewhere the heads."""
ROLES: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        "case.filed": _DESK,
        "case.taken": _DESK,
        "case.handover_refused": _WINDOW | {Role.AGENT},
        "case.forwarded": _DESK,
        "case.accepted": _DESK,
        "case.not_accepted": _WINDOW,
        "case.sent_back": _WINDOW,
        "case.returned": _DESK,
        "case.suspended": _WINDOW,
        "case.resumed": _WINDOW,
        "case.extended": _DESK,
        "case.reviewed": frozenset((Role.AGENT, Role.REVIEWER, Role.CHIEF_REPRESENTATIVE)),
        "case.remanded": frozenset((Role.CHIEF_REPRESENTATIVE, Role.CENTRE_HEAD)),
        "case.granted": _SIGNS,
        "case.refused": _SIGNS,
        "case.producing": _DESK,
        "case.closed": _DESK,
        "case.delivered": _DESK,
        "case.archived": _WINDOW,
        "case.withdrawn": _DESK,
        "case.voided": _DESK,
        "case.terminated": _WINDOW,
        "case.supplement_sent": _DESK,
        "case.withdrawal_asked": _DESK,
        **dict.fromkeys(
            (
                *("case.joint_opened", "case.joint_closed", "joint.visit", "joint.minutes"),
                *("joint.promise", "joint.opinion"),
            ),
            _WINDOW,
        ),
        "agency.stopped": _DESK,
        "agency.resumed": _DESK,
        "agency.finished": _DESK,
        "agency.handed_over": _DESK,
        "agency.money": _DESK,
        "agency.marked": _DESK,
        "fee.bill": _WINDOW,
        "fee.paid": _WINDOW | {Role.CENTRE_HEAD},
        "fee.refund": _WINDOW,
        "second": _SIGNS,
    },
)
"""Which roles may do it; `second` is approving what another has proposed."""


JUDGED = frozenset(
    ("case.accepted", "case.not_accepted", "case.returned", "case.reviewed", "case.granted", "case.refused")
)
"""Steps that a person answers for by his number (一审一核): a program's token has none."""


def may(officer: Officer, kind: str) -> bool:
    """Whether one of the officer's roles allows this act."""
    return bool(ROLES.get(kind, frozenset()) & officer.roles)


def must(officer: Officer, kind: str) -> None:
    """RoleMissing unless the officer may do it."""
    if not may(officer, kind):
        raise RoleMissing("您的岗位不能办理这一步")
    if kind in JUDGED and not officer.staff_no:
        raise RoleMissing("接口令牌没有工号：受理、补正、审查和决定须由具体的人办理")


def say(
    work: Work,
    officer: Officer,
    no: str,
    kind: str,
    body: Mapping[str, Any],
    private: Mapping[str, Any] | None = None,
) -> None:
    """One step by this officer, whole: role, policy, lifecycle, event, row."""
    must(officer, kind)
    cases = Cases(work)
    speak(work, cases, no, kind, {"by": officer.staff_no, **body}, private)
    cases.store()


def speak(
    work: Work,
    cases: Cases,
    no: str,
    kind: str,
    body: Mapping[str, Any],
    private: Mapping[str, Any] | None = None,
) -> None:
    """One of several steps of an act: policy and lifecycle asked; the caller stores."""
    permitted(work, cases.need(no), kind, body)
    cases.say(no, kind, body, registry.numbered(work, no, kind, str(body.get("by", "")), private))


def permitted(work: Work, case: Case, kind: str, body: Mapping[str, Any]) -> None:
    """Forbidden, with the reason, if policy is against it; Unavailable if something is missing here to judge."""
    try:
        act = read_body(STEPS[kind], {"on": work.today, **body})
        permit(
            work,
            case,
            Step(
                kind,
                work.me,
                case.no,
                case.n + 1,
                case.head,
                "",
                work.know.edition,
                act,
                as_written(work.now),
            ),
        )
    except EnvelopeError as wrong:
        raise Forbidden(wrong.reason) from None
    except Early as early:
        raise Unavailable(str(early)) from None
    except ProtocolError as wrong:
        raise Conflict(str(wrong)) from None


def authorisation_for(work: Work, case: Case, kind: str, person: str) -> str:
    """The authorisation of `person` that carries this step here today; Forbidden, saying why, if none does."""
    found, why = powers.carries(
        work.session, place=work.me, person=person, item=case.item, power=NEEDS[kind], route=case.route,
        on=work.today,
    )  # fmt: skip
    if not found:
        raise Forbidden(why)
    return found


def note(officer: Officer, what: str, text: str) -> dict[str, Any]:
    """A sealed remark in the dossier: who, on what, in his words."""
    return {"notes": [{"by": officer.staff_no, "name": officer.name, "what": what, "text": text}]}


def needed(text: str, field: str, message: str) -> str:
    """The text, trimmed; BadForm at its field if it is empty or too long."""
    if not text.strip():
        raise BadForm({field: message})
    if len(text) > 2000:
        raise BadForm({field: "最多 2000 字"})
    return text.strip()


def item_of(work: Work, case: Case) -> Item:
    """The item in the edition in force; Conflict without it."""
    item = work.catalogue().get(case.item)
    if item is None:
        raise Conflict(f"目录中没有事项 {case.item}")
    return item
