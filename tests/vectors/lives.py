"""Questions about the life of a case: what each state allows to whom, and what each guard refuses."""

from collections.abc import Iterator
from typing import Any

from protocol.lifecycle import State
from tests.vectors.cast import COUNTY, TOWNSHIP, VILLAGE
from tests.vectors.frozen import Json

NO = VILLAGE + "2026030200018"
ON = "2026-03-02"
ACT = {"on": ON, "by": "clerk"}
CHIEF = {"on": ON, "by": "chief"}
LIMIT = {"value": 10, "unit": "工作日"}
CLOCK = {
    "accepted": ON, "promised": LIMIT, "statutory": None, "suspensions": [], "extension": None, "stretches": [],
    "stopped": None,
}  # fmt: skip
DUE = {"due": "2026-03-16", "calendar": "2026-test"}
PART = {
    "key": "a", "name": "规划", "department": "ZR", "department_name": "自然资源局", "place": COUNTY, "workdays": 3,
    "due": "2026-03-05",
}  # fmt: skip
TERMS = {
    "bundle": "B1", "name": "联办", "lead": "NY", "lead_name": "农业农村局", "parts": [PART], "until": "2026-03-05",
}  # fmt: skip
ANSWER = {"part": "a", "outcome": "同意", "opinion": "a" * 64, "person": "x"}
BODIES: dict[str, Json] = {
    "case.filed": {**ACT, "item": "SZS-001", "to": TOWNSHIP},
    "case.taken": {**ACT, "received_on": ON, "notice_by": "2026-03-09"},
    "case.handover_refused": {**ACT, "why": "不属本级"},
    "case.redirected": {**ACT, "to": COUNTY, "why": "新目录"},
    "case.forwarded": {**ACT, "to": COUNTY, "why": "上报"},
    "case.accepted": {**ACT, **DUE, "clock": CLOCK, "item_hash": "b" * 64, "pending": ["照片"], "follow_up": ON},
    "case.not_accepted": {**ACT, "ground": "不需要申请"},
    "case.sent_back": {**ACT, "ground": "申请人要求退回材料"},
    "case.returned": {**ACT, "defects": 1, "materials": ["申请表"]},
    "case.corrected": {**ACT, "materials": ["申请表"]},
    "case.supplied": {**ACT, "materials": ["照片"]},
    "case.suspended": {**ACT, "special": "公示", "basis": "第四十五条", "max_days": 7},
    "case.resumed": {**ACT, "special": "公示"},
    "case.extended": {
        **ACT, "days": 5, "approver": "chief", "authorisation": "SQ-1", "why": "复杂", "due": "2026-03-23",
    },
    "case.reckoned": {**ACT, **DUE},
    "case.joint_opened": {**ACT, **TERMS},
    "case.joint_closed": {**ACT, "answers": [ANSWER]},
    "case.reviewed": {"on": ON, "by": "reviewer", "opinion": "同意"},
    "case.remanded": CHIEF,
    "case.granted": {**CHIEF, "authorisation": "SQ-1"},
    "case.refused": {**CHIEF, "authorisation": "SQ-1", "reasons": True},
    "case.producing": ACT,
    "case.closed": {**ACT, "result": "许可证"},
    "case.delivered": {**ACT, "way": "现场领取"},
    "case.archived": ACT,
    "case.withdrawn": ACT,
    "case.terminated": {**ACT, "why": "主体灭失"},
    "case.voided": {**ACT, "approver": "chief", "authorisation": "SQ-1", "why": "录入错误"},
}  # fmt: skip
Steps = list[Json]


def step(kind: str, frm: str = TOWNSHIP, cat: int = 1, **changes: Any) -> Json:
    """A step; `n` and `prev` stand in it only where they are not what they should be."""
    outer = {name: changes.pop(name) for name in ("n", "prev") if name in changes}
    return {"kind": kind, "frm": frm, "cat": cat, **outer, "body": {**BODIES[kind], **changes}}


