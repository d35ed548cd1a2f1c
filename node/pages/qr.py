"""QR codes for slips: inline SVG by segno, sharp on paper, no image request."""
# ruff: noqa: S704 - segno draws rectangles only.

from markupsafe import Markup


def qr(text: str, title: str = "二维码") -> Markup:
    """`text` as a QR code with error correction M, as inline SVG without a fixed size."""
    import segno  # brings a web client along: two megabytes that a node at rest need not keep

    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(
        border=2, omitsize=True, svgclass="qr", lineclass=None, dark="#1f2a2f", title=title
    )
    return Markup(drawn.replace("<svg ", '<svg role="img" ', 1))
