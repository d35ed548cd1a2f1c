"""Makes the frozen vectors: `python -m tests.vectors.make` writes what is not there yet and tells what would differ.

What has been published is never written over: a second implementation may rest on it. A change of the protocol is a
new version with new files. `--afresh` is for vectors that nobody has seen.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from protocol import dsse
from protocol.dsse import sha256
from tests.vectors import channels, city, lives, spoken, wire
from tests.vectors.answers import Answers
from tests.vectors.frozen import Frozen, Json, cast_file, joined, lean

HERE = Path(__file__).parent


def files() -> dict[str, bytes]:
    """Every file by name, as today's code makes it."""
    cast = Frozen()
    who = cast_file(cast)
    said = spoken.Spoken(cast)
    questions: dict[str, tuple[str, Iterable[Json]]] = {
        "json": ("compact JSON (protocol.md 2)", wire.json_lines()),
        "signed": ("signed lines (protocol.md 3)", wire.signed_lines(cast)),
        "certificates": ("certificates and the key ring (protocol.md 4)", wire.certificates(cast)),
        "events": ("forms of events (protocol.md 5)", spoken.events(cast, said)),
        "skeletons": ("bodies of events (protocol-steps.md 1)", spoken.skeletons(lives.SAMPLES)),
        "parcels": ("parcels, statements, proofs (protocol.md 6)", spoken.parcels(cast, said)),
        "channels": ("what a reader tells its senders (protocol.md 7)", channels.channels()),
        "receipts": ("receipts (protocol.md 7)", wire.receipt_lines(cast)),
        "sealed": ("sealed parts (protocol.md 8)", wire.sealed_parts(cast, said.sealed)),
        "materials": ("blobs, asks, pieces (protocol.md 9)", wire.materials(cast)),
        "editions": ("editions (protocol.md 11)", city.editions()),
        "lives": ("lives of cases, step by step (protocol-steps.md 2-5)", lives.lives()),
        "tries": ("every step from every state (protocol-steps.md 2)", lives.tries()),
        "routing": ("who decides (protocol-steps.md 6)", [city.routes()]),
        "evidence": ("evidence files (protocol.md 10)", city.evidence(Frozen())),
    }
    found = {"cast.json": _text(who)}
    for name, (about, asked) in questions.items():
        found[f"{name}.json"] = _answered(
            about, list(asked), Answers(who), lives.BODIES if name == "tries" else {}
        )
    found["case.evidence"] = city.evidence_file(Frozen())
    return found


def _answered(about: str, vectors: list[Json], answers: Answers, bodies: Mapping[str, Json]) -> bytes:
    """The file: one vector a line, each with what the code answers."""
    shared = {"bodies": bodies} if bodies else {}
    rows = [
        _text(_lean({**one, "expect": answers.ask({**one, **shared})}, answers.lines)).decode().strip()
        for one in vectors
    ]
    head = json.dumps({"about": about, **shared}, ensure_ascii=False)[:-1]
    return (head + ', "vectors": [\n' + ",\n".join(rows) + "\n]}\n").encode()


def _lean(vector: Json, lines: dict[str, str]) -> Json:
    """Certificates of the cast stand in a vector by name."""
    written = vector.get("raw", [])
    if len(written) != 1 or not isinstance(written[0], str) or "payload" not in written[0]:
        return vector
    return {**vector, "raw": lean(joined(written, lines), lines)}


def _text(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def with_example(text: str) -> str:
    """docs/protocol.md with its worked example: the frozen parcel of that name."""
    listed = json.loads((HERE / "parcels.json").read_bytes())["vectors"]
    vector = next(one for one in listed if one["name"] == "the example")
    statement, event = joined(vector["raw"], {}).splitlines()
    signed = dsse.read(statement, dsse.STATEMENT)
    head = signed.signed_bytes()[: -len(signed.payload)]
    blocks = {
        "event": (event, b"name " + sha256(event).encode()),
        "statement": (signed.payload, head + "…".encode(), statement),
    }
    for name, lines in blocks.items():
        block = "```\n" + "\n\n".join(line.decode() for line in lines) + "\n```\n"
        start, end = f"<!-- example {name} -->\n", "<!-- end -->"
        before, _, rest = text.partition(start)
        text = before + start + block + end + rest.partition(end)[2]
    return text


def main(*, afresh: bool) -> int:
    """Writes; how many published files would come out differently."""
    odd = 0
    for name, data in files().items():
        path = HERE / name
        if afresh or not path.exists():
            path.write_bytes(data)
        elif path.read_bytes() != data:
            odd += 1
            sys.stderr.write(f"{name} is frozen, and would differ today\n")
    return odd


if __name__ == "__main__":
    sys.exit(main(afresh="--afresh" in sys.argv))
