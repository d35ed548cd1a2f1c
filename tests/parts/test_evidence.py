"""Evidence: what the file proves, and that nothing in it can be changed, hidden or added without a trace."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import dsse, strict
from protocol.dsse import Signature, sha256
from protocol.envelope import CaseRef
from protocol.evidence import SEAL, Finding, Proof, examine, write
from protocol.lifecycle import State
from tests.vectors.cast import CITY, COUNTY, LINE, NOW, TOWNSHIP, VILLAGE, Cast, a_life

CAST = Cast()
LIFE = a_life(CAST)
NO = CAST.case_no()


def evidence(life: list[tuple[str, bytes]], no: str = NO, by: str = VILLAGE, cast: Cast = CAST) -> bytes:
    proofs = [Proof(raw, cast.statement(place, raw)) for place, raw in life]
    lines = [cast.anchor.line, *(cast.certificates[one.code].line for one in cast.roster)]
    return write(no, proofs, lines, cast.keys[by], cast.cert(by), NOW)  # type: ignore[index]


FILE = evidence(LIFE)


def resealed(body: list[bytes], by: str = VILLAGE, **changes: object) -> bytes:
    """These lines under a new, genuine seal."""
    payload = {
        "v": 1,
        "case": NO,
        "frm": by,
        "cert": CAST.cert(by).fingerprint,
        "iat": "2026-03-02T01:00:00.000Z",
        "lines": [sha256(one) for one in body],
        **changes,
    }
    raw = strict.dumps(payload)
    sig = CAST.keys[by].sign.sign(dsse.pae(SEAL, raw))  # type: ignore[index]
    seal = dsse.write(SEAL, raw, [Signature(CAST.cert(by).fingerprint, sig)])
    return b"".join(one + b"\n" for one in (*body, seal))


def body_lines() -> list[bytes]:
    return FILE.split(b"\n")[:-2]


def rules(found: Finding) -> set[str]:
    return {one.rule for one in found.problems}


def test_a_whole_life() -> None:
    found = examine(FILE, CAST.anchor.fingerprint)
    assert found.holds, found.problems
    assert (found.case_no, found.made_by, found.root) == (NO, VILLAGE, CAST.anchor.fingerprint)
    assert [told.event.kind for told in found.story] == [
        "case.filed",
        "case.taken",
        "case.forwarded",
        "case.taken",
        "case.withdrawn",
        "case.withdrawal_asked",
    ]
    assert [told.speaker.name for told in found.story][:3] == ["永安社区", "城关镇", "城关镇"]
    assert found.case is not None
    assert (found.case.state, found.case.holder, found.case.speaker) == (State.WITHDRAWN, COUNTY, "")


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(FILE) - 1), value=st.integers(1, 255))
def test_one_changed_byte_anywhere_is_found_and_named(at: int, value: int) -> None:
    changed = bytearray(FILE)
    changed[at] ^= value
    line = FILE[:at].count(b"\n") + 1
    found = examine(bytes(changed), CAST.anchor.fingerprint)
    named = {one.line for one in found.problems}
    last = FILE.count(b"\n")
    # A newline made or lost moves the lines behind it; a spoiled seal can only name itself.
    assert named & {line, line + 1} or (last in named and line >= last - 1), found.problems


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400))
def test_noise_is_no_evidence(data: bytes) -> None:
    assert not examine(data).holds
    assert not examine(data + b"\n" + FILE).holds
    assert not examine(FILE + data).holds or not data


@pytest.mark.parametrize("end", range(0, len(FILE), 211))
def test_a_file_cut_short(end: int) -> None:
    assert not examine(FILE[:end]).holds


def test_another_root_is_named() -> None:
    found = examine(FILE, "0" * 64)
    assert rules(found) == {"E-2"}
    assert found.problems[0].line == 2


def test_a_line_left_out_or_added_under_the_old_seal() -> None:
    lines = FILE.split(b"\n")[:-1]
    for at in range(len(lines)):
        without = b"".join(one + b"\n" for one in lines[:at] + lines[at + 1 :])
        assert not examine(without).holds
        twice = b"".join(one + b"\n" for one in lines[: at + 1] + lines[at:])
        assert not examine(twice).holds


def test_a_step_left_out_under_a_new_seal() -> None:
    """Whoever makes the file seals it; the chain of steps shows the gap all the same."""
    lines = body_lines()
    steps = [at for at, one in enumerate(lines) if one.startswith(b'{"v":1,"id"')]
    for at in steps[:4]:
        found = examine(resealed(lines[:at] + lines[at + 1 :]))
        assert "E-6" in rules(found), at


def test_a_step_cannot_dress_as_something_else() -> None:
    """A body that mentions the type of a statement does not make its line one: the step would go unseen."""
    no = CAST.case_no(7)
    filed = CAST.step(VILLAGE, "case.filed", None, no, 1, item="SZS-001", to=TOWNSHIP)
    dressed = CAST.step(
        TOWNSHIP, "case.handover_refused", filed, no, 2, why="不属于本镇", payloadType=dsse.STATEMENT
    )
    found = examine(evidence([(VILLAGE, filed), (TOWNSHIP, dressed)], no))
    assert found.holds, found.problems
    assert len(found.story) == 2
    assert found.case is not None
    assert found.case.state is State.BOUNCED


def test_a_step_of_another_case() -> None:
    other = a_life(CAST, 2)
    found = examine(evidence([*LIFE, other[0]]))
    assert rules(found) == {"E-6"}


def test_words_about_another_case() -> None:
    stray = CAST.say(
        VILLAGE, "case.supplement_sent", {"on": "2026-03-02", "by": "01", "no": CAST.case_no(9)}, LINE
    )
    assert rules(examine(evidence([*LIFE, (VILLAGE, stray)]))) == {"E-6"}


def test_a_step_by_who_has_not_the_turn() -> None:
    no = CAST.case_no(8)
    filed = CAST.step(VILLAGE, "case.filed", None, no, 1, item="SZS-001", to=TOWNSHIP)
    stolen = CAST.step(COUNTY, "case.taken", filed, no, 2)
    found = examine(evidence([(VILLAGE, filed), (COUNTY, stolen)], no))
    assert rules(found) == {"E-6"}
    assert "现在应由" in found.problems[0].reason


def test_a_case_number_at_what_is_no_step() -> None:
    odd = CAST.say(
        VILLAGE,
        "case.supplement_sent",
        {"on": "2026-03-02", "by": "01", "no": NO},
        LINE,
        case=CaseRef(NO, 6, sha256(LIFE[4][1])),
    )
    assert rules(examine(evidence([*LIFE, (VILLAGE, odd)]))) == {"P-10"}


def test_no_statement_no_step() -> None:
    lines = body_lines()
    bare = [one for one in lines if not (b"statement+json" in one and sha256(LIFE[0][1]).encode() in one)]
    assert examine(resealed(bare)).holds  # the hash stands inside base64: nothing was left out
    statements = [one for one in lines if one.startswith(b'{"payload"') and b"statement+json" in one]
    found = examine(resealed([one for one in lines if one is not statements[0]]))
    assert "E-5" in rules(found)


def test_the_citys_own_acts_have_no_reader_and_are_proved() -> None:
    cast = Cast()
    no = cast.case_no(1, CITY)
    filed = cast.say(
        CITY,
        "case.filed",
        {"on": "2026-03-02", "by": "01", "item": "SZS-025", "to": CITY},
        (),
        case=CaseRef(no, 1, ""),
    )
    taken = cast.say(
        CITY, "case.taken", {"on": "2026-03-02", "by": "01"}, (), case=CaseRef(no, 2, sha256(filed))
    )
    found = examine(evidence([(CITY, filed), (CITY, taken)], no, CITY, cast))
    assert found.holds, found.problems


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"case": "x"},
        {"frm": CITY},
        {"cert": "0" * 64},
        {"iat": "now"},
        {"lines": {}},
        {"lines": [1]},
        {"more": 1},
    ],
)
def test_a_seal_that_says_something_else(changes: dict[str, object]) -> None:
    assert "E-3" in rules(examine(resealed(body_lines(), **changes)))


def test_a_seal_by_another_than_the_head_names() -> None:
    assert rules(examine(resealed(body_lines(), by=TOWNSHIP))) == {"E-3"}


@pytest.mark.parametrize(
    "head",
    [
        {"v": 1, "evidence": NO, "made": "2026-03-02T01:00:00.000Z"},
        {"v": 2, "evidence": NO, "made": "2026-03-02T01:00:00.000Z", "by": VILLAGE},
        {"v": 1, "evidence": [NO], "made": "2026-03-02T01:00:00.000Z", "by": VILLAGE},
        {"v": 1, "evidence": NO, "made": "yesterday", "by": VILLAGE},
    ],
)
def test_a_head_that_is_none(head: dict[str, object]) -> None:
    assert "E-1" in rules(
        examine(resealed([json.dumps(head, separators=(",", ":")).encode(), *body_lines()[1:]]))
    )


def test_a_certificate_that_does_not_hold() -> None:
    lines = body_lines()
    foreign = Cast()
    foreign.root_keys = foreign.keys[VILLAGE]
    bad = replace(CAST.cert(VILLAGE)).line.replace(b'"sig":"', b'"sig":"AAAA')
    found = examine(resealed([*lines[:3], bad, *lines[3:]]))
    assert "E-2" in rules(found)
    assert found.problems[0].line == 4


@pytest.mark.parametrize("names", [5, None, True, "abc", {"a": 1}, [1, None]])
def test_a_statement_that_names_nothing_is_a_finding_and_no_crash(names: object) -> None:
    payload = strict.dumps({"v": 1, "events": names})
    odd = dsse.write(dsse.STATEMENT, payload, [Signature("0" * 64, b"")])
    lines = body_lines()
    found = examine(resealed([*lines[:-6], odd, *lines[-6:]]))
    assert found.holds, found.problems  # it signs nothing that is in the file, and says nothing
