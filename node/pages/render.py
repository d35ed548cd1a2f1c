"""The renderer (页面绘制): templates, static files, headers. Built once per app, or once for many nodes.

One rule: strict everywhere. An unknown name in a template is an error, everything is escaped, no script
or style stands inside a page, and a page with personal data is never stored by a cache.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from node.pages import charts, links, words
from node.pages.assets import Assets
from node.pages.icons import icon, lamp
from node.pages.qr import qr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from node.pages.page import Page

TEMPLATES = Path(__file__).parent / "templates"

SECURITY_HEADERS: dict[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=()",
}
"""Sent with every page."""


@dataclass(frozen=True, slots=True)
class Live:
    """A fragment that the page asks for again and again; `etag` names its content."""

    html: str
    etag: str


def live(html: str) -> Live:
    """`html` with its name written into the first tag's {ETAG} mark."""
    etag = hashlib.sha256(html.encode()).hexdigest()[:16]
    return Live(html=html.replace("{ETAG}", etag, 1), etag=etag)


def answer_page(html: str, status: int = 200) -> HTMLResponse:
    """A whole page with its headers: never stored, because it may hold personal data."""
    return HTMLResponse(html, status, {**SECURITY_HEADERS, "Cache-Control": "no-store"})


def answer_live(fragment: Live, headers: "Mapping[str, str]") -> Response:
    """The fragment, or 304 without a body when the page already shows it (If-None-Match)."""
    mark = f'"{fragment.etag}"'
    kept = {"ETag": mark, "Cache-Control": "no-store", "Vary": "HX-Request"}
    if headers.get("if-none-match") == mark:
        return Response(status_code=304, headers=kept)
    return HTMLResponse(fragment.html, headers={**SECURITY_HEADERS, **kept})


class Pages:
    """Draws templates. Holds nothing of any node, so one may serve all nodes of a process."""

    def __init__(self, *extra_folders: Path, prefix: str = "/static") -> None:
        self.assets = Assets(prefix)
        self.environment = _environment([TEMPLATES, *extra_folders], self.assets)

    def draw(self, template: str, page: "Page", view: object = None) -> str:
        """`template` with its frame; jinja2 errors for a template that asks for what is not there."""
        return self.environment.get_template(template).render(page=page, now=page.now, view=view)

    def draw_live(self, template: str, page: "Page", view: object = None) -> Live:
        """`template` as a part that refreshes, with the name of its content written into it."""
        return live(self.draw(template, page, view))


@pass_context
def _part(context: Context, template: str) -> Markup:
    """A part that refreshes, drawn into a whole page exactly as it would be answered alone."""
    page: Page = context["page"]
    return Markup(page.pages.draw_live(template, page, context.get("view")).html)  # noqa: S704 - our own template


def _environment(folders: list[Path], assets: Assets) -> Environment:
    """A strict environment with our words, icons and charts."""
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        day=words.day,
        day_of_week=words.day_of_week,
        short_day=words.short_day,
        moment=words.moment,
        when=words.when,
        iso=words.iso,
        ago=words.ago,
        lasting=words.lasting,
        yuan=words.yuan,
        workdays=words.workdays,
        thousands=words.thousands,
        percent=words.percent,
        signed=words.signed,
        mask_name=words.mask_name,
        mask_id=words.mask_id,
        mask_phone=words.mask_phone,
        short_code=words.short_code,
        case_no=words.case_no,
        case_tail=words.case_tail,
        fingerprint=words.fingerprint,
    )
    environment.globals.update(
        part=_part, icon=icon, lamp=lamp, qr=qr, charts=charts, to=links, asset=assets.url
    )
    return environment
