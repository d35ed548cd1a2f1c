"""Photos (照片): decoded and drawn anew, upright, flat and small, so that nothing is left in them but what is seen."""

import warnings
from io import BytesIO

from PIL import Image, ImageOps

from node.materials.kinds import JPEG, PNG, WEBP, Cleaned, IntakeRefused, too_large
from node.materials.rules import MaterialRules

THUMB_PX = 240
_PICTURES = {JPEG: ("JPEG",), PNG: ("PNG",), WEBP: ("WEBP",)}
_ROUNDS = ((1.0, 85), (0.8, 80), (0.55, 75))
"""How hard a photo is pressed, in turn: share of the longest side, and JPEG quality."""


def redrawn(data: bytes, kind: str, rules: MaterialRules) -> Cleaned:
    """What is kept of a photo: drawn anew, with its small picture; IntakeRefused if it cannot be opened or made small."""
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