FILED = [step("case.filed", VILLAGE)]
RECEIVED = [*FILED, step("case.taken")]
FORWARDED = [*RECEIVED, step("case.forwarded")]
ACCEPTED = [*RECEIVED, step("case.accepted")]
SUPPLIED = [*ACCEPTED, step("case.supplied")]
DECIDING = [*SUPPLIED, step("case.reviewed")]
GRANTED = [*DECIDING, step("case.granted")]
CLOSED = [*GRANTED, step("case.closed")]
PATHS: dict[State, Steps] = {
    State.FILED: FILED,
    State.BOUNCED: [*FORWARDED, step("case.handover_refused", COUNTY)],
    State.RECEIVED: RECEIVED,
    State.CORRECTING: [*RECEIVED, step("case.returned")],
    State.NOT_ACCEPTED: [*RECEIVED, step("case.not_accepted")],
    State.SENT_BACK: [*RECEIVED, step("case.sent_back")],
    State.ACCEPTED: ACCEPTED,
    State.SPECIAL: [*ACCEPTED, step("case.suspended", special="听证")],
    State.JOINT: [*ACCEPTED, step("case.joint_opened")],
    State.FORWARDED: FORWARDED,
    State.DECIDING: DECIDING,
    State.GRANTED: GRANTED,
    State.REFUSED: [*DECIDING, step("case.refused")],
    State.PRODUCING: [*GRANTED, step("case.producing")],
    State.CLOSED: CLOSED,
    State.DELIVERED: [*CLOSED, step("case.delivered", VILLAGE)],
    State.ARCHIVED: [*CLOSED, step("case.delivered", VILLAGE), step("case.archived")],
    State.WITHDRAWN: [*RECEIVED, step("case.withdrawn")],
    State.TERMINATED: [*RECEIVED, step("case.terminated")],
    State.VOIDED: [*RECEIVED, step("case.voided")],
}


def tries() -> Iterator[Json]:
    """Every kind of step from every state by three places; what is not in `expect` is refused."""
    for state, path in PATHS.items():
        yield {
            "name": f"from {state}", "check": "tries", "no": NO, "steps": path, "by": [VILLAGE, TOWNSHIP, COUNTY],
        }  # fmt: skip


def _life(name: str, *steps: Json) -> Json:
    return {"name": name, "check": "life", "no": NO, "steps": list(steps)}


def lives() -> Iterator[Json]:
    """Whole lives, and each guard with what it refuses and what it lets."""
    yield _life("from filing to the archive", *PATHS[State.ARCHIVED])
    yield _life(
        "refused and withdrawn",
        *FILED,
        step("case.taken", COUNTY),
        step("case.taken"),
        step("case.withdrawn"),
    )
    yield _life("first step that is none", step("case.taken"))
    yield _life("filed elsewhere", step("case.filed", TOWNSHIP))
    yield _life("first step 2", step("case.filed", VILLAGE, n=2, prev="a" * 64))
    yield _life("a gap", *FILED, step("case.taken", n=3), step("case.taken"))
    yield _life("a fork", *FILED, step("case.taken", prev="f" * 64), step("case.taken"))
    yield _life("a step of another form", *FILED, step("case.taken", due="soon"), step("case.taken"))
    yield from _hand_overs()
    yield from _before_acceptance()
    yield from _acceptance()
    yield from _clock()
    yield from _decisions()
    yield from _joint()


def _hand_overs() -> Iterator[Json]:
    taken_up = [*FORWARDED, step("case.taken", COUNTY)]
    yield _life("to itself", *RECEIVED, step("case.forwarded", to=TOWNSHIP))
    yield _life(
        "under an older edition", step("case.filed", VILLAGE, 2), step("case.taken"), step("case.forwarded")
    )
    yield _life("passed on under the same edition", *FILED, step("case.redirected"))
    yield _life(
        "passed on under a newer one", *FILED, step("case.redirected", cat=2), step("case.taken", COUNTY)
    )
    yield _life("passed on to itself", *FILED, step("case.redirected", cat=2, to=TOWNSHIP))
    yield _life(
        "back and up again", *PATHS[State.BOUNCED], step("case.forwarded"), step("case.taken", COUNTY)
    )
    yield _life("back and kept", *PATHS[State.BOUNCED], step("case.taken"), step("case.accepted"))
    yield _life(
        "up after acceptance",
        *ACCEPTED,
        step("case.forwarded"),
        step("case.taken", COUNTY),
        step("case.granted", COUNTY),
    )
    yield _life("down again", *taken_up, step("case.forwarded", COUNTY, to=TOWNSHIP), step("case.taken"))


