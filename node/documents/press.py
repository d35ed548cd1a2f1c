"""The process that draws one page as PDF: HTML in on standard input, the PDF out.

    python -P -m node.documents.press

One rule: nothing is fetched. The style sheet and the pictures are this package's own static files, read from where
they are installed; every other address, on the network or on this disk, is refused and the page is drawn without it.
"""

import sys
from email.message import EmailMessage
from urllib.parse import urljoin

from node.materials.child import bound
from node.pages.assets import Assets

SECONDS = 60
"""Of processor time, and of waiting for it; a page takes about two."""
BASE = "http://node.invalid/"
"""What stands before the addresses of our own files; `.invalid` exists nowhere (RFC 2606)."""


def draw(html: str) -> bytes:
    """A whole page as PDF on the paper that its style sheet names."""
    from weasyprint import HTML  # an extra, and heavy: only here
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    assets = Assets()
    ours = urljoin(BASE, f"{assets.prefix}/")

    class Shelf(URLFetcher):
        """Gives our static files and refuses everything else."""

        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:  # noqa: ARG002
            found = assets.find(url.removeprefix(ours)) if url.startswith(ours) else None
            if found is None:
                raise ValueError(f"not ours: {url}")
            kind = EmailMessage()
            kind["Content-Type"] = found.kind
            return URLFetcherResponse(url, found.body, kind)

    shelf = Shelf()  # type: ignore[no-untyped-call]  # its parent's
    return bytes(HTML(string=html, base_url=BASE, url_fetcher=shelf).write_pdf())


def main() -> None:
    """Draw what comes on standard input."""
    bound(SECONDS)
    sys.stdout.buffer.write(draw(sys.stdin.buffer.read().decode()))


if __name__ == "__main__":
    main()
