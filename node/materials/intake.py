"""Taking a file in (收件检查): what it is by its content, and what is kept of it.

One rule: a name, an extension and a header are claims; only the bytes count. A photo is decoded and drawn anew as
JPEG or PNG, so that position, comments, scripts and second files inside it are gone; its orientation is applied.
A PDF is looked through and kept as it is, or refused. Everything else is refused in words that a clerk can act on.

This runs in a process of its own (`workshop.py`); import nothing here that holds keys or talks to a database.
"""

import re
import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from node.materials.rules import MIB, MaterialRules

JPEG, PNG, WEBP, PDF = "image/jpeg", "image/png", "image/webp", "application/pdf"
ACCEPTED = "请使用照片（JPEG、PNG、WebP）或 PDF"
THUMB_PX = 240
_PICTURES = {JPEG: ("JPEG",), PNG: ("PNG",), WEBP: ("WEBP",)}
_ROUNDS = ((1.0, 85), (0.8, 80), (0.55, 75))
"""How hard a photo is pressed, in turn: share of the longest side, and JPEG quality."""
_MARKUP = re.compile(rb"<(?:!doctype|html|script|iframe|svg[\s>]|\?php)", re.IGNORECASE)
_ZIP_END = b"PK\x05\x06"
_NAMED = (
    (b"GIF8", "GIF 图片"),
    (b"BM", "BMP 图片"),
    (b"II*\x00", "TIFF 图片"),
    (b"MM\x00*", "TIFF 图片"),
    (b"PK\x03\x04", "压缩包或 Office 文件"),
    (b"\xd0\xcf\x11\xe0", "Office 文件"),
    (b"Rar!", "压缩包"),
    (b"7z\xbc\xaf", "压缩包"),
    (b"MZ", "程序"),
    (b"\x7fELF", "程序"),
)


class IntakeRefused(Exception):
    """The file cannot be taken in; the words say why, with the numbers, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What is kept of a file: its type, its bytes, a small picture of it (none for a PDF), the pages of a PDF."""

    kind: str
    data: bytes
    thumb: bytes = b""
    pages: int = 0


def clean(data: bytes, rules: MaterialRules) -> Cleaned:
    """What may be kept of this file; IntakeRefused with the reason."""
    if len(data) > rules.upload_max:
        raise IntakeRefused(too_large(len(data), rules.upload_max))
    kind = kind_of(data)
    if kind == PDF:
        from node.materials.pdf import check_pdf

        return Cleaned(PDF, data, pages=check_pdf(data, rules))
    if _MARKUP.search(data) or _ZIP_END in data[-66_000:] or b"%PDF-" in data[:1024]:
        raise IntakeRefused("照片里夹带了网页、脚本或别的文件，不能收。请重新拍照")
    return _photo(data, kind, rules)


def too_large(size: int, limit: int) -> str:
    """The refusal of a file by its size."""
    return f"文件 {size / MIB:.1f} MB，超过 {limit / MIB:.0f} MB 的上限，请缩小后再传"


def kind_of(data: bytes) -> str:
    """The type by content; IntakeRefused for what is not accepted, named if it is known."""
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data.startswith(b"%PDF-"):
        return PDF
    raise IntakeRefused(f"{_what(data)}，不能收。{ACCEPTED}")


def _what(data: bytes) -> str:
    if not data:
        return "文件是空的"
    if data[4:8] == b"ftyp":
        if data[8:12] in (b"heic", b"heix", b"mif1", b"heif", b"avif"):
            return "这是 HEIC/AVIF 照片（请在手机相机设置里改为“兼容性最佳”）"
        return "这是视频"
    start = data[:512].lstrip(b"\xef\xbb\xbf\x00 \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml")):
        return "这是 SVG 或 XML 文件"
    if start.startswith(b"<"):
        return "这是网页文件"
    return next((f"这是{name}" for head, name in _NAMED if data.startswith(head)), "认不出这个文件")


def _photo(data: bytes, kind: str, rules: MaterialRules) -> Cleaned:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the size is asked below, with our own number
        try:
            picture = _decode(data, kind, rules)
        except IntakeRefused:
            raise
        except Image.DecompressionBombError:
            raise IntakeRefused(_too_many(0, 0, rules)) from None
        except Exception:  # noqa: BLE001 - a decoder may fail in any way
            raise IntakeRefused("照片打不开：文件不完整，或不是它自称的类型。请重新拍照") from None
    kept_kind, kept = _encode(picture, kind, rules)
    return Cleaned(kept_kind, kept, thumb_of(picture))


def _decode(data: bytes, kind: str, rules: MaterialRules) -> Image.Image:
    """The picture: upright, flat, at most as large as is kept, with nothing beside its pixels."""
    with Image.open(BytesIO(data), formats=_PICTURES[kind]) as raw:
        width, height = raw.size
        if width * height > rules.pixels_max:
            raise IntakeRefused(_too_many(width, height, rules))
        if min(width, height) < 16:
            raise IntakeRefused(f"照片只有 {width}×{height} 像素，看不清，请重新拍照")
        raw.draft("RGB", (rules.edge_px, rules.edge_px))
        raw.load()
        upright = ImageOps.exif_transpose(raw)
        flat = _flat(upright)
    flat.thumbnail((rules.edge_px, rules.edge_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    flat.info.clear()
    return flat


def _flat(picture: Image.Image) -> Image.Image:
    """Grey or RGB, transparent parts on white paper."""
    if picture.mode in ("1", "L"):
        return picture.convert("L")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        paper = Image.new("RGB", picture.size, "white")
        paper.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return paper
    return picture.convert("RGB")


def _encode(picture: Image.Image, kind: str, rules: MaterialRules) -> tuple[str, bytes]:
    """JPEG, or PNG where it came as one and stays small; IntakeRefused if it cannot be made small enough."""
    if kind == PNG and len(drawn := _save(picture, "PNG", optimize=True)) <= rules.photo_max // 2:
        return PNG, drawn
    size = 0
    for share, quality in _ROUNDS:
        edge = max(1, int(rules.edge_px * share))
        smaller = picture.copy()
        smaller.thumbnail((edge, edge), Image.Resampling.LANCZOS)
        drawn = _save(smaller, "JPEG", quality=quality, optimize=True)
        size = len(drawn)
        if size <= rules.photo_max:
            return JPEG, drawn
    raise IntakeRefused(f"压缩后仍有 {too_large(size, rules.photo_max)[3:]}")


def thumb_of(picture: Image.Image) -> bytes:
    """A small JPEG on which nothing can be read."""
    small = picture.copy()
    small.thumbnail((THUMB_PX, THUMB_PX), Image.Resampling.BILINEAR)
    return _save(small.convert("RGB"), "JPEG", quality=60)


def _save(picture: Image.Image, form: str, **how: object) -> bytes:
    out = BytesIO()
    picture.save(out, form, **how)
    return out.getvalue()


def _too_many(width: int, height: int, rules: MaterialRules) -> str:
    said = f"{width}×{height} 像素" if width else "像素过多"
    return f"照片 {said}，超过 {rules.pixels_max // 10_000} 万像素的上限，请调低相机分辨率后重拍"