def _before_acceptance() -> Iterator[Json]:
    back = [*PATHS[State.CORRECTING], step("case.corrected")]
    lacking = [step("case.filed", VILLAGE, missing=["申请表", "图"]), step("case.taken")]
    told = [*lacking, step("case.returned", materials=["申请表", "图"], defects=2)]
    yield _life("corrected once", *back, step("case.accepted"))
    yield _life("a second notice", *back, step("case.returned"))
    yield _life("fewer defects than materials", *RECEIVED, step("case.returned", materials=["a", "b"]))
    yield _life("notice on the last day", *RECEIVED, step("case.returned", on="2026-03-09"))
    yield _life("notice a day late", *RECEIVED, step("case.returned", on="2026-03-10"))
    yield _life("not accepted a day late", *RECEIVED, step("case.not_accepted", on="2026-03-10"))
    yield _life(
        "another organ's power, unnamed",
        *RECEIVED,
        step("case.not_accepted", ground="不属于本机关职权", body="\u3000 "),
    )
    yield _life(
        "another organ's power",
        *RECEIVED,
        step("case.not_accepted", ground="不属于本机关职权", body="水务局"),
    )
    yield _life("sent back before any notice", *RECEIVED, step("case.sent_back", ground="补正后仍不齐全"))
    yield _life("sent back though complete", *back, step("case.sent_back", ground="补正后仍不齐全"))
    yield _life(
        "sent back, still lacking",
        *told,
        step("case.corrected"),
        step("case.sent_back", ground="补正后仍不齐全"),
    )
    yield _life("sent back for its form", *back, step("case.sent_back", ground="补正后仍不符合法定形式"))


def _acceptance() -> Iterator[Json]:
    lacking = [step("case.filed", VILLAGE, missing=["照片"]), step("case.taken")]
    none = {"pending": [], "follow_up": None}
    odd: dict[str, Json] = {
        "due before it begins": {"due": "2026-03-01"},
        "pending without a day": {"follow_up": None},
        "urgent without a leader": {"mode": "特急"},
        "urgent with a leader": {"mode": "特急", "leader": "局长"},
        "a day late": {"on": "2026-03-10", "clock": {**CLOCK, "accepted": "2026-03-10"}},
        "deemed, from the day of receipt": {"deemed": True},
        "deemed, from another day": {"deemed": True, "on": "2026-03-10", "clock": {**CLOCK, "accepted": "2026-03-10"}},
        "deemed and urgent": {"deemed": True, "mode": "特急"},
        "a clock of another day": {"clock": {**CLOCK, "accepted": "2026-03-03"}},
        "a clock already paused": {"clock": {**CLOCK, "suspensions": [{"kind": "a", "basis": "b", "start": ON, "end": None, "reason": ""}]}},
        "a clock with a field more": {"clock": {**CLOCK, "more": 1}},
        "a clock with a field less": {"clock": {name: one for name, one in CLOCK.items() if name != "stopped"}},
        "a clock of another spelling": {"clock": {**CLOCK, "accepted": "20260302"}},
        "a clock stopped with false": {"clock": {**CLOCK, "stopped": False}},
        "a limit of 3650 days": {"clock": {**CLOCK, "statutory": {"value": 3650, "unit": "自然日"}}},
        "a limit of 3651 days": {"clock": {**CLOCK, "promised": {"value": 3651, "unit": "自然日"}}},
        "a limit in weeks": {"clock": {**CLOCK, "promised": {"value": 1, "unit": "周"}}},
        "a limit that is true": {"clock": {**CLOCK, "promised": {"value": True, "unit": "月"}}},
        "a limit below nothing": {"clock": {**CLOCK, "promised": {"value": -1, "unit": "月"}}},
    }  # fmt: skip
    for name, changes in odd.items():
        yield _life(f"accepted: {name}", *RECEIVED, step("case.accepted", **changes))
    yield _life("accepted: something essential missing", *lacking, step("case.accepted", **none))
    yield _life("accepted: what is missing may follow", *lacking, step("case.accepted"))
    yield _life(
        "accepted: an instant case is reviewed by whoever accepts",
        *RECEIVED,
        step("case.accepted", mode="即办", **none),
        step("case.granted"),
    )
    yield _life(
        "accepted: deemed is reviewed by nobody",
        *RECEIVED,
        step("case.accepted", mode="即办", deemed=True, **none),
        step("case.granted"),
    )
    yield _life("supplied: what was not pending", *ACCEPTED, step("case.supplied", materials=["别的"]))


