"""Taking a file in (收件检查): what it is by its content, and what is kept of it.

One rule: a name, an extension and a header are claims; only the bytes count. A photo is decoded and drawn anew as
JPEG or PNG, so that position, comments, scripts and second files inside it are gone; its orientation is applied.
A PDF is looked through and kept as it is, or refused. Everything else is refused in words that a clerk can act on.

This runs in a process of its own (`workshop.py`); import nothing here that holds keys or talks to a database.
"""

import re

from node.materials.kinds import PDF, Cleaned, IntakeRefused, kind_of, too_large
from node.materials.pdf import check_pdf
from node.materials.photo import redrawn
from node.materials.rules import MaterialRules

_MARKUP = re.compile(rb"<(?:!doctype|html|script|iframe|svg[\s>]|\?php)", re.IGNORECASE)
_ZIP_END = b"PK\x05\x06"


def clean(data: bytes, rules: MaterialRules) -> Cleaned:
    """What may be kept of this file; IntakeRefused with the reason."""
    if len(data) > rules.upload_max:
        raise IntakeRefused(too_large(len(data), rules.upload_max))
    kind = kind_of(data)
    if kind == PDF:
        return Cleaned(PDF, data, pages=check_pdf(data, rules))
    if _MARKUP.search(data) or _ZIP_END in data[-66_000:] or b"%PDF-" in data[:1024]:
        raise IntakeRefused("照片里夹带了网页、脚本或别的文件，不能收。请重新拍照")
    return redrawn(data, kind, rules)
