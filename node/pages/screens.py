"""The pages themselves: one function each, view in, HTML out; `*_live` gives the part that refreshes.

One rule: nothing is decided here. A page shows its view; who may see it was settled before.
"""

from node.pages.page import Page
from node.pages.render import Live
from node.pages.views import (
    AuditView,
    Board,
    CaseView,
    CatalogueView,
    CityBoard,
    EntrustmentView,
    ErrorView,
    EvidenceView,
    FilingView,
    HandoverView,
    HoldersView,
    HomeView,
    ItemView,
    LineView,
    LoginView,
    PasswordView,
    Progress,
    QueueView,
    ReceiptView,
    UsersView,
)
from node.pages.views.line import FerryFiles
from node.pages.views.materials import CorrectionView


def _whole(page: Page, template: str, view: object) -> str:
    return page.pages.draw(template, page, view)


def _part(page: Page, template: str, view: object) -> Live:
    return page.pages.draw_live(template, page, view)


def login_page(page: Page, view: LoginView) -> str:
    """登录."""
    return _whole(page, "login.html", view)


def password_page(page: Page, view: PasswordView) -> str:
    """修改密码, also at the first login."""
    return _whole(page, "password.html", view)


def home_page(page: Page, view: HomeView) -> str:
    """我的待办."""
    return _whole(page, "home.html", view)


def home_live(page: Page, view: HomeView) -> Live:
    """Counts, waiting banner and urgent cases of the home page."""
    return _part(page, "home_live.html", view)


def filing_page(page: Page, view: FilingView) -> str:
    """帮办申报, the step that is open."""
    return _whole(page, "filing.html", view)


def correction_page(page: Page, view: CorrectionView) -> str:
    """提交补正."""
    return _whole(page, "correction.html", view)


def entrustment_page(page: Page, view: EntrustmentView) -> str:
    """代办委托书 of a form that is being filled in, printable."""
    return _whole(page, "entrustment.html", view)


def receipt_page(page: Page, view: ReceiptView) -> str:
    """Filed: 收件凭证 with QR, printable."""
    return _whole(page, "receipt.html", view)


def receipt_live(page: Page, view: ReceiptView) -> Live:
    """How far the filing got."""
    return _part(page, "receipt_live.html", view)


def queue_page(page: Page, view: QueueView) -> str:
    """办件队列, 我的办件, 台账."""
    return _whole(page, "queue.html", view)


def queue_live(page: Page, view: QueueView) -> Live:
    """The rows of the list."""
    return _part(page, "queue_live.html", view)


def case_page(page: Page, view: CaseView) -> str:
    """One case."""
    return _whole(page, "case.html", view)


def case_live(page: Page, view: CaseView, part: str = "status") -> Live:
    """`status` (light and rail), `story` (the signed steps) or `materials` of the case page."""
    return _part(page, f"case_{part if part in ('story', 'materials') else 'status'}.html", view)


def handover_page(page: Page, view: HandoverView) -> str:
    """移交接收."""
    return _whole(page, "handovers.html", view)


def catalogue_page(page: Page, view: CatalogueView) -> str:
    """事项目录."""
    return _whole(page, "catalogue.html", view)


def item_page(page: Page, view: ItemView) -> str:
    """One item with its 八公开."""
    return _whole(page, "item.html", view)


def holders_page(page: Page, view: HoldersView) -> str:
    """Who holds which edition of the catalogue."""
    return _whole(page, "holders.html", view)


def line_page(page: Page, view: LineView) -> str:
    """节点与线路: how far every act got, and what is in quarantine."""
    return _whole(page, "line.html", view)


def ferry_page(page: Page, view: FerryFiles) -> str:
    """The files of one export (摆渡)."""
    return _whole(page, "ferry.html", view)


def line_live(page: Page, view: LineView) -> Live:
    """Lines, counts and acts of the line page."""
    return _part(page, "line_live.html", view)


def line_state_live(page: Page) -> Live:
    """The line state in the masthead."""
    return _part(page, "line_state.html", None)


def board_page(page: Page, view: Board) -> str:
    """A hub's children: in hand, due, overdue, line state, catalogue edition."""
    return _whole(page, "board.html", view)


def board_live(page: Page, view: Board) -> Live:
    """Figures and rows of the board."""
    return _part(page, "board_live.html", view)


def city_page(page: Page, view: CityBoard) -> str:
    """全市汇总: sums with coverage, declared beside recomputed."""
    return _whole(page, "city.html", view)


def evidence_page(page: Page, view: EvidenceView) -> str:
    """证据: export a case, or check a file."""
    return _whole(page, "evidence.html", view)


def progress_live(page: Page, view: Progress) -> Live:
    """How far long work has got."""
    return _part(page, "progress.html", view)


def users_page(page: Page, view: UsersView) -> str:
    """用户管理."""
    return _whole(page, "users.html", view)


def audit_page(page: Page, view: AuditView) -> str:
    """审计日志."""
    return _whole(page, "audit.html", view)


def error_page(page: Page, view: ErrorView) -> str:
    """404, 403, 422, 500, 503 …"""
    return _whole(page, "error.html", view)
