"""Every page with sample values, served as the node serves it: python -m tests.browser.preview [PORT].

The catalogue of pages is PAGES: name -> (page, view) -> HTML. Tests walk it; people open / and look.
"""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from node.pages import links, screens
from node.pages.render import Pages, answer_live, answer_page
from node.pages.views import ErrorView
from tests.browser import samples as s
from tests.browser.samples_case import CASE_FULL
from tests.browser.samples_powers import DRAWN

Draw = Callable[[Pages], str]


def _error(view: ErrorView) -> Draw:
    return lambda p: screens.error_page(s.village(p, "/x"), view)


def _drawn(name: str) -> Draw:
    template, view = DRAWN[name]
    return lambda p: p.draw(template, s.township(p, f"/{name}"), view)


PAGES: dict[str, Draw] = {
    "login": lambda p: screens.login_page(s.village(p, "/login", desk=None, nav=()), s.LOGIN),
    "login-failed": lambda p: screens.login_page(
        s.village(p, "/login", desk=None, nav=(), line=s.CUT), s.LOGIN_FAILED
    ),
    "password": lambda p: screens.password_page(s.village(p, "/password", nav=()), s.PASSWORD),
    "home": lambda p: screens.home_page(s.village(p), replace(s.HOME, live_href="/live/home")),
    "home-offline": lambda p: screens.home_page(s.village(p, line=s.CUT), s.HOME_OFFLINE),
    "home-empty": lambda p: screens.home_page(s.village(p), s.HOME_EMPTY),
    "file-1": lambda p: screens.filing_page(s.village(p, "/file"), s.FILE_1),
    "file-1-chosen": lambda p: screens.filing_page(s.village(p, "/file"), s.FILE_1_CHOSEN),
    "file-1-none": lambda p: screens.filing_page(s.village(p, "/file"), s.FILE_1_NONE),
    "file-2": lambda p: screens.filing_page(s.village(p, "/file"), s.FILE_2),
    "file-2-errors": lambda p: screens.filing_page(s.village(p, "/file", line=s.CUT), s.FILE_2_ERRORS),
    "file-3": lambda p: screens.filing_page(s.village(p, "/file"), s.FILE_3),
    "file-4": lambda p: screens.filing_page(s.village(p, "/file"), s.FILE_4),
    "receipt": lambda p: screens.receipt_page(s.village(p, "/file"), s.RECEIPT),
    "receipt-offline": lambda p: screens.receipt_page(s.village(p, "/file", line=s.CUT), s.RECEIPT_OFFLINE),
    "queue": lambda p: screens.queue_page(s.township(p), s.queue("/live/queue")),
    "queue-peek": lambda p: screens.queue_page(s.township(p), replace(s.queue(), peek=s.PEEK)),
    "queue-empty": lambda p: screens.queue_page(s.township(p), s.QUEUE_EMPTY),
    "case": lambda p: screens.case_page(
        s.township(p, "/cases/x", notice=s.DONE), replace(s.CASE, live_href="/live/case")
    ),
    "case-remote": lambda p: screens.case_page(s.township(p, "/cases/x"), s.CASE_REMOTE),
    "case-error": lambda p: screens.case_page(s.township(p, "/cases/x"), s.CASE_ERROR),
    "case-full": lambda p: screens.case_page(
        s.township(p, "/cases/x"), replace(CASE_FULL, live_href="/live/case-full?part=status")
    ),
    "handovers": lambda p: screens.handover_page(s.township(p, "/handovers"), s.HANDOVERS),
    "handovers-empty": lambda p: screens.handover_page(s.township(p, "/handovers"), s.HANDOVERS_EMPTY),
    "catalogue": lambda p: screens.catalogue_page(s.township(p, "/catalogue"), s.CATALOGUE),
    "item": lambda p: screens.item_page(s.village(p, "/catalogue/SZS-004"), s.ITEM),
    "holders": lambda p: screens.holders_page(s.county(p, links.HOLDERS, covering=s.COVERING), s.HOLDERS),
    "line": lambda p: screens.line_page(
        s.village(p, "/line", line=s.CUT), replace(s.LINE, live_href="/live/acts")
    ),
    "line-quarantine": lambda p: screens.line_page(s.village(p, "/line"), s.LINE_QUARANTINE),
    "line-clean": lambda p: screens.line_page(s.village(p, "/line"), s.LINE_CLEAN),
    "board": lambda p: screens.board_page(s.county(p, covering=s.COVERING), s.BOARD),
    "city": lambda p: screens.city_page(s.city(p, covering=s.COVERING_CITY), s.CITY_VIEW),
    "evidence": lambda p: screens.evidence_page(s.township(p, "/evidence"), s.EVIDENCE_PLAIN),
    "evidence-case": lambda p: screens.evidence_page(s.township(p, "/evidence"), s.EVIDENCE_CASE),
    "evidence-making": lambda p: screens.evidence_page(s.township(p, "/evidence"), s.EVIDENCE_MAKING),
    "evidence-good": lambda p: screens.evidence_page(s.township(p, "/evidence"), s.EVIDENCE_GOOD),
    "evidence-bad": lambda p: screens.evidence_page(s.township(p, "/evidence"), s.EVIDENCE_BAD),
    "evidence-unreadable": lambda p: screens.evidence_page(s.township(p, "/evidence"), s.EVIDENCE_UNREADABLE),
    "users": lambda p: screens.users_page(s.township(p, "/users"), s.USERS),
    "audit": lambda p: screens.audit_page(s.township(p, "/audit"), s.AUDIT),
    "audit-broken": lambda p: screens.audit_page(s.township(p, "/audit"), s.AUDIT_BROKEN),
    "large": lambda p: screens.queue_page(s.township(p, large=True), s.queue()),
    **{name: _drawn(name) for name in DRAWN},
    **{f"error-{status}": _error(view) for status, view in s.ERRORS.items()},
}


