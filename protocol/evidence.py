"""Evidence (证据文件): every signed step of a case, provable by anybody, anywhere, without a network.

    line 1       {"v":1,"evidence":"<case number>","made":"…Z","by":"<place>"}
    certificates the root first, then every issuer before what it issued
    statements   each once
    events       the steps of the case in order, then what else was said about it
    last line    a seal (封页): a DSSE line whose payload lists the SHA-256 of every line before it

So one changed byte anywhere breaks the seal and is named by its line; the steps themselves hold without the seal.
Numbered rules: docs/protocol.md, E-1 to E-6.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from protocol import dsse, strict
from protocol.certificates import Certificate, KeyRing, instant, is_instant, write_instant
from protocol.dsse import Signature, is_hash, sha256
from protocol.envelope import Event
from protocol.errors import EnvelopeError, ProtocolError
from protocol.keys import Keys, check
from protocol.lifecycle import Case, Step, advance, begin
from protocol.messages import STEPS, read_body
from protocol.verify import prove

SEAL = "application/vnd.liandong.evidence+json;v=1"
MAX_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Proof:
    """An event line and the statement line that signs it."""

    event: bytes
    statement: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """One proved event of the story: what was said, and by whose certificate."""

    line: int
    event: Event
    speaker: Certificate


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where: the 1-based line of the file, the rule, and the reason."""

    line: int
    rule: str
    reason: str


@dataclass(slots=True)
class Finding:
    """What an evidence file proves, and everything that is wrong with it."""

    case_no: str = ""
    made_at: str = ""
    made_by: str = ""
    root: str = ""
    """Fingerprint of the root in the file: to be compared with the one the city has made known."""
    story: list[Told] = field(default_factory=list)
    case: Case | None = None
    """The fold of the proved steps."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.problems


def write(
    case_no: str,
    proofs: Sequence[Proof],
    certificates: Iterable[bytes],
    keys: Keys,
    own: Certificate,
    now: datetime,
) -> bytes:
    """The evidence file: `certificates` root first, `proofs` in the order they are to be told."""
    head = strict.dumps({"v": 1, "evidence": case_no, "made": write_instant(now), "by": own.place})
    statements = dict.fromkeys(one.statement for one in proofs)
    lines = [head, *certificates, *statements, *(one.event for one in proofs)]
    payload = strict.dumps(
        {
            "v": 1,
            "case": case_no,
            "frm": own.place,
            "cert": own.fingerprint,
            "iat": write_instant(now),
            "lines": [sha256(line) for line in lines],
        }
    )
    seal = dsse.write(SEAL, payload, [Signature(own.fingerprint, keys.sign.sign(dsse.pae(SEAL, payload)))])
    return b"".join(line + b"\n" for line in (*lines, seal))


def examine(raw: bytes, root: str | None = None) -> Finding:
    """What the file proves. `root`: the fingerprint the reader trusts; without it the file's own is taken, and named."""
    found = Finding()
    lines = raw.split(b"\n")
    if lines.pop() or len(lines) < 4 or len(lines) > MAX_LINES:
        found.problems.append(Problem(len(lines) + 1, "E-1", "不是证据文件：应由整行组成，末行以换行结束"))
        return found
    _read_head(lines[0], found)
    ring = _read_certificates(lines, found, root)
    if ring is None:
        return found
    _check_seal(lines, found, ring)
    _read_story(lines, found, ring)
    return found


def _read_head(line: bytes, found: Finding) -> None:
    try:
        head = strict.loads(line)
        if head.keys() != {"v", "evidence", "made", "by"} or not strict.is_version_1(head):
            raise EnvelopeError("E-1", "首行的字段不对")  # noqa: TRY301
        no, made, by = head["evidence"], head["made"], head["by"]
        if type(no) is not str or type(by) is not str or not is_instant(made):
            raise EnvelopeError("E-1", "首行的内容不对")  # noqa: TRY301
        found.case_no, found.made_at, found.made_by = no, made, by
    except EnvelopeError as wrong:
        found.problems.append(Problem(1, "E-1", wrong.reason))


def _kind(line: bytes) -> str:
    """What a line claims to be. An event cannot look like a signed line: it has no field `payload` (P-8)."""
    if line.startswith(b'{"payload":"'):
        for kind in (dsse.CERTIFICATE, dsse.STATEMENT, SEAL):
            if b'"payloadType":"' + kind.encode() + b'"' in line:
                return kind
    return "event"


