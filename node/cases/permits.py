"""What a step must satisfy beyond the lifecycle, asked on every road: own acts, others' events, stored or fresh.

One rule: a node judges by what was published and signed, never by what only it knows; where it lacks what it needs
to judge, the step waits in its lane (`Early`) instead of being believed or refused. What is judged of an accepted
case is the version of the item frozen in it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from types import MappingProxyType

from node.cases.clocks import needs_two, whole_limits
from node.catalogue.frozen import catalogue_of, edition_names, item_by_hash
from node.catalogue.views import edition
from node.fees import views as fees
from node.powers import views as powers
from node.work import Work, civil_date
from protocol.catalogue import Catalogue, Item
from protocol.clockwork import opened
from protocol.errors import EnvelopeError, RoutingError
from protocol.items import names_nothing
from protocol.lifecycle import Case, Step
from protocol.messages import (
    CaseAccepted,
    CaseDecided,
    CaseFiled,
    CaseReturned,
    Extended,
    HandedOver,
    Suspended,
    Voided,
)
from protocol.modes import mode_of
from protocol.powers import NEEDS, objections, route_of
from protocol.routing import Route, competent, route


class Early(Exception):
    """The step must wait for something; the words say for what."""


class Breach(EnvelopeError):
    """A step breaks a rule that supervision counts; `finding` is its number (DOMAIN 8.3)."""

    def __init__(self, rule: str, reason: str, finding: str) -> None:
        super().__init__(rule, reason)
        self.finding = finding


def permit(work: Work, case: Case | None, step: Step) -> None:
    """EnvelopeError if this place or person may not take this step; Early if that cannot be known yet."""
    _dated(step)
    check = CHECKS.get(step.kind)
    if check is not None:
        check(work, case, step)


def _dated(step: Step) -> None:
    """Not for a day after it was signed: nobody knows then what will be done, and every limit would run from that day.

    A day before is believed and noted where it is long before (`findings`): a village writes up on the morrow what it
    did on paper.
    """
    signed = civil_date(step.at)
    if step.body.on > signed:
        raise Breach("L-10", f"所记日期 {step.body.on} 晚于签署日 {signed}", "AB17")


def _known(work: Work, step: Step, *, needed: bool) -> bool:
    """Whether our edition is not older than the step's; Early if it must be and is not."""
    if work.know.catalogue is not None and work.know.edition >= step.edition:
        return True
    if needed:
        raise Early(f"等待第 {max(step.edition, 1)} 版目录")
    return False


def _edition(work: Work, step: Step) -> Catalogue:
    """The catalogue a step is judged by: the edition it was made under, or ours if we never held that one.

    So a step is judged alike wherever and whenever it arrives. Whoever acts on an edition that has been replaced
    is passed on or recalled, never disowned (首接负责).
    """
    return catalogue_of(work, step.edition) or work.catalogue()


def _filed(work: Work, _case: Case | None, step: Step) -> None:
    """To the place the edition names; an item that must be applied for in person is never filed by an agent."""
    body = step.body
    assert isinstance(body, CaseFiled)
    if not _known(work, step, needed=body.to == work.me):
        return
    item = _edition(work, step).get(body.item)
    if body.agent and item is not None and not item.proxy_allowed:
        raise EnvelopeError("L-2", f"“{item.name}”须本人办理，不能由代办员登记")
    way = _way(work, step, body.item, step.frm, None)
    if way is not None and body.to != way.receives.code:
        raise EnvelopeError("L-2", f"本件应交 {way.receives.name}（{way.receives.code}），不是 {body.to}")


def _handed_over(work: Work, case: Case | None, step: Step) -> None:
    """Only to where the edition sends the case next: so it cannot go round, and never out of its line."""
    body = step.body
    assert case is not None
    assert isinstance(body, HandedOver)
    way = _way(work, step, case.item, case.origin, case.accepted_on)
    if way is None:
        return
    named = {way.receives.code, way.decides.code}
    if step.kind == "case.forwarded" and step.frm in named:
        named = {way.decides.code} - {step.frm}
    if body.to not in named:
        where = "、".join(sorted(named)) or "本件由其自行决定，无须移交"
        raise EnvelopeError("L-2", f"第 {step.edition} 版目录没有把本件交给 {body.to}（{where}）")


def _way(work: Work, step: Step, item_id: str, origin: str, accepted: date | None) -> Route | None:
    """The route by the edition the step was made under; None where this node cannot know it."""
    catalogue = catalogue_of(work, step.edition)
    if catalogue is None or origin not in work.know.roster:
        return None
    try:
        return route(catalogue, work.know.roster, item_id, origin, step.body.on, accepted)
    except RoutingError as nobody:
        raise EnvelopeError("L-2", str(nobody)) from None


def _accepted(work: Work, case: Case | None, step: Step) -> None:
    """The version named was published in the edition named, and the clock is the one it promises."""
    body = step.body
    assert case is not None
    assert isinstance(body, CaseAccepted)
    _known(work, step, needed=True)
    if not _published(work, step.edition, case.item, body.item_hash):
        raise Breach("L-5", f"第 {step.edition} 版目录里没有所冻结的事项版本", "AB08")
    item = item_by_hash(work, case.item, body.item_hash)
    if item is None:
        return
    if (body.mode, body.route) != (item.seed_kind, route_of(item)):
        raise Breach("L-5", "办理方式或审批权限与事项不符", "AB08")
    _limits_as_published(item, body)
    late = mode_of(body.mode).late_formalities
    may_follow = {one.name for one in item.materials if late or one.need != "必要"}
    if strange := [name for name in body.pending if name not in may_follow]:
        raise Breach("L-5", f"“{strange[0]}”不得容缺", "AB08")


