"""Looking through a PDF (PDF 检查): every object of it, for what acts by itself.

One rule: a PDF is paper. What runs, launches, sends or carries another file makes it something else, and it is
refused whole; it is never mended. Two nets: the names in the raw bytes, escapes undone, which find what no table
of contents leads to; and every object the reader can reach, which finds what is packed away in object streams.
"""

import re
from io import BytesIO
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject

from node.materials.kinds import IntakeRefused, too_large
from node.materials.rules import MaterialRules

_LOUD = re.compile(
    rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|GoToE|FileAttachment)(?=[\s/<>\[\](){}%]|$)"
)
"""Names too long to stand in compressed bytes by chance."""
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_KEYS = {"/JS", "/JavaScript", "/EmbeddedFiles", "/EmbeddedFile", "/EF", "/XFA", "/RichMediaContent"}
_ACTS = {
    *("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/GoToR"),
    *("/Rendition", "/Movie", "/Sound", "/RichMediaExecute", "/EmbeddedFile"),
}
_NOTES = {"/FileAttachment", "/RichMedia", "/3D", "/Movie", "/Screen", "/Sound"}
_MARKUP = re.compile(rb"<(?:!doctype|html|script|iframe|svg)", re.IGNORECASE)
_MOST_OBJECTS = 200_000
_MOST_PARTS = 2_000_000


def check_pdf(data: bytes, rules: MaterialRules) -> int:
    """How many pages it has; IntakeRefused unless this is a whole, open PDF of paper alone."""
    if len(data) > rules.pdf_max:
        raise IntakeRefused(too_large(len(data), rules.pdf_max))
    if b"%%EOF" not in data[-2048:]:
        raise IntakeRefused("PDF 不完整（没有结尾），请重新传送")
    if _MARKUP.search(data[:1024]) or b"PK\x05\x06" in data[-66_000:]:
        raise IntakeRefused("PDF 里夹带了网页或别的文件，不能收")
    if found := _LOUD.search(_ESCAPE.sub(lambda m: bytes([int(m[1], 16)]), data)):
        raise _active(found[1].decode())
    try:
        return _look_through(data, rules)
    except IntakeRefused:
        raise
    except (RecursionError, MemoryError):
        raise IntakeRefused("PDF 的结构过于复杂，请打印后拍照") from None
    except Exception as wrong:  # noqa: BLE001 - a reader may fail in any way
        raise IntakeRefused(f"PDF 打不开（{type(wrong).__name__}），请重新生成或打印后拍照") from None


def _look_through(data: bytes, rules: MaterialRules) -> int:
    reader = PdfReader(BytesIO(data), strict=False)
    if reader.is_encrypted:
        raise IntakeRefused("PDF 有密码或加密，不能收，请去掉密码后再传")
    if not 1 <= len(reader.pages) <= rules.pdf_pages:
        raise IntakeRefused(f"PDF 有 {len(reader.pages)} 页，应在 1 至 {rules.pdf_pages} 页之间")
    names = {(number, generation) for generation, found in reader.xref.items() for number in found}
    names |= {(number, 0) for number in reader.xref_objStm}
    if len(names) > _MOST_OBJECTS:
        raise IntakeRefused("PDF 的对象过多，请打印后拍照")
    parts = [0]
    for number, generation in sorted(names):
        _inspect(reader.get_object(IndirectObject(number, generation, reader)), parts)
    _inspect(reader.trailer, parts)
    return len(reader.pages)


def _inspect(top: Any, parts: list[int]) -> None:
    """One object and what stands inside it; what it refers to has its own turn."""
    waiting = [top]
    while waiting:
        one = waiting.pop()
        parts[0] += 1
        if parts[0] > _MOST_PARTS:
            raise IntakeRefused("PDF 的结构过于复杂，请打印后拍照")
        if isinstance(one, DictionaryObject):
            _judge(one)
            waiting += [dict.__getitem__(one, key) for key in one]
        elif isinstance(one, ArrayObject):
            waiting += list(list.__iter__(one))


def _judge(one: DictionaryObject) -> None:
    if loud := _KEYS & set(one):
        raise _active(min(loud)[1:])
    for key, bad in (("/S", _ACTS), ("/Type", _ACTS), ("/Subtype", _NOTES)):
        value = dict.get(one, key)
        if isinstance(value, NameObject) and str(value) in bad:
            raise _active(str(value)[1:])


def _active(what: str) -> IntakeRefused:
    return IntakeRefused(
        f"PDF 里有会自己运行或夹带文件的内容（{what}），不能收。请打印后拍照，或另存为普通 PDF"
    )