def _read_certificates(lines: list[bytes], found: Finding, root: str | None) -> KeyRing | None:
    try:
        ring = KeyRing(lines[1])
    except ProtocolError as wrong:
        found.problems.append(Problem(2, "E-2", f"信任根不成立：{wrong}"))
        return None
    found.root = ring.root.fingerprint
    if root is not None and root != found.root:
        found.problems.append(Problem(2, "E-2", f"信任根 {found.root[:16]}… 不是所信任的 {root[:16]}…"))
    for at, line in enumerate(lines[2:], 3):
        if _kind(line) == dsse.CERTIFICATE:
            try:
                ring.admit(line)
            except ProtocolError as wrong:
                found.problems.append(Problem(at, "E-2", str(wrong)))
    return ring


def _check_seal(lines: list[bytes], found: Finding, ring: KeyRing) -> None:
    at = len(lines)
    try:
        signed = dsse.read(lines[-1], SEAL)
        certificate = ring.get(signed.signatures[0].keyid)
        if certificate is None:
            raise EnvelopeError("E-3", "封页的证书不在文件里")  # noqa: TRY301
        check(certificate.verify, signed.signatures[0].sig, signed.signed_bytes(), "E-3")
        payload = strict.loads(signed.payload)
        names = _names(payload, certificate)
    except EnvelopeError as wrong:
        found.problems.append(Problem(at, "E-3", f"封页不成立：{wrong.reason}"))
        return
    if len(names) != at - 1:
        found.problems.append(Problem(at, "E-3", f"封页封了 {len(names)} 行，文件有 {at - 1} 行"))
    for number, (line, name) in enumerate(zip(lines, names, strict=False), 1):
        if sha256(line) != name:
            found.problems.append(Problem(number, "E-4", "这一行被改动过，与封页不符"))
    if (payload["case"], payload["frm"]) != (found.case_no, found.made_by):
        found.problems.append(Problem(at, "E-3", "封页封的不是本办件，或不是首行所写的地方所封"))


def _names(payload: dict[str, Any], certificate: Certificate) -> list[str]:
    """The lines a seal names; EnvelopeError if its form is wrong or it is not its signer's."""
    if payload.keys() != {"v", "case", "frm", "cert", "iat", "lines"} or not strict.is_version_1(payload):
        raise EnvelopeError("E-3", "封页的字段或版本不对")
    names = payload["lines"]
    if type(names) is not list or not all(map(is_hash, names)) or not is_instant(payload["iat"]):
        raise EnvelopeError("E-3", "封页的内容不对")
    if payload["frm"] != certificate.place or payload["cert"] != certificate.fingerprint:
        raise EnvelopeError("E-3", "封页不是签名者的")
    return names


def _read_story(lines: list[bytes], found: Finding, ring: KeyRing) -> None:
    statements = _statements(lines)
    for at, line in enumerate(lines[1:-1], 2):
        if _kind(line) != "event":
            continue
        statement = statements.get(sha256(line))
        if statement is None:
            found.problems.append(Problem(at, "E-5", "没有签封签署这一行，或这一行被改动"))
            continue
        try:
            verified = prove(line, statement, ring)
            told = Told(at, verified.event, verified.certificate)
            _advance(found, told)
            found.story.append(told)
        except EnvelopeError as wrong:
            found.problems.append(Problem(at, wrong.rule, wrong.reason))
        except ProtocolError as refused:
            found.problems.append(Problem(at, "E-6", str(refused)))
    if found.case is None:
        found.problems.append(Problem(len(lines), "E-6", "文件里没有这件办件的任何一步"))


def _statements(lines: list[bytes]) -> dict[str, bytes]:
    """Which statement line claims which event hash; believed only by `prove`."""
    claims: dict[str, bytes] = {}
    for line in lines[1:-1]:
        if _kind(line) == dsse.STATEMENT:
            try:
                payload = strict.loads(dsse.read(line, dsse.STATEMENT).payload)
            except EnvelopeError:
                continue
            names = payload.get("events")
            if type(names) is list:
                claims |= {name: line for name in names if type(name) is str}
    return claims


def _advance(found: Finding, told: Told) -> None:
    event = told.event
    if event.case is None:
        if event.body.get("no") != found.case_no:
            raise EnvelopeError("E-6", "这一行说的不是本办件")
        return
    if event.case.no != found.case_no:
        raise EnvelopeError("E-6", f"这一行属于办件 {event.case.no}")
    body = read_body(STEPS[event.kind], event.body)
    ref = event.case
    said = instant(event.iat)
    step = Step(event.kind, event.frm, ref.no, ref.n, ref.prev, event.hash, event.cat, body, said)
    found.case = begin(step) if found.case is None else advance(found.case, step)