def _published(work: Work, edition: int, item_id: str, name: str) -> bool:
    """Whether that edition names this version; taken as true of an edition this node has never held."""
    catalogue = work.catalogue()
    if edition == catalogue.edition:
        return item_id in catalogue and catalogue.hash_of(item_id) == name
    names = edition_names(work, edition)
    return names is None or names.get(item_id) == name


def _limits_as_published(item: Item, body: CaseAccepted) -> None:
    ledger, limits = opened(body), whole_limits(item)
    if (ledger.promised, ledger.statutory) != (limits.promised, limits.statutory):
        raise Breach(
            "L-5", f"时限与事项公布的不符（承诺 {limits.promised}，法定 {limits.statutory}）", "AB08"
        )
    if needs_two(item) and not body.two_person:
        raise Breach("L-5", f"“{item.name}”须一审一核", "AB10")


def _returned(work: Work, case: Case | None, step: Step) -> None:
    """Nothing may be demanded that the list does not name; the form itself may be wrong."""
    body = step.body
    assert case is not None
    assert isinstance(body, CaseReturned)
    if vague := [name for name in body.materials if names_nothing(name)]:
        raise Breach("L-6", f"补正要求须具体，不得写“{vague[0]}”", "AB03")
    if work.know.edition != step.edition:
        return
    item = work.catalogue().get(case.item)
    if item is not None and (strange := [one for one in body.materials if one not in correctable(item)]):
        raise Breach("L-6", f"“{strange[0]}”不在本事项的材料清单里，不得增设材料", "AB08")


def correctable(item: Item) -> tuple[str, ...]:
    """What a correction notice may speak of: the listed materials and the application form."""
    names = [one.name for one in item.materials]
    return tuple(dict.fromkeys([*names, item.application_form] if item.application_form else names))


def _suspended(work: Work, case: Case | None, step: Step) -> None:
    """A special procedure of the frozen version, one that stops the clock."""
    body = step.body
    assert case is not None
    assert isinstance(body, Suspended)
    item = item_by_hash(work, case.item, case.item_hash)
    if item is None:
        return
    found = next((one for one in item.special_procedures if one.name == body.special), None)
    if found is None:
        raise Breach("L-7", f"本事项没有特别程序“{body.special}”", "AB13")
    if not found.suspends_clock:
        raise Breach("L-7", f"“{body.special}”计入办理时限，不能停表", "AB13")
    if found.max_days != body.max_days:
        raise Breach(
            "L-7", f"“{body.special}”最长 {found.max_days or '未定'} 日，不是 {body.max_days} 日", "AB13"
        )


def _decided(work: Work, case: Case | None, step: Step) -> None:
    """By the one place that is competent, and by a person authorised there."""
    body = step.body
    assert case is not None
    assert isinstance(body, CaseDecided)
    _known(work, step, needed=True)
    if case.origin not in work.know.roster:
        raise Early(f"等待名册里的 {case.origin}")
    for catalogue in _binding(work, case, step):
        decides = competent(
            catalogue, work.know.roster, case.item, case.origin, body.on, accepted=case.accepted_on
        )
        if step.frm != decides.code:
            reason = f"{step.frm} 无权决定本件，有权的是 {decides.name}（{decides.code}）"
            raise Breach("L-2", reason, "AB10")
    _authorised(work, case, step, body.by, body.authorisation)


def _binding(work: Work, case: Case, step: Step) -> Iterator[Catalogue]:
    """The editions a decision must agree with: the one it was made under, and ours if it was issued on an earlier day.

    So a decision that was on its way when an edition came out stands, and nobody keeps a power that was taken
    back by staying on an old edition.
    """
    yield _edition(work, step)
    ours = work.catalogue()
    if step.edition < ours.edition and case.item in ours:
        published = edition(work.session, ours.edition)
        if published is not None and published.issued < step.body.on:
            yield ours


def _seconded(work: Work, case: Case | None, step: Step) -> None:
    """The second person is authorised to approve it."""
    body = step.body
    assert case is not None
    assert isinstance(body, Extended | Voided)
    _authorised(work, case, step, body.approver, body.authorisation)


def _released(work: Work, case: Case | None, step: Step) -> None:
    """A granted result is not let go while a bill is unpaid; another's step waits here for the payment's own word."""
    assert case is not None
    if not work.know.rules.pay_before_release or case.outcome == "refused":
        return
    if bill := fees.unpaid(work.session, case.no):
        if step.frm == work.me:
            raise EnvelopeError("F-2", f"缴款通知书 {bill} 尚未到账，不能办结发出结果（可先转制证）")
        raise Early(f"等待缴款通知书 {bill} 到账")


def _authorised(work: Work, case: Case, step: Step, person: str, name: str) -> None:
    if not name:
        raise Breach("L-4", "没有写明所依据的授权", "AB10")
    found = powers.authorisation(work.session, name)
    if found is None:
        raise Early(f"等待授权 {name}")
    for reason in objections(
        found, place=step.frm, person=person, item=case.item, power=NEEDS[step.kind], route=case.route,
        on=step.body.on,
    ):  # fmt: skip
        raise Breach("L-4", reason, "AB16" if isinstance(step.body, Extended) else "AB10")


CHECKS: Mapping[str, Callable[[Work, Case | None, Step], None]] = MappingProxyType(
    {
        "case.filed": _filed,
        "case.forwarded": _handed_over,
        "case.redirected": _handed_over,
        "case.accepted": _accepted,
        "case.returned": _returned,
        "case.suspended": _suspended,
        "case.granted": _decided,
        "case.refused": _decided,
        "case.closed": _released,
        "case.extended": _seconded,
        "case.voided": _seconded,
    },
)
"""By kind of step; others need no more than the lifecycle."""
