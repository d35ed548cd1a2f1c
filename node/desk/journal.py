"""审计日志 for the auditor (审计员): who did what, and whether the log is whole."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from node import audit
from node.accounts import views
from node.accounts.roles import Role
from node.audit import AuditEntry, ChainReport
from node.desk.frame import Desk, holding
from node.desk.frame import show as answer
from node.documents.kinds import KINDS
from node.pages import links, screens
from node.pages.views.common import Choice, Cursor, Field, Tag, Tone
from node.pages.views.people import AuditRow, AuditView
from node.pages.words import case_tail, thousands
from protocol.roster import Roster

router = APIRouter(include_in_schema=False)

Auditor = Annotated[Desk, Depends(holding(Role.AUDITOR))]

PAGE = 50
AT_ONCE = 5000
"""A log up to this long is checked with every look; a longer one when asked."""

ACTS = {
    "login": "登录",
    "login_failed": "登录失败",
    "logout": "退出",
    "password_changed": "修改密码",
    "password_reset": "重设密码",
    "user_created": "新增用户",
    "roles_changed": "修改岗位",
    "user_disabled": "停用用户",
    "user_enabled": "启用用户",
    "user_unlocked": "解除锁定",
    "token_issued": "发放接口令牌",
    "token_revoked": "注销接口令牌",
    "case.reveal": "查看个人信息",
    "evidence.export": "导出证据文件",
    "quarantine.release": "放行隔离",
    "parcels.carried": "摆渡导出",
    "parcels.brought": "摆渡读入",
    "department_changed": "修改部门",
    "catalogue_published": "公布目录",
    "authorisation.revoke": "撤销授权",
    "seal.register": "登记印章",
    "document.print": "打印文书",
    "ledger.export": "导出台账",
    "fee.statement": "导入对账单",
    "material.view": "查看材料",
    "material.glance": "浏览材料",
    "material.reuse": "复用材料",
    "material.deleted": "按期删除材料",
    "post.set_up": "设置岗位",
    "post.change": "调整岗位",
    "post.end": "撤销岗位",
    "post.leave": "登记离岗",
    "post.back": "登记到岗",
    "project.person": "换代办专人",
    "project.closed": "办结项目",
}
"""What stands in the log, in words."""
_UNUSUAL = {
    "login_failed": Tag(text="异常", tone=Tone.ALARM),
    "case.reveal": Tag(text="个人信息", tone=Tone.WARN),
    "roles_changed": Tag(text="权限", tone=Tone.CALM),
    "quarantine.release": Tag(text="隔离区", tone=Tone.WARN),
}


_ABOUT = {"user": "用户", "post": "岗位", "token": "接口令牌", "edition": "目录版次"}
"""What stands before the colon of what an entry is about."""
_CASE = re.compile(r"(\d{12}\w{13})(?:/[0-9a-f]{16})?(?: (.{1,100}))?")
"""A case, with the fingerprint of a material, and the material's name or the kind of a document."""
_OF_PLACE = re.compile(r"(/\d+)?")


@dataclass(frozen=True, slots=True)
class _Look:
    """What part of the log is asked for."""

    words: str = ""
    act: str = ""
    before: int | None = None


def _about(roster: Roster, what: str) -> tuple[str, str]:
    """What an entry is about, in words, and the case it leads to; "" where it is of none."""
    word, colon, name = what.partition(":")
    if colon and word in _ABOUT:
        return f"{_ABOUT[word]} {name}", ""
    place = roster.get(what[:12])
    if found := _CASE.fullmatch(what):
        no, rest = found[1], found[2] or ""
        kind = KINDS.get(rest)
        more = f"《{kind.name}》" if kind else f" {rest}".rstrip()
        return f"办件 {case_tail(no)}{more}", links.case(no)
    if place is not None and _OF_PLACE.fullmatch(what[12:]):
        return f"{place.name}{f' 第 {what[13:]} 条' if what[12:] else ''}", ""
    return what, ""


def _row(roster: Roster, one: AuditEntry, names: dict[str, str]) -> AuditRow:
    about, href = _about(roster, one.what)
    return AuditRow(
        n=one.n,
        at=one.at,
        who=names.get(one.who, {"system": "系统", "anonymous": "未知"}.get(one.who, one.who)),
        what=ACTS.get(one.act, one.act),
        about=about,
        reason=_reason(one),
        source=one.address,
        tone=_UNUSUAL.get(one.act),
        href=href,
    )


def _reason(one: AuditEntry) -> str:
    """The reason; roles in words."""
    if one.act not in ("user_created", "roles_changed"):
        return one.reason
    words = one.reason
    for role in Role:
        words = re.sub(rf"\b{role.value}\b", role.label, words)
    return words.replace(",", "、")


def _view(desk: Desk, look: _Look, head: tuple[int, str], checked: ChainReport | None) -> AuditView:
    node = desk.node
    found = node.db.read(
        lambda session: views.audit_page(
            session, before=look.before, act=look.act, words=look.words, limit=PAGE
        )
    )
    people = node.db.read(lambda session: views.users(session, desk.now))
    names = {one.login: f"{one.name} {one.staff_no}" for one in people}
    acts = tuple(Choice(value=key, label=label) for key, label in ACTS.items())
    older = ""
    if len(found) == PAGE:
        older = links.query(links.AUDIT, q=look.words, act=look.act, before=str(found[-1].n))
    return AuditView(
        rows=tuple(_row(node.know.roster, one, names) for one in found),
        filters=(
            Field(name="q", label="查找", kind="search", value=look.words, hint="用户名、办件编号"),
            Field(
                name="act",
                label="动作",
                kind="select",
                value=look.act,
                choices=(Choice(value="", label="全部动作"), *acts),
            ),
        ),
        action=links.AUDIT,
        cursor=Cursor(
            newer=links.query(links.AUDIT, q=look.words, act=look.act) if look.before else "",
            older=older,
            words="新的在前",
        ),
        chain_ok=checked is None or checked.broken_at is None,
        chain_words=_chain_words(head[0], checked),
        chain_head=head[1],
        check_href="" if checked else links.query(links.AUDIT, check="1"),
    )


def _chain_words(rows: int, checked: ChainReport | None) -> str:
    if checked is None:
        return f"共 {thousands(rows)} 条，本次尚未校验。"
    if checked.broken_at is None:
        return f"链条完整，共 {thousands(checked.rows)} 条，刚刚逐条校验"
    return (
        f"第 {thousands(checked.broken_at)} 条{checked.why}：日志可能被改动过。"
        "请立即报告上级，并保全数据库文件，不要继续操作"
    )


@router.get(links.AUDIT)
async def journal(
    desk: Auditor, q: str = "", act: str = "", before: int | None = None, check: str = ""
) -> Response:
    """The log, newest first, under the state of its chain."""
    head = desk.node.read(audit.head)
    checked = None
    if check or head[0] <= AT_ONCE:
        checked = await desk.node.db.read_slow(audit.verify_chain)
    return answer(screens.audit_page(desk.page(), _view(desk, _Look(q.strip(), act, before), head, checked)))