def _file(pages: Pages, form: dict[str, str]) -> str:
    """A small wizard without a store: enough to walk it by hand, with and without script."""
    step, go = int(form.get("step", "1")), form.get("go", "next")
    if go == "save":
        return screens.filing_page(s.village(pages, "/file"), s.FILE_2)
    if step == 2 and go == "next" and form.get("id_no") != "640221194503120043":
        view = replace(
            s.FILE_2_ERRORS,
            fields=tuple(
                replace(f, value=form.get(f.name, f.value) if f.kind != "checks" else f.value)
                for f in s.FILE_2_ERRORS.fields
            ),
        )
        return screens.filing_page(s.village(pages, "/file"), view)
    target = step - 1 if go == "back" else step + 1
    if target == 5:
        return screens.receipt_page(s.village(pages, "/file"), s.RECEIPT)
    view = {1: s.FILE_1_CHOSEN, 2: s.FILE_2, 3: s.FILE_3, 4: s.FILE_4}[target]
    return screens.filing_page(s.village(pages, "/file"), view)


def app() -> Starlette:
    """The preview as an app of its own."""
    pages = Pages()

    async def index(_: Request) -> Response:
        rows = "".join(f'<li><a href="/p/{name}">{name}</a></li>' for name in PAGES)
        return HTMLResponse(f"<!doctype html><meta charset=utf-8><title>pages</title><ul>{rows}</ul>")

    async def show(request: Request) -> Response:
        draw = PAGES.get(request.path_params["name"])
        return answer_page(draw(pages)) if draw else Response(status_code=404)

    async def part(request: Request) -> Response:
        page, which = s.township(pages), request.query_params.get("part", "status")
        live = {
            "queue": lambda: screens.queue_live(page, s.queue("/live/queue")),
            "home": lambda: screens.home_live(s.village(pages), replace(s.HOME, live_href="/live/home")),
            "case": lambda: screens.case_live(page, replace(s.CASE, live_href="/live/case"), which),
            "case-full": lambda: screens.case_live(
                page, replace(CASE_FULL, live_href="/live/case-full?part=status"), which
            ),
            "acts": lambda: screens.line_live(page, replace(s.LINE, live_href="/live/acts")),
        }[request.path_params["name"]]()
        return answer_live(live, request.headers)

    async def cases(_: Request) -> Response:
        return answer_page(PAGES["queue"](pages))

    async def wizard(request: Request) -> Response:
        if request.method == "GET":
            return answer_page(screens.filing_page(s.village(pages, "/file"), s.FILE_1))
        form = {name: str(value) for name, value in (await request.form()).items()}
        return answer_page(_file(pages, form), 200)

    async def act(_: Request) -> Response:
        return RedirectResponse("/p/case", status_code=303)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/p/{name}", show),
            Route("/live/{name}", part),
            Route("/file", wizard, methods=["GET", "POST"]),
            Route("/act/{key}", act, methods=["POST"]),
            Route("/cases", cases),
            Mount("/static", pages.assets),
        ],
    )


def main() -> None:
    """Serve the preview on loopback."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8099
    server = uvicorn.Server(uvicorn.Config(app(), host="127.0.0.1", port=port, log_level="warning"))
    asyncio.run(server.serve())


if __name__ == "__main__":
    main()
