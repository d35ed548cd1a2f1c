"""The documents are true where a machine can tell: paths exist, commands and options exist, the README's commands run."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path

import click
import pytest

from hub.network import HubAddress
from node.cli import assembled

TOP = Path(__file__).parent.parent
LIANDONG = Path(sys.executable).with_name("liandong")
OWN = (
    "README.md",
    "deploy/README.md",
    *(f"docs/{name}.md" for name in ("index", "story", "operations", "security", "glossary", "changelog")),
)
DOCUMENTS = sorted({*(TOP / name for name in OWN), *(TOP / "docs").rglob("*.md")})
FOLDERS = "protocol|node|hub|tests|docs|deploy|data"


def name_of(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def blocks(path: Path) -> Iterator[str]:
    """The code blocks of a document, also those inside lists."""
    for found in re.findall(
        r"^ *```\w*\n(.*?)^ *```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        yield re.sub(r"\\\n\s*", " ", found)


def commands(path: Path) -> Iterator[list[str]]:
    """Every line of our own command line in the code blocks of a document."""
    for block in blocks(path):
        for line in block.splitlines():
            if line.strip().startswith((".venv/bin/liandong ", "liandong ")):
                yield shlex.split(line, comments=True)[1:]


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_path_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.findall(rf"`((?:{FOLDERS})/[\w./@-]*)`", text)
    missing = {one for one in named if not (TOP / one).exists()}
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        if not (path.parent / target).exists():
            missing.add(target)
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_within_a_document_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    anchors = {anchor(title) for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def anchor(title: str) -> str:
    """A heading's anchor, as a forge makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_exists_with_its_options(path: Path) -> None:
    for words in commands(path):
        command: click.Command = assembled()
        for word in words:
            if word.startswith("-"):
                known = {text for parameter in command.params for text in parameter.opts}
                assert word.split("=")[0] in known | {"-h", "--help"}, words
            elif isinstance(command, click.Group):
                found = command.get_command(click.Context(command), word)
                assert found is not None, words
                command = found


@pytest.mark.parametrize("path", [TOP / name for name in OWN], ids=name_of)
def test_no_document_speaks_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(work|root|home|tmp)/", text)


def test_make_targets_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in DOCUMENTS:
        told = set(re.findall(r"(?:^|`)\s*make ([a-z]+)\b", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert told <= targets, path


def test_every_decision_is_in_the_index() -> None:
    folder = TOP / "docs/adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for path in folder.glob("0*.md"):
        assert path.name in index
        title = path.read_text(encoding="utf-8").splitlines()[0]
        assert title.startswith(f"# {path.name[:4]} ")
    numbers = [path.name[:4] for path in sorted(folder.glob("0*.md"))]
    assert numbers == [f"{at:04d}" for at in range(len(numbers))]


def test_every_entry_of_the_network_file_is_explained() -> None:
    text = (TOP / "docs/operations.md").read_text(encoding="utf-8")
    section = text.partition("## Network")[2].partition("\n## ")[0]
    for one in fields(HubAddress):
        assert f"`{one.name}`" in section, one.name


def test_the_steps_before_compose_run(tmp_path: Path) -> None:
    """As deploy/README.md gives them, up to the first that needs a person's password."""
    shutil.copytree(TOP / "deploy", tmp_path / "deploy")
    block = next(one for one in blocks(TOP / "deploy/README.md") if "docker compose" in one)
    steps = block.partition("liandong user add")[0]
    assert "liandong provision" in steps
    path = f"{LIANDONG.parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["sh", "-euc", steps],
        cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def run(words: list[str], folder: Path, *, ok: bool = True) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [LIANDONG, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=400
    )
    assert (ran.returncode == 0) == ok, ran.stdout + ran.stderr
    return ran


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    """As a newcomer types them, in one folder; the demo with --once, the evidence of one of its cases."""
    (tmp_path / "data").symlink_to(TOP / "data")
    told = list(commands(TOP / "README.md"))
    demo = next(words for words in told if words[0] == "demo")
    demo[demo.index("--cut-line") + 1] = "1"
    ran = run([*demo, "--data", "var/demo"], tmp_path)
    report = json.loads(ran.stdout)
    assert not any(report[key] for key in ("lost", "doubled", "outstanding", "quarantined"))
    number = re.findall(r"登记 (\S{25})", ran.stderr)[0]
    export = ["case", "export", number, "--site", f"var/demo/sites/{number[:12]}"]
    run(export, tmp_path)
    for words in told:
        match words[0]:
            case "verify":
                assert "全部成立" in run(["verify", f"{number}.evidence"], tmp_path).stdout
                path = tmp_path / f"{number}.evidence"
                raw = bytearray(path.read_bytes())
                raw[len(raw) // 2] ^= 1
                path.write_bytes(raw)
                assert "✗ 第" in run(["verify", path.name], tmp_path, ok=False).stdout
            case "demo-line" | "provision":
                run(words, tmp_path)
            case "demo-date":  # the day printed there is past one day
                run([words[0], f"{date.today().year + 1}-12-01"], tmp_path)  # noqa: DTZ011
    assert {words[0] for words in told} == {"demo", "verify", "demo-line", "demo-date", "provision"}
