"""What the login, user, audit, evidence and error pages show."""

from dataclasses import dataclass
from datetime import datetime

from node.pages.views.cases import Action, Step
from node.pages.views.common import Cursor, Fact, Field, FormView, Progress, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginView:
    """登录."""

    form: FormView
    """用户名, 密码; the error never says which of the two was wrong."""
    wait: str = ""
    """Said after failures: 请 30 秒后再试."""
    notice: str = ""
    """Why one is here again: 超过 30 分钟未操作，已自动退出."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordView:
    """修改密码, also at the first login."""

    form: FormView
    """Old, new, new again."""
    first: bool
    """Whether it is a first password, handed over, that must be replaced."""
    rules: tuple[str, ...]
    """What a password must be."""
    expired: bool = False
    """Whether it has been used for too long, so that nothing else may be done before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """One user (用户)."""

    name: str
    """姓名."""
    login: str
    """用户名."""
    staff_no: str
    """工号."""
    roles: tuple[Tag, ...]
    """代办员, 窗口人员 …"""
    state: Tag
    """在用, 锁定至 …, 停用."""
    last_seen: datetime | None
    """When last logged in."""
    department: str = ""
    """所属部门 in joint handling."""
    href: str = ""
    """Edit page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersView:
    """用户管理."""

    rows: tuple[UserRow, ...]
    """All of this node."""
    form: FormView
    """Add or change one."""
    editing: str = ""
    """Whose form it is; empty when adding."""
    password_once: str = ""
    """A first password, shown this one time."""
    actions: tuple[Action, ...] = ()
    """What else may be done to the user being changed."""
    action_hint: str = ""
    """Said instead of the actions: why none is offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One line of the audit log (审计)."""

    n: int
    """Its number in the chain."""
    at: datetime
    """When, by this node's clock."""
    who: str
    """Who."""
    what: str
    """What: 查看个人信息, 受理, 登录失败."""
    about: str
    """Which case, user or file."""
    reason: str = ""
    """Why, where a reason is asked."""
    source: str = ""
    """Address it came from."""
    tone: Tag | None = None
    """A tag for the unusual."""
    href: str = ""
    """The case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """审计日志."""

    rows: tuple[AuditRow, ...]
    """Newest first."""
    filters: tuple[Field, ...]
    """Who, what, from, until."""
    action: str
    """URL of the list."""
    cursor: Cursor
    """Where the next page is."""
    chain_ok: bool
    """Whether every line still carries the hash of the one before."""
    chain_words: str
    """完整，共 48 213 条，校验于 …."""
    chain_head: str
    """Hash of the newest line."""
    check_href: str = ""
    """Where the whole chain is checked; empty when it has just been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What verifying an evidence file (证据文件) found."""

    ok: bool
    """Whether everything holds."""
    words: str
    """全部 7 步验签通过 / 第 3 步被改动：…."""
    no: str
    """The case it is about."""
    steps: tuple[Step, ...]
    """The story it tells, with each step's proof."""
    facts: tuple[Fact, ...]
    """Root, certificates, size, file hash."""
    problems: tuple[Fact, ...] = ()
    """What does not hold: the line of the file, the rule and the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """证据: export one case, or check a file."""

    check_action: str
    """URL to post a file to."""
    no: str = ""
    """The case to export; empty on the plain page."""
    item: str = ""
    """Its item."""
    export_href: str = ""
    """Download."""
    facts: tuple[Fact, ...] = ()
    """What the file will hold."""
    gaps: tuple[str, ...] = ()
    """Steps not here yet, so the file would be incomplete."""
    progress: Progress | None = None
    """While it is made."""
    result: Checked | None = None
    """What the check found."""
    error: str = ""
    """Why the file could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorView:
    """An error page; says what happened, what was kept, what to do."""

    status: int
    """HTTP status."""
    title: str
    """没有这个页面."""
    text: str
    """Why, in one sentence."""
    todo: tuple[str, ...] = ()
    """What to do now."""
    reference: str = ""
    """A number to tell the operator."""
    back_href: str = "/"
    """The way out."""
    back_label: str = "回到首页"
    """Its words."""
    rule: str = ""
    """The rule that was broken, with its values."""
