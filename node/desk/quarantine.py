"""隔离区 as the line page shows it: what was set aside, under which rule, and what a person should do now."""

from datetime import datetime
from typing import Any

from node.accounts.roles import Role
from node.desk import show
from node.desk.frame import Desk
from node.exchange import views
from node.exchange.arrivals import BARRED
from node.exchange.model import EventState
from node.pages import links
from node.pages.views.line import Quarantined
from node.pages.words import case_tail
from protocol.lifecycle import VERBS

_TODO = {
    "P-0": "多半是传输损坏：请对方重新发送即可",
    "P-1": "多半是传输损坏：请对方重新发送即可",
    "P-2": "多半是传输损坏：请对方重新发送即可",
    "P-3": "本站还没有对方的证书，名册更新后对方重发即可",
    "P-4": "证书有疑：请上级枢纽核对对方证书是否更新或撤销",
    "P-5": "证书有疑：请上级枢纽核对对方证书是否更新或撤销",
    "P-6": "证书有疑：请上级枢纽核对对方证书是否更新或撤销",
    "P-7": "签名不成立，不要据此办件；反复出现的，报上级枢纽查来源",
    "P-8": "内容与签名不符，不要据此办件；反复出现的，报上级枢纽查来源",
    "P-9": "证书已不可信，不要据此告知申请人；报上级枢纽",
    "P-10": "对方没有这项权力，不要据此告知申请人；报上级枢纽",
    "P-11": "不在对方管辖之内，不要据此告知申请人；报上级枢纽",
    "P-12": "发错了地方，不必处理",
    "P-13": "来源与签名不符，不要据此办件；报上级枢纽",
    "P-16": "同一步有两种说法：请与对方当面核对这一件，再由对方重发",
    "N-1": "本节点程序出错，请联系运维；修复后由管理员放行重试",
}
"""What to do, by the rule that was broken."""
_BY_LETTER = {
    "L": "步骤与目录或办理流程不符：请对方核对这一件，改正后重发",
    "R": "回执不成立，不影响办件；对方会再发",
    "F": "收费与目录标准、开票或收款的规定不符：不要据此收费或放证；请开票单位核对通知书，作废后重开或更正",
    "G": "代办不合规定：不要据此收款或交件；请代办站核对委托、金额和专人，更正后重发",
    "B": "材料没有收全，不影响办理进度；会自动再取",
}
_ELSE = "请与来源单位核对；改正后由对方重发，收到后自动办理"


def todo(rule: str) -> str:
    """What a person should do about a message that broke `rule`."""
    return _TODO.get(rule) or _BY_LETTER.get(rule[:1]) or _ELSE


def set_aside(desk: Desk) -> tuple[Quarantined, ...]:
    """Genuine events that wait or are quarantined, then what could not be believed; the latest first."""
    node = desk.node
    keeper = Role.ADMINISTRATOR in desk.who.roles
    genuine = [_genuine(desk, row, keeper=keeper) for row in node.read(views.aside)]
    foreign = [_unbelievable(desk, row, keeper=keeper) for row in node.read(views.unbelievable)]
    return tuple(sorted((*genuine, *foreign), key=lambda one: one.at, reverse=True))


def _genuine(desk: Desk, row: Any, *, keeper: bool) -> Quarantined:
    waits = row.state == EventState.WAITING
    again = keeper and not waits and row.rule not in BARRED
    step = f"第 {row.n} 步" if row.n else f"#{row.ord}"
    about = f" · 办件 {case_tail(row.case_no)}" if row.case_no else ""
    return Quarantined(
        at=row.at,
        origin=show.place_name(desk.node, row.frm),
        what=f"{VERBS.get(row.kind, row.kind)} · {step}{about}",
        rule="等待" if waits else row.rule,
        reason=row.reason,
        todo="缺前一步、授权，或较新的目录、名册，到了自动继续，无需处理" if waits else todo(row.rule),
        case_href=links.case(row.case_no) if row.case_no else "",
        told=True,
        carried=(("frm", row.frm), ("ep", row.ep), ("ord", str(row.ord))) if again else (),
        release_action=links.RELEASE if again else "",
    )


def _unbelievable(desk: Desk, row: Any, *, keeper: bool) -> Quarantined:
    last: datetime = row.last_at
    source = f"自称{show.place_name(desk.node, row.source)}" if row.source else "来源不明"
    return Quarantined(
        at=last,
        origin=source,
        what=f"不能采信的报文，共 {row.times} 次" if row.times > 1 else "不能采信的报文",
        rule=row.rule,
        reason=row.reason,
        todo=todo(row.rule),
        href=f"{links.LINE}/quarantine/{row.sha}" if keeper else "",
        told=row.told,
    )
