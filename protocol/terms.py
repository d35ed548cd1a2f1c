"""The Chinese words for states and steps, as screens, documents and refusals say them."""

from collections.abc import Mapping
from types import MappingProxyType

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "filed": "待签收",
        "bounced": "移交被退回",
        "received": "已收件",
        "correcting": "待补正（补办）",
        "not_accepted": "不予受理",
        "sent_back": "退回（退件）",
        "accepted": "审查中",
        "special": "特别程序中",
        "joint": "联办中",
        "forwarded": "已转出待签收",
        "deciding": "待审签",
        "granted": "准予",
        "refused": "不予许可",
        "producing": "制证（文）中",
        "closed": "已办结待送达",
        "delivered": "已送达",
        "archived": "已归档",
        "withdrawn": "已撤回",
        "terminated": "已终止",
        "voided": "已作废",
    },
)
"""Of a state, by its value."""

VERBS: Mapping[str, str] = MappingProxyType(
    {
        "case.filed": "登记",
        "case.taken": "签收",
        "case.handover_refused": "退回移交",
        "case.redirected": "转办",
        "case.forwarded": "上报（转办）",
        "case.accepted": "受理",
        "case.not_accepted": "不予受理",
        "case.sent_back": "退件",
        "case.returned": "一次性告知补正",
        "case.corrected": "补正收件",
        "case.supplied": "容缺补齐",
        "case.suspended": "启动特别程序",
        "case.resumed": "恢复计时",
        "case.extended": "延期",
        "case.reckoned": "重算时限",
        "case.joint_opened": "发起联办",
        "case.joint_closed": "联办结束",
        "case.reviewed": "审查",
        "case.remanded": "退回重审",
        "case.granted": "准予",
        "case.refused": "不予许可",
        "case.producing": "制证（文）",
        "case.closed": "办结",
        "case.delivered": "送达",
        "case.archived": "归档",
        "case.withdrawn": "撤回",
        "case.terminated": "终止",
        "case.voided": "作废",
        "case.supplement_sent": "提交补正",
        "case.withdrawal_asked": "申请撤回",
        "joint.notice": "抄告协办单位",
        "joint.promise": "承诺办理（协办）",
        "joint.opinion": "协办意见",
        "joint.visit": "约定联合踏勘",
        "joint.minutes": "会议（踏勘）纪要",
        "joint.result": "抄告联办结果",
    },
)
"""Of a step or submission, by its kind."""
