"""The kinds of documents (D01 …): when each applies to a case, what it says, whose seal it waits for.

Those of joint handling are in `joint_kinds`. Fields and structure: DOMAIN 6; acts behind them: 行政许可法 29, 32, 37-39, 42, 44, 45.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from node.documents.joint_kinds import JOINT_KINDS
from node.documents.sheet import Content, Kind, Subject, Table, day
from protocol import strict
from protocol.fees import FeeBill, yuan

_REMEDIES = (
    "如不服本决定，可自收到本决定书之日起六十日内依法申请行政复议，或者自收到之日起六个月内依法提起行政诉讼。"
)


def _materials(subject: Subject) -> Table:
    here = set(subject.private.get("materials", ()))
    known = {one.name: one for one in subject.item.materials} if subject.item else {}
    return [
        (str(at), name, known[name].form if name in known else "", "1", "已收")
        for at, name in enumerate((one for one in known if one in here), 1)
    ]


_MATERIAL_HEAD = ("序号", "材料名称", "形式", "份数", "状态")


def _receipt(s: Subject) -> Content:
    return Content(
        to=s.person("name"),
        paragraphs=(
            f"你提交的“{s.item_name}”申请材料已收到，清单如下。",
            (
                "本凭证只证明已收到材料，尚未受理。自收到材料之日起五个工作日内，将决定是否受理或一次性告知需要补正的全部内容；"
                "逾期不告知的，自收到申请材料之日起即为受理（行政许可法第三十二条）。"
            ),
        ),
        head=_MATERIAL_HEAD,
        rows=_materials(s),
        seal="收件章",
        signature="申请人（代办人）签名",
    )


def _accepted(s: Subject) -> Content:
    said = s.body("case.accepted")
    fee = "收费" if s.item and s.item.fee.charge else "不收费"
    facts = [("受理日期", day(said.get("on"))), ("承诺办结日", day(said.get("due")) or "当日")]
    if said.get("statutory_due"):
        facts.append(("法定办结日", day(said["statutory_due"])))
    if said.get("provisional"):
        facts.append(("说明", "工作日历尚未公布到该日，日期为暂定，公布后重新计算并告知"))
    facts += [("是否收费", fee), ("结果送达", "现场领取、代办员送达或邮寄")]
    return Content(
        to=s.person("name"),
        paragraphs=(
            f"你申请的“{s.item_name}”，材料齐全、符合法定形式，依据行政许可法第三十二条，决定予以受理。",
        ),
        facts=facts,
        signature="申请人（代办人）签名",
        seal="受理专用章",
    )


def _correction(s: Subject) -> Content:
    rows = [
        (str(at), str(one.get("material", "")), str(one.get("problem", "")), str(one.get("required", "")))
        for at, one in enumerate(s.private.get("defects", ()), 1)
    ]
    said = s.body("case.returned")
    facts = [("补正期限", day(said["reply_by"]))] if said.get("reply_by") else []
    return Content(
        to=s.person("name"),
        paragraphs=(
            f"你申请的“{s.item_name}”需要补正下列内容，现一次性告知。补正齐全后即予受理；除下列内容外，不再提出新的补正要求。",
        ),
        facts=facts,
        head=("序号", "材料", "存在的问题", "要求"),
        rows=rows,
        signature="申请人（代办人）签名",
        seal="受理专用章",
    )


def _not_accepted(s: Subject) -> Content:
    return Content(
        to=s.person("name"),
        paragraphs=(f"你申请的“{s.item_name}”，决定不予受理。", f"理由：{s.note('不予受理')}", _REMEDIES),
        seal="受理专用章",
    )


def _special(s: Subject) -> Content:
    said = s.body("case.suspended")
    return Content(
        to=s.person("name"),
        paragraphs=(
            f"你申请的“{s.item_name}”在办理中依法需要进行特别程序，所需时间不计入办理期限（行政许可法第四十五条），现予告知。",
            *((f"说明：{said['why']}",) if said.get("why") else ()),
        ),
        facts=[
            ("特别程序", str(said.get("special", ""))),
            ("依据", str(said.get("basis", ""))),
            ("所需时间", f"最长 {said['max_days']} 日" if said.get("max_days") else "按实际需要"),
            ("启动日期", day(said.get("on"))),
        ],
        seal="受理专用章",
    )


def _extended(s: Subject) -> Content:
    said = s.body("case.extended")
    return Content(
        to=s.person("name"),
        paragraphs=(
            f"你申请的“{s.item_name}”，因下列原因不能在期限内办结，经批准延长办理期限（行政许可法第四十二条）。",
            f"理由：{said.get('why', '')}",
        ),
        facts=[("延长后的办结日", day(said.get("due"))), ("批准日期", day(said.get("on")))],
        seal="受理专用章",
    )


def _granted(s: Subject) -> Content:
    result = s.body("case.closed").get("result") or (s.item.result.name if s.item else "")
    words = s.note("准予")
    return Content(
        to=s.person("name"),
        paragraphs=(
            f"你申请的“{s.item_name}”，经审查，符合法定条件、标准，决定准予。",
            *((f"内容：{words}",) if words else ()),
        ),
        facts=[("决定日期", day(s.case.decided_on)), ("结果", str(result))],
        seal="审批专用章",
    )


def _refused(s: Subject) -> Content:
    return Content(
        to=s.person("name"),
        paragraphs=(
            f"你申请的“{s.item_name}”，经审查，决定不予许可。",
            f"事实、理由和依据：{s.note('不予')}",
            _REMEDIES,
        ),
        facts=[("决定日期", day(s.case.decided_on))],
        seal="审批专用章",
    )


def _closed(s: Subject) -> Content:
    return Content(
        to=s.person("name"),
        paragraphs=(f"你申请的“{s.item_name}”已办结，请凭收件凭证和本人有效证件领取，也可由代办员送达。",),
        facts=[("结果", str(s.body("case.closed").get("result", ""))), ("办结日期", day(s.case.closed_on))],
        seal="办结章",
    )


def _delivery(s: Subject) -> Content:
    said = s.private.get("delivery") or {}
    return Content(
        to=s.person("name"),
        paragraphs=(f"“{s.item_name}”的办理结果已送达。",),
        facts=[
            ("送达方式", str(said.get("way", s.body("case.delivered").get("way", "")))),
            ("签收人", str(said.get("receiver", ""))),
            ("送达日期", day(s.case.delivered_on)),
        ],
        seal="",
        signature="签收人签名（按印）",
    )


def _entrustment(s: Subject) -> Content:
    said = s.private.get("entrustment") or {}
    agent = said.get("agent") or {}
    return entrustment(
        s.names(s.case.origin), s.person("name"), (str(agent.get("name", "")), str(agent.get("no", ""))),
        s.item_name, said.get("scope", ()), day(said.get("until")),
    )  # fmt: skip


def entrustment(
    station: str, applicant: str, agent: tuple[str, str], item: str, scope: Iterable[str], until: str
) -> Content:
    """代办委托书, which the applicant signs before anything is filed; what is not known yet is left to be written."""
    blank = "＿＿＿＿＿＿＿＿"
    name, number = agent
    return Content(
        to=station,
        paragraphs=(
            f"本人委托代办员 {name}（工号 {number}）代为办理“{item}”。",
            "代办免费。本人对所提供材料的真实性负责；代办员不得代本人签署须由本人签署的文件，不得收取费用。",
        ),
        facts=[
            ("委托人", applicant or blank),
            ("委托范围", "、".join(scope) or blank),
            ("委托期限", f"至 {until or blank}"),
        ],
        seal="",
        signature="委托人签名（按印）",
    )


def _proxy_accepted(s: Subject) -> Content:
    return Content(
        to=s.person("name"),
        paragraphs=(
            f"受你委托，本站代为办理“{s.item_name}”，材料已收齐登记，将在三个工作日内移交承办单位。",
        ),
        facts=[
            ("登记日期", day(s.case.filed_on)),
            ("移交去向", s.names(str(s.body("case.filed").get("to", "")))),
            ("收取费用", _held(s)),
        ],
        head=_MATERIAL_HEAD,
        rows=_materials(s),
        seal="站章",
        signature="代办员签名",
    )


def _held(s: Subject) -> str:
    said = s.body("agency.money")
    return f"代缴 {yuan(int(said['amount']))}，收据 {said['receipt']}" if said else "无"


def _proxy_stopped(s: Subject) -> Content:
    said = s.body("agency.stopped")
    word = "终止" if said.get("final") else "中止"
    return Content(
        to=s.person("name"),
        paragraphs=(
            f"受你委托代办的“{s.item_name}”，因{said.get('ground', '')}，自即日起{word}代办。办件仍由承办单位继续办理。",
            f"情况说明：{s.note(f'{word}代办')}",
        ),
        facts=[(f"{word}日期", day(said.get("on"))), ("代办员工号", str(said.get("by", "")))],
        seal="站章", signature="委托人、代办员签名",
    )  # fmt: skip


def _proxy_resumed(s: Subject) -> Content:
    said = s.body("agency.resumed")
    return Content(
        to=s.names(s.case.origin),
        paragraphs=(f"本人继续委托贵站代为办理“{s.item_name}”，委托范围不变，代办免费。",),
        facts=[("委托人", s.person("name")), ("委托期限", f"至 {day(said.get('until'))}")],
        seal="", signature="委托人签名（按印）",
    )  # fmt: skip


def _proxy_ended(s: Subject) -> Content:
    ended = {"withdrawn": "申请人撤回，代办终止", "terminated": "办件终止，代办终止"}.get(
        s.case.state, "代办事项已办结送达"
    )
    return Content(
        to=s.person("name"),
        paragraphs=(f"受你委托代办的“{s.item_name}”：{ended}。",),
        facts=[("日期", day(s.case.delivered_on or s.case.closed_on))],
        seal="站章",
        signature="委托人、代办员签名",
    )


def _handover(s: Subject) -> Content:
    event = KINDS["D14"].made_by(s)
    said: Mapping[str, Any] = event.body if event else {}
    return Content(
        to=s.names(str(said.get("to", ""))),
        paragraphs=(f"现将办件“{s.item_name}”及其材料移交你处办理。", f"理由：{said.get('why', '')}"),
        facts=[
            ("移交单位", s.names(event.frm) if event else ""),
            ("接收单位", s.names(str(said.get("to", "")))),
            ("材料份数", str(s.case.materials)),
            ("移交日期", day(said.get("on"))),
            ("事件编号", event.hash[:16] if event else ""),
        ],
        signature="移交人、接收人签名",
    )


def _fee_bill(s: Subject) -> Content:
    bill = FeeBill.model_validate_json(strict.dumps(s.body("fee.bill")))
    facts = [("通知书编号", bill.bill), ("收费项目", bill.name), ("缴款人", s.person("name"))]
    facts += [("收费依据", s.item.fee.basis if s.item else ""), ("应缴金额", yuan(bill.amount))]
    if bill.amount < bill.full:
        facts.append(("减免", f"应收 {yuan(bill.full)}，依据{bill.clause}减免，批准人 {bill.approver}"))
    facts += [("收款账户", bill.payee), ("开票人工号", bill.by), ("开票日期", day(bill.on))]
    return Content(
        to=s.person("name"),
        paragraphs=(
            f"你申请的“{s.item_name}”应缴纳下列费用，请持本通知书到代收银行缴入{bill.payee}。",
            "开票与收款分离：窗口工作人员和代办员不收取现金；除本通知书所列外不收取其他费用。",
        ),
        facts=facts,
        head=("标准", "单价", "数量", "金额"),
        rows=[
            (one.rate + (f"（{one.reckoning}）" if one.reckoning else ""), yuan(one.price), str(one.quantity),
             yuan(one.price * one.quantity))
            for one in bill.lines
        ],
        signature="开票人签名",
    )  # fmt: skip


def _by_agent(s: Subject) -> bool:
    return s.case.agent


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        one.id: one
        for one in (
            Kind("D01", "收件凭证", "收", ("case.filed",), _receipt),
            Kind("D02", "受理通知书", "受", ("case.accepted",), _accepted, at_once=True),
            Kind("D03", "补正告知书（一次性告知书）", "补", ("case.returned",), _correction, at_once=True),
            Kind("D04", "不予受理通知书", "不受", ("case.not_accepted",), _not_accepted, at_once=True),
            Kind("D05", "特别程序（所需时间）告知书", "特", ("case.suspended",), _special, at_once=True),
            Kind("D06", "延期告知书", "延", ("case.extended",), _extended, at_once=True),
            Kind("D07", "准予行政许可（同意）决定书", "准", ("case.granted",), _granted, at_once=True),
            Kind("D08", "不予行政许可决定书", "不许", ("case.refused",), _refused, at_once=True),
            Kind("D09", "办结通知书（领取通知）", "结", ("case.closed",), _closed, at_once=True),
            Kind("D10", "送达回证", "达", ("case.delivered",), _delivery),
            Kind("D11", "代办委托书", "委", ("case.filed",), _entrustment, only=_by_agent),
            Kind("D12", "代办受理单", "代", ("case.filed",), _proxy_accepted, only=_by_agent),
            Kind(
                "D13",
                "代办终止（办结）单",
                "代结",
                ("case.delivered", "case.withdrawn", "case.terminated", "agency.finished"),
                _proxy_ended,
                only=_by_agent,
                which=lambda _s: 1,
            ),
            Kind("D13-1", "代办中止（终止）单", "代止", ("agency.stopped",), _proxy_stopped, only=_by_agent),
            Kind("D13-2", "续办委托书", "续委", ("agency.resumed",), _proxy_resumed, only=_by_agent),
            Kind("D14", "移交清单", "移", ("case.forwarded", "case.redirected", "case.filed"), _handover),
            *JOINT_KINDS,
            Kind("D18", "非税收入缴款通知书", "缴", ("fee.bill",), _fee_bill),
        )
    },
)
"""By id."""
