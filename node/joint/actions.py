"""What officers do in a joint handling: the lead opens, appoints, records and closes; an assist promises and answers.

One rule: an assist's officer speaks for his own department alone, and what he may not say, or not any more, is refused
here in the same words in which every other node would refuse it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from node.accounts.officer import Officer
from node.cases.clocks import calendar_of
from node.cases.dossier import dossier
from node.cases.saying import must, needed, note, say
from node.cases.steps import Cases
from node.catalogue.replica import meet
from node.documents import registry
from node.documents.joint_kinds import minutes_id, opinion_id
from node.errors import BadForm, Conflict, Forbidden, NodeError, NotFound
from node.joint import standing
from node.joint.standing import Standing
from node.materials import index
from node.work import Work
from protocol import joint as law
from protocol.bundles import Bundle, Wanted, default_bundle, for_item
from protocol.case import Case
from protocol.catalogue import Catalogue, Item
from protocol.envelope import Event
from protocol.errors import TransitionRefused
from protocol.joint_acts import JOINTS, JointNotice, Part
from protocol.messages import read_body

MEETINGS = ("联审会议", "联合踏勘")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


# The lead


def bundles_for(catalogue: Catalogue | None, item_id: str) -> list[Bundle]:
    """The bundles a case of this item may be handled in: published ones first, else the item's own; the best first."""
    item = catalogue.get(item_id) if catalogue else None
    if catalogue is None or item is None:
        return []
    found = for_item(catalogue.bundles, item_id)
    if not any(item_id in one.items for one in found):
        own = default_bundle(wanted(item))
        found = [own, *found] if own else found
    return found


def wanted(item: Item) -> Wanted:
    """What an item says of joint handling."""
    assists = tuple((one.code, one.name) for one in item.joint_departments)
    return Wanted(
        item.id, item.name, (item.department.code, item.department.name), assists, item.promised_limit
    )


def open_joint(
    work: Work,
    officer: Officer,
    no: str,
    bundle_id: str,
    places: Mapping[str, str] | None = None,
    text: str = "",
    batch: str = "",
) -> int:
    """发起联办: the step that opened it. One acceptance, and the form and materials to every assist at once (抄告).

    `places` by part: where an assist sits, if not where the bundle says. BadForm names what is wrong.
    """
    must(officer, "case.joint_opened")
    case = Cases(work).need(no)
    bundle = next((one for one in bundles_for(work.know.catalogue, case.item) if one.id == bundle_id), None)
    if bundle is None:
        raise BadForm(bundle="请选择适用于本事项的联办组合")
    parts = _parts(work, case, bundle, places or {})
    terms = {
        "bundle": bundle.id,
        "name": bundle.name,
        "lead": bundle.lead.code,
        "lead_name": bundle.lead.name,
        "parts": [part.model_dump(mode="json") for part in parts],
        "until": max(part.due for part in parts).isoformat(),
        "batch": batch.strip(),
    }
    remark = note(officer, "发起联办", text.strip()) if text.strip() else None
    body = {**terms, "calendar": calendar_of(work).version}
    say(work, officer, no, "case.joint_opened", body, remark)
    return _invite(work, officer, no, terms)


def _parts(work: Work, case: Case, bundle: Bundle, places: Mapping[str, str]) -> tuple[Part, ...]:
    try:
        parts = law.lay_out(
            bundle, work.know.roster, calendar_of(work), holder=work.me, on=work.today, last=case.due, places=places
        )  # fmt: skip
    except TransitionRefused as wrong:
        raise BadForm(places=str(wrong)) from None
    for part in parts:
        certificate = meet(work, part.place) if part.place != work.me else work.know.certificate
        if part.assists and (certificate is None or "joint.opinion" not in certificate.may):
            raise BadForm(places=f"{part.place} 不能协办（没有它的证书，或它没有答复联办的权限）")
    return parts


def _invite(work: Work, officer: Officer, no: str, terms: Mapping[str, Any]) -> int:
    """抄告 to the places of assists other than this one, with the dossier sealed to them; the step it is about."""
    case = Cases(work).need(no)
    assert case.joint is not None
    opened = Standing(no, case.item, case.joint, in_chain=True, ended="")
    private = dossier(work.session, work.know, no) or {}
    said = {"item": case.item, "opened_on": case.joint.opened_on.isoformat(), **terms}
    if files := private.get("files"):
        said["files"] = len(files)
    if any(part.place != work.me for part in case.joint.assists):
        _speak(work, officer, opened, "joint.notice", said, private)
    return case.joint.n


