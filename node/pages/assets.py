"""Static files (样式与脚本): content-hash addresses, compressed once, cached for ever.

One rule: an address names its bytes, so it may be cached for a year and an upgrade is never seen half.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

FOLDER = Path(__file__).parent / "static"
YEAR_S = 31_536_000


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file, ready to send."""

    address: str
    body: bytes
    small: bytes
    """The same, gzipped; equals `body` where that would not help."""
    kind: str


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    mark = hashlib.sha256(body).hexdigest()[:10]
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    small = gzip.compress(body, 9, mtime=0)
    return Asset(
        address=f"{path.stem}.{mark}{path.suffix}",
        body=body,
        small=small if len(small) < len(body) else body,
        kind=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
    )


class Assets:
    """All static files of the pages; an ASGI app to mount at `prefix`."""

    def __init__(self, prefix: str = "/static", folder: Path = FOLDER) -> None:
        self.prefix = prefix
        self._names = {path.name: _asset(path) for path in sorted(folder.iterdir()) if path.suffix != ".txt"}
        self._addresses = {asset.address: asset for asset in self._names.values()}

    def url(self, name: str) -> str:
        """The address of the file `name`; KeyError when there is none."""
        return f"{self.prefix}/{self._names[name].address}"

    def weight(self, name: str) -> int:
        """How many bytes travel for `name`, compressed."""
        return len(self._names[name].small)

    def find(self, address: str) -> Asset | None:
        """The file at `address`; None when the hash is not ours."""
        return self._addresses.get(address)

    def answer(self, address: str, accepts: str) -> Response:
        """The file at `address`, compressed when the browser takes gzip; 404 when the hash is not ours."""
        asset = self.find(address)
        if asset is None:
            return Response(status_code=404)
        headers = {
            "Cache-Control": f"public, max-age={YEAR_S}, immutable",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        squeezed = "gzip" in accepts and asset.small is not asset.body
        if squeezed:
            headers["Content-Encoding"] = "gzip"
        return Response(asset.small if squeezed else asset.body, media_type=asset.kind, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: GET and HEAD of a static file."""
        request = Request(scope)
        if request.method not in {"GET", "HEAD"}:
            await Response(status_code=405)(scope, receive, send)
            return
        address = scope["path"].rsplit("/", 1)[-1]
        await self.answer(address, request.headers.get("accept-encoding", ""))(scope, receive, send)
