"""The print view of a document: A4, with number, QR and look-up code; a reprint is marked 补打."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from node.accounts.views import names
from node.desk import show
from node.desk.frame import AtWork, Desk, centre_of, onward
from node.desk.frame import show as answer
from node.documents import issue, pdf
from node.documents.kinds import KINDS
from node.documents.sheet import Content
from node.errors import Conflict, NotFound, NotInstalled
from node.pages import links
from node.pages.views.powers import StampingView
from node.powers.stamping import stamping
from node.work import civil_date
from protocol.envelope import Event

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class DocumentView:
    """One document, ready to be printed."""

    id: str
    name: str
    number: str
    """"" while it has not been printed for the first time."""
    organ: str
    """Who issues it: whose seal it waits for."""
    ours: bool
    """Whether that is this place; else it is printed here for the issuer (代为打印)."""
    no: str
    content: Content
    made_on: date
    officer: str
    """Who took the step that makes it; the same whoever looks at it."""
    lookup: str
    prints: int
    """How often it has been printed; from 2 on it is marked."""
    fresh: bool
    """Whether this very look is the one that was just counted: it goes to the printer."""
    print_href: str
    pdf: bool
    """Whether this machine can draw it as PDF."""
    stamping: StampingView | None = None
    """Where it bears a seal of this place and has its number."""


def _view(desk: Desk, no: str, kind_id: str, *, counted: bool = False) -> DocumentView:
    node = desk.node
    kind = KINDS.get(kind_id)
    subject = node.read(issue.subject_of, node.know, no)
    if kind is None or kind not in issue.offered(subject):
        raise NotFound("本件现在没有这份文书")
    known = node.read(issue.issued, subject).get(kind_id)
    content, made = issue.content(subject, kind), kind.made_by(subject)
    issuer = made.frm if made else node.place
    ours = issuer == node.place
    return DocumentView(
        id=kind.id,
        name=kind.name,
        number=issue.number_of(subject, kind, known),
        organ=centre_of(node.know.roster[issuer]) if issuer in node.know.roster else issuer,
        ours=ours,
        no=no,
        content=content,
        made_on=date.fromisoformat(str(made.body["on"])) if made else civil_date(desk.now),
        officer=_officer(desk, made),
        lookup=issue.lookup_code(subject.steps["case.filed"].hash),
        prints=known.prints if known else 0,
        fresh=counted and known is not None and known.prints > 0,
        print_href=f"{links.case(no)}/documents/{kind_id}/print",
        pdf=not pdf.lacking(),
        stamping=stamping(desk, no, content.seal, f"{kind.name} {known.number}") if known and ours else None,
    )


def _officer(desk: Desk, made: Event | None) -> str:
    """经办: who made the document, by name where he is one of ours."""
    by = str(made.body.get("by", "")) if made else desk.who.staff_no
    ours = made is None or made.frm == desk.node.place
    return show.person(by, desk.node.read(names) if ours else {})


def _notice(view: DocumentView) -> str:
    """What is said after the print was counted."""
    if not view.fresh:
        return ""
    if view.prints > 1:
        return f"已登记补打第 {view.prints - 1} 次，请打印本页"
    return f"已{'取号' if view.number and view.ours else '登记'}，请打印本页"


@router.get(links.CASES + "/{no}/documents/{kind_id}.pdf")
async def document_pdf(request: Request, desk: AtWork, no: str, kind_id: str) -> Response:
    """The sheet as it was last printed, as PDF; NotInstalled without the extra, Conflict while it was never printed."""
    view, page = _view(desk, no, kind_id), desk.page()
    if not view.prints and view.pdf:
        raise Conflict("这份文书还没有打印过，请在文书页上取 PDF")
    return await pdf.answer(request, page.pages.draw("document.html", page, view), f"{view.name} {no}")


@router.get(links.CASES + "/{no}/documents/{kind_id}")
async def document(request: Request, desk: AtWork, no: str, kind_id: str, done: str = "") -> Response:
    """The sheet; right after its print was counted it opens the printer by itself."""
    view = _view(desk, no, kind_id, counted=done == "print")
    request.state.notice = "已登入用章登记簿。" if done == "use" else _notice(view)
    page = desk.page()
    return answer(page.pages.draw("document.html", page, view))


@router.post(links.CASES + "/{no}/documents/{kind_id}/print")
async def count_print(desk: AtWork, no: str, kind_id: str, to: Annotated[str, Form()] = "") -> Response:
    """Give it its number and count the print; then show it again, to be printed, or as PDF."""
    if to == "pdf" and (how := pdf.lacking()):
        raise NotInstalled(how)
    await desk.node.do(issue.print_document, desk.who, no, kind_id)
    sheet = f"{links.case(no)}/documents/{kind_id}"
    return onward(f"{sheet}.pdf" if to == "pdf" else links.query(sheet, done="print"))
