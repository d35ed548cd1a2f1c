"""A document as PDF (an extra): the print page drawn on paper by a process of its own, for whoever has no printer at hand.

One rule: it is the same page. Number, count and the mark 补打 come from `issue`; here is only another way to the paper.
"""

import asyncio
import ctypes
import sys
from contextlib import suppress
from importlib.util import find_spec
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import Response

from node.documents.press import SECONDS
from node.errors import NotInstalled, Unavailable

LIBRARY = "libpangoft2-1.0.so.0"
"""Lays out text; brings all else that WeasyPrint needs of the system."""
_HOW = "请用浏览器打印；需要 PDF 时，请系统管理员"


def lacking() -> str:
    """What must be installed before a PDF can be drawn here, as a sentence; "" if nothing."""
    if find_spec("weasyprint") is None:
        return f"{_HOW}运行 pip install 'liandong[pdf]'"
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return f"{_HOW}安装 {LIBRARY}（Debian：apt-get install libpangoft2-1.0-0 fonts-noto-cjk）"
    return ""


class Press:
    """Draws for one node, one page at a time: a drawing takes a processor and 200 MB while it lasts."""

    def __init__(self) -> None:
        self._place = asyncio.Semaphore(1)

    async def draw(self, html: str) -> bytes:
        """A whole page as PDF; NotInstalled without the extra, Unavailable if it could not be drawn."""
        if how := lacking():
            raise NotInstalled(how)
        async with self._place:
            # -P and not -I, so that a program started from its sources finds them here too.
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "node.documents.press",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            try:
                async with asyncio.timeout(SECONDS):
                    out, _ = await child.communicate(html.encode())
            except TimeoutError:
                out = b""
            finally:
                if child.returncode is None:
                    with suppress(ProcessLookupError):
                        child.kill()
                    await child.wait()
        if child.returncode or not out.startswith(b"%PDF-"):
            raise Unavailable("PDF 未能生成，请用浏览器打印")
        return out


async def answer(request: Request, html: str, name: str) -> Response:
    """A whole page as a PDF of this name, to be looked at and kept; NotInstalled, Unavailable."""
    press: Press = request.app.state.press
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(f'{name}.pdf')}"
    return Response(await press.draw(html), media_type="application/pdf", headers=headers)


def dress(app: FastAPI) -> None:
    """Give an application its press."""
    app.state.press = Press()
