"""Photos and PDFs for tests, made on the spot, good and bad."""

from functools import cache
from io import BytesIO

from PIL import Image


@cache
def photo(width: int = 320, height: int = 240, *, seed: int = 0, orientation: int = 1) -> bytes:
    """A JPEG as a phone makes it: with a position, a comment and an orientation."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    picture.paste((seed * 37 % 256, seed * 91 % 256, 90), (0, 0, width // 2, height // 2))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "PhoneMaker"
    exif.get_ifd(0x8825).update({1: "N", 2: (38.0, 58.0, 12.5), 3: "E", 4: (106.0, 22.0, 1.5)})
    out = BytesIO()
    picture.save(out, "JPEG", quality=90, exif=exif, comment=b"made-by-phone")
    return out.getvalue()


@cache
def noise(width: int, height: int, form: str = "JPEG", quality: int = 97) -> bytes:
    """A picture that does not compress."""
    picture = Image.effect_noise((width, height), 90).convert("RGB")
    out = BytesIO()
    picture.save(out, form, **({"quality": quality} if form == "JPEG" else {}))
    return out.getvalue()


def pdf(*objects: bytes, catalog: bytes = b"", tail: bytes = b"") -> bytes:
    """A whole PDF of one empty page; `objects` are added as numbers 4, 5, …"""
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        *objects,
    ]
    out = BytesIO()
    out.write(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(bodies, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, start))
    return out.getvalue() + tail


def stream(head: bytes, data: bytes) -> bytes:
    """A stream object."""
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (head, len(data), data)
