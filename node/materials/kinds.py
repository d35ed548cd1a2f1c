"""What a file is by its first bytes (文件类型), and in which words one is refused. Nothing is decoded here."""

from dataclasses import dataclass

from node.materials.rules import MIB

JPEG, PNG, WEBP, PDF = "image/jpeg", "image/png", "image/webp", "application/pdf"
ACCEPTED = "请使用照片（JPEG、PNG、WebP）或 PDF"
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