def _clock() -> Iterator[Json]:
    special = PATHS[State.SPECIAL]
    yield _life("no clock before acceptance", *RECEIVED, step("case.suspended"))
    yield _life("suspended twice in one kind", *special, step("case.suspended", special="听证"))
    yield _life(
        "suspended in two kinds",
        *special,
        step("case.suspended"),
        step("case.resumed"),
        step("case.resumed", special="听证"),
    )
    yield _life("resumed what never stopped", *special, step("case.resumed", special="鉴定"))
    yield _life(
        "resumed before it stopped",
        *ACCEPTED,
        step("case.suspended", on="2026-03-05"),
        step("case.resumed", on="2026-03-04"),
    )
    yield _life("suspended before acceptance", *ACCEPTED, step("case.suspended", on="2026-03-01"))
    yield _life("suspended without a basis", *ACCEPTED, step("case.suspended", basis=" \u00a0"))
    yield _life(
        "suspended, resumed, suspended again",
        *special,
        step("case.resumed", special="听证"),
        step("case.suspended", special="听证"),
    )
    yield _life("reckoned anew", *ACCEPTED, step("case.reckoned", due="2026-03-20"))
    yield _life("withdrawn while suspended", *special, step("case.withdrawn"))
    for name, changes in {
        "extended": {},
        "extended by one person": {"approver": "clerk"},
        "extended on the last day": {"on": "2026-03-16"},
        "extended a day late": {"on": "2026-03-17"},
        "extended by 11 days": {"days": 11},
        "extended to no day": {"due": None},
        "extended to an earlier day": {"due": "2026-03-13"},
    }.items():
        yield _life(name, *ACCEPTED, step("case.extended", **changes))
    yield _life("extended twice", *ACCEPTED, step("case.extended"), step("case.extended", due="2026-03-30"))
    joint = [*RECEIVED, step("case.accepted", mode="联合")]
    yield _life("a joint case extended by 15 days", *joint, step("case.extended", days=15))
    yield _life("a joint case extended by 16 days", *joint, step("case.extended", days=16))
    statutory = [*ACCEPTED, step("case.reckoned", statutory_due="2026-03-30")]
    yield _life(
        "the statutory limit counts for extending", *statutory, step("case.extended", on="2026-03-27")
    )
    yield _life(
        "reckoned again without one",
        *statutory,
        step("case.reckoned"),
        step("case.extended", on="2026-03-27"),
    )


def _decisions() -> Iterator[Json]:
    meeting = [*RECEIVED, step("case.accepted", route="集体讨论", pending=[]), step("case.reviewed")]
    alone = [*RECEIVED, step("case.accepted", two_person=False, pending=[])]
    for name, steps in {
        "granted without a review": [*SUPPLIED, step("case.granted")],
        "granted by the reviewer": [*DECIDING, step("case.granted", by="reviewer")],
        "granted without authorisation": [*DECIDING, step("case.granted", authorisation="")],
        "granted while something is pending": [*ACCEPTED, step("case.reviewed"), step("case.granted")],
        "granted without minutes of the meeting": [*meeting, step("case.granted")],
        "granted with minutes": [*meeting, step("case.granted", minutes="纪要1号")],
        "granted by one person": [*alone, step("case.granted", by="clerk")],
        "refused without reasons": [*DECIDING, step("case.refused", reasons=False)],
        "refused while something is pending": [*ACCEPTED, step("case.reviewed"), step("case.refused")],
        "remanded, and the review counts no more": [*DECIDING, step("case.remanded"), step("case.granted")],
        "voided by one person": [*ACCEPTED, step("case.voided", approver="clerk")],
        "urgent: formalities may follow": [
            *RECEIVED, step("case.accepted", mode="特急", leader="x"), step("case.reviewed"), step("case.granted"),
        ],
        "delivered by the holder": [*CLOSED, step("case.delivered")],
    }.items():  # fmt: skip
        yield _life(name, *steps)