def appoint_visit(
    work: Work, officer: Officer, no: str, day: date, time: str, where: str, parts: Sequence[str] = ()
) -> None:
    """约定联合踏勘: one appointment for all, or for the parts named; where is sealed."""
    must(officer, "joint.visit")
    led = _led(work, no)
    if day < work.today:
        raise BadForm(day="踏勘日期不能早于今天")
    chosen = _known(led, parts) or [part.key for part in led.joint.assists]
    if not TIME.fullmatch(time.strip()):
        raise BadForm(time="请按 24 小时制填写时间，如 09:30")
    body = {"day": day.isoformat(), "time": time.strip(), "parts": chosen}
    place = needed(where, "where", "请写明踏勘地点")
    words = f"{day.isoformat()} {time.strip()} 在{place}联合踏勘"
    _speak(work, officer, led, "joint.visit", body, note(officer, "约定联合踏勘", words))


def record_minutes(
    work: Work,
    officer: Officer,
    no: str,
    meeting: str,
    held_on: date,
    present: Sequence[str],
    points: Sequence[str],
) -> None:
    """联审会议纪要: who came, who did not (缺席), what was agreed. A visit asks only those who were appointed."""
    must(officer, "joint.minutes")
    led = _led(work, no)
    if meeting not in MEETINGS:
        raise BadForm(meeting="请选择联审会议或联合踏勘")
    if not led.joint.opened_on <= held_on <= work.today:
        raise BadForm(held_on=f"日期须在 {led.joint.opened_on} 至今天之间")
    agreed = [one.strip() for one in points if one.strip()]
    if not agreed:
        raise BadForm(points="请写明议定事项，每行一条")
    came = _known(led, present)
    asked = [part.key for part in led.joint.assists]
    if meeting == "联合踏勘":
        if led.visit is None:
            raise Conflict("还没有约定联合踏勘")
        asked = list(led.visit.parts)
    body = {
        "meeting": meeting,
        "held_on": held_on.isoformat(),
        "present": came,
        "absent": [key for key in asked if key not in came],
        "points": min(len(agreed), 100),
    }
    said = note(officer, f"{meeting}纪要", "\n".join(agreed))
    private = registry.told(work, no, led.joint.n, minutes_id(len(led.minutes)), officer.staff_no, said)
    _speak(work, officer, led, "joint.minutes", body, private)


def close_joint(work: Work, officer: Officer, no: str, text: str = "") -> None:
    """联办结束: every opinion by hash, every silence by name; Conflict while somebody may still answer."""
    must(officer, "case.joint_closed")
    led = _led(work, no)
    absent = [key for key, times in led.absences.items() if times]
    answers, waiting = law.outcomes(led.joint, led.opinions, absent, led.handlers, work.today)
    if waiting:
        names = "、".join(f"{part.department_name}（{part.name}，至 {part.due}）" for part in waiting)
        raise Conflict(f"还在等待协办意见：{names}")
    body = {
        "answers": [answer.model_dump(mode="json") for answer in answers],
        "minutes": [name for name, _ in led.minutes],
    }
    remark = note(officer, "联办结束", text.strip()) if text.strip() else None
    say(work, officer, no, "case.joint_closed", body, remark)


def open_batch(
    work: Work, officer: Officer, bundle_id: str, period: str, numbers: Sequence[str]
) -> list[tuple[str, str]]:
    """集中联合年检: a joint handling for each case of a list, for one period; (number, "" or why not), in its order.

    Each stands for itself: one that cannot be opened does not keep the others.
    """
    must(officer, "case.joint_opened")
    batch = needed(period, "period", "请写明年检的期次，如 2026 年度")
    wanted = list(dict.fromkeys(one.strip() for one in numbers if one.strip()))
    if not 1 <= len(wanted) <= 200:
        raise BadForm(numbers="请列出 1 至 200 件办件，每行一个编号")
    found = []
    for no in wanted:
        try:
            open_joint(work, officer, no, bundle_id, batch=batch)
        except NodeError as refused:
            found.append((no, refused.detail))
        else:
            found.append((no, ""))
    return found


def _led(work: Work, no: str) -> Standing:
    """The joint handling of a case that this node leads and that is open."""
    case = Cases(work).need(no)
    found = standing.find(work.session, no, case.joint.n) if case.joint else None
    if found is None or found.ended:
        raise Conflict("本件没有正在进行的联办")
    if found.joint.by != work.me or case.speaker != work.me:
        raise Forbidden(f"联办由 {found.joint.by} 牵头")
    return found


