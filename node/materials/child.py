"""The process that looks at one file: content in on standard input, a line of JSON and the result out.

    python -I -m node.materials.child clean|thumb RULES

One rule: it holds no keys, opens no files and no connections, and its memory, time and files are bounded before it
reads the first byte. If a decoder breaks, this process ends and the node goes on.
"""

import json
import sys
from dataclasses import fields
from io import BytesIO

from node.materials.rules import MIB, MaterialRules

MEMORY = 1536 * MIB


def bound(seconds: int) -> None:
    """Less of everything, where the system can (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def answer(head: dict[str, object], *parts: bytes) -> None:
    """One line, then the bytes it counts."""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + b"".join(parts))
    sys.stdout.buffer.flush()


def main(task: str, given: str) -> None:
    """Do one task on standard input."""
    known = {one.name for one in fields(MaterialRules)}
    rules = MaterialRules(**{name: value for name, value in json.loads(given).items() if name in known})
    bound(max(1, int(rules.check_s)))
    from node.materials import intake, kinds, photo  # decoders: only once bounds are set

    data = sys.stdin.buffer.read(rules.upload_max + 1)
    try:
        if task == "thumb":
            from PIL import Image

            with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as picture:
                picture.draft("RGB", (photo.THUMB_PX, photo.THUMB_PX))
                thumb = photo.thumb_of(picture)
            answer({"kind": kinds.JPEG, "size": 0, "thumb": len(thumb)}, thumb)
            return
        found = intake.clean(data, rules)
        head: dict[str, object] = {"kind": found.kind, "size": len(found.data), "thumb": len(found.thumb)}
        answer({**head, "pages": found.pages}, found.data, found.thumb)
    except kinds.IntakeRefused as refused:
        answer({"refused": str(refused)})
    except MemoryError:
        answer({"refused": "文件过于复杂，检查时内存不足，请重新拍照或缩小后再传"})


if __name__ == "__main__":
    main(*sys.argv[1:3])