def _joint() -> Iterator[Json]:
    second = {**PART, "key": "b", "name": "消防", "department": "XF", "after": ["a"], "due": "2026-03-06"}
    both = {"parts": [PART, second], "until": "2026-03-06"}
    own = {**PART, "key": "c", "department": "NY", "assists": False}
    openings: dict[str, Json] = {
        "one after the other": both,
        "with a part of the lead's own": {"parts": [PART, own]},
        "a key twice": {"parts": [PART, PART]},
        "after something that is not there": {"parts": [{**PART, "after": ["z"]}]},
        "in a circle": {"parts": [{**PART, "after": ["b"]}, second], "until": "2026-03-06"},
        "after itself": {"parts": [{**PART, "after": ["a"]}]},
        "nobody assists": {"parts": [own]},
        "the lead assists itself": {"parts": [{**PART, "department": "NY"}]},
        "46 working days on the longest path": {
            "parts": [{**PART, "workdays": 45}, {**second, "workdays": 1}], "until": "2026-03-06",
        },
        "45 working days on the longest path": {
            "parts": [{**PART, "workdays": 44}, {**second, "workdays": 1}], "until": "2026-03-06",
        },
        "a part beyond the end": {"until": "2026-03-04"},
        "a part before the beginning": {"on": "2026-03-06", "until": "2026-03-09"},
        "due before the one it comes after": {**both, "parts": [PART, {**second, "due": "2026-03-04"}]},
        "beyond the case's own day": {"until": "2026-03-17"},
        "up to the case's own day": {"until": "2026-03-16"},
    }  # fmt: skip
    for name, changes in openings.items():
        yield _life(f"joint: {name}", *ACCEPTED, step("case.joint_opened", **changes))
    opened = [*SUPPLIED, step("case.joint_opened")]
    silent = {"part": "a", "outcome": "超时默许", "person": "局长"}
    away = {**silent, "outcome": "缺席默认"}
    against = {**ANSWER, "outcome": "不同意"}
    closings: dict[str, Json] = {
        "answered": {},
        "no answer": {"answers": []},
        "an answer twice": {"answers": [ANSWER, ANSWER]},
        "an answer of another part": {"answers": [{**ANSWER, "part": "b"}]},
        "an answer without opinion": {"answers": [{**ANSWER, "opinion": ""}]},
        "silence before its day is over": {"answers": [silent], "on": "2026-03-05"},
        "silence after its day": {"answers": [silent], "on": "2026-03-06"},
        "silence of nobody": {"answers": [{**silent, "person": ""}], "on": "2026-03-06"},
        "silence with an opinion": {"answers": [{**silent, "opinion": "a" * 64}], "on": "2026-03-06"},
        "absent without minutes": {"answers": [away]},
        "absent, in the minutes": {"answers": [away], "minutes": ["c" * 64]},
    }
    for name, changes in closings.items():
        yield _life(f"joint closed: {name}", *opened, step("case.joint_closed", **changes))
    end = [step("case.reviewed"), step("case.granted")]
    met = {"answers": [against], "minutes": ["c" * 64]}
    yield _life("against, and granted", *opened, step("case.joint_closed", answers=[against]), *end)
    yield _life("against, granted after a meeting", *opened, step("case.joint_closed", **met), *end)
    yield _life(
        "against, granted with minutes of its own",
        *opened,
        step("case.joint_closed", answers=[against]),
        end[0],
        step("case.granted", minutes="纪要"),
    )
    yield _life(
        "a second joint handling",
        *opened,
        step("case.joint_closed", answers=[against]),
        step("case.joint_opened"),
        step("case.joint_closed"),
        *end,
    )


SAMPLES: dict[str, Json] = {
    **BODIES,
    "case.supplement_sent": {**ACT, "no": NO, "materials": ["申请表"]},
    "joint.notice": {**ACT, "no": NO, "joint": 4, "item": "SZS-001", "opened_on": ON, **TERMS},
    "joint.promise": {**ACT, "no": NO, "joint": 4, "part": "a", "handler": "x", "by_day": ON},
    "joint.opinion": {**ACT, "no": NO, "joint": 4, "part": "a", "opinion": "同意"},
    "joint.visit": {**ACT, "no": NO, "joint": 4, "day": ON, "time": "09:30", "parts": ["a"]},
    "joint.minutes": {**ACT, "no": NO, "joint": 4, "meeting": "联审会议", "held_on": ON, "present": ["a"]},
    "joint.result": {**ACT, "no": NO, "joint": 4, "answers": [ANSWER]},
    "fee.bill": {
        **ACT, "no": NO, "bill": "B1", "amount": 500, "item": "SZS-001", "name": "工本费", "full": 500,
        "lines": [{"rate": "每证5元", "price": 500}], "payee": "财政专户",
    },
    "fee.paid": {
        **ACT, "no": NO, "bill": "B1", "amount": 500, "stage": "已到账", "payee": "财政专户", "adapter": "csv",
        "reference": "1",
    },
    "fee.refund": {**ACT, "no": NO, "bill": "B1", "amount": 500, "stage": "退费中"},
    "agency.stopped": {**ACT, "no": NO, "ground": "政策变化"},
    "agency.resumed": {**ACT, "no": NO, "until": ON},
    "agency.finished": {**ACT, "no": NO},
    "agency.handed_over": {**ACT, "no": NO, "to": TOWNSHIP, "papers": 3, "receiver": "x"},
    "agency.money": {**ACT, "no": NO, "receipt": "S1", "bill": "B1", "amount": 500, "stage": "代收"},
    "agency.marked": {**ACT, "no": NO, "mark": "上门"},
    "authorisation.update": {
        "id": "SQ-1", "version": 1, "place": TOWNSHIP, "person": "chief", "items": ["*"], "powers": ["决定"],
        "since": ON, "until": "2027-03-01", "approvers": ["甲", "乙"],
    },
    "report.daily": {"on": ON, "edition": 1, "events": 3, "totals": {"SZS-001": {"filed": 1}}},
}  # fmt: skip
"""A lawful skeleton of every kind."""