def _known(led: Standing, keys: Sequence[str]) -> list[str]:
    chosen = list(dict.fromkeys(keys))
    if strange := [key for key in chosen if key not in {part.key for part in led.joint.assists}]:
        raise BadForm(parts=f"联办中没有协办环节“{strange[0]}”")
    return chosen


# An assist


def promise(
    work: Work, officer: Officer, no: str, n: int, key: str, handler: str, by_day: date | None = None
) -> None:
    """承诺办理: who will answer, and by when, at the latest on the part's last day."""
    must(officer, "joint.promise")
    asked, part = _asked(work, officer, no, n, key)
    last = by_day or part.due
    if not work.today <= last <= max(part.due, work.today):
        raise BadForm(by_day=f"承诺日期须在今天至 {part.due} 之间")
    person = needed(handler, "handler", "请填写经办人工号")[:40]
    known = asked.promises.get(key)
    body = {
        "part": key,
        "version": known.body.version + 1 if known else 1,
        "handler": person,
        "by_day": last.isoformat(),
    }
    _speak(work, officer, asked, "joint.promise", body)


def answer(
    work: Work,
    officer: Officer,
    no: str,
    n: int,
    key: str,
    opinion: str,
    reasons: str = "",
    report_to: str = "",
    *,
    correct: bool = False,
) -> None:
    """协办意见: 同意, 不同意 with reasons, or 同意但需转报. A second one takes `correct`, and replaces the first."""
    must(officer, "joint.opinion")
    asked, part = _asked(work, officer, no, n, key)
    if opinion not in law.THREE:
        raise BadForm(
            opinion=f"请选择{'、'.join(law.THREE)}之一；答复其他内容按视为同意记录，本系统不代为填写"
        )
    if opinion == "不同意":
        needed(reasons, "reasons", "不同意须说明理由；不说明理由的按视为同意记录")
    if opinion == "同意但需转报":
        needed(report_to, "report_to", "请写明转报的上级部门")
    opinions = asked.opinions
    known = opinions.get(key)
    if known is not None and not correct:
        raise Conflict(f"本环节已于 {known.on} 由 {known.body.by} 答复；如需更正，请选择更正意见")
    if waiting := law.waits_for(asked.joint, key, opinions, work.today):
        raise Conflict(f"须待前置环节答复：{'、'.join(one.name for one in waiting)}")
    body = {
        "part": key,
        "version": known.body.version + 1 if known else 1,
        "opinion": opinion,
        "reasons": bool(reasons.strip()),
        "report_to": report_to.strip()[:500],
    }
    what = f"{part.department_name}协办意见：{opinion}"
    said = note(officer, what, reasons.strip()[:2000])
    sheet = opinion_id(asked.joint.assists.index(part))
    private = registry.told(work, no, n, sheet, officer.staff_no, said)
    _speak(work, officer, asked, "joint.opinion", body, private)


def _asked(work: Work, officer: Officer, no: str, n: int, key: str) -> tuple[Standing, Part]:
    """A part that this officer's department is asked to answer and that is open."""
    found = standing.find(work.session, no, n)
    part = found.joint.part(key) if found else None
    if found is None or part is None or not part.assists or part.place != work.me:
        raise NotFound("没有这项协办")
    if officer.department != part.department:
        raise Forbidden(f"本环节由{part.department_name}答复，您的账户不属于该部门")
    if found.ended:
        raise Conflict("联办已结束，不能再答复")
    return found, part


# Saying it


def _speak(
    work: Work,
    officer: Officer,
    about: Standing,
    kind: str,
    body: Mapping[str, Any],
    private: Mapping[str, Any] | None = None,
) -> Event:
    """Say it to lead, assists and those above them; keep our own word as everybody keeps it."""
    full = {"on": work.today, "by": officer.staff_no, "no": about.no, "joint": about.joint.n, **body}
    act = read_body(JOINTS[kind], full)
    notice = isinstance(act, JointNotice)
    readers = standing.invited(work, about) if notice else standing.readers(work, about)
    for place in readers:  # outside our own line: to seal to it, and to believe its receipts
        meet(work, place)
    event = work.send(
        kind,
        act.model_dump(mode="json", exclude_defaults=True),
        readers,
        private=private,
        parties=standing.parties(about),
    )
    index.note(work, event, about.no)
    if not notice:
        standing.keep(work, event, act)
    return event
