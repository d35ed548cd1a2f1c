"""The house rules that no linter knows: no state at import, nothing runs up the house, nothing asks its tier."""

import ast
import dataclasses
import functools
import importlib
import logging
import os
import pkgutil
import re
import subprocess
import sys
import textwrap
import tomllib
import types
from collections.abc import Iterator
from datetime import date, time, timedelta, tzinfo
from enum import Enum
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePath
from typing import ForwardRef, NewType, ParamSpec, TypeVar, get_origin

import click
import pytest
from fastapi import APIRouter
from packaging.requirements import Requirement
from sqlalchemy import ClauseElement, Column, Table, func

TOP = Path(__file__).parent.parent
PACKAGES = ("protocol", "node", "hub")
SOURCES = sorted(path for package in PACKAGES for path in (TOP / package).rglob("*.py"))

UNCHANGING = (
    *(
        type,
        types.ModuleType,
        types.FunctionType,
        types.BuiltinFunctionType,
        types.GenericAlias,
        types.UnionType,
    ),
    *(str, bytes, int, float, complex, type(None), frozenset, range, Enum, re.Pattern),
    *(date, time, timedelta, tzinfo, PurePath, types.MappingProxyType),
    *(TypeVar, ParamSpec, NewType, ForwardRef, logging.Logger),
    # descriptions: routes, commands and SQL, not connections
    *(APIRouter, click.Command, click.ParamType, ClauseElement, Column, Table, type(func)),
)

MEMOS = {
    "node.catalogue.search._initials": "the readings of Chinese characters: the same for ever",
    "node.rows._plan": "SQL text by table and columns: the same for ever",
    "node.exchange.outbox._due_rows": "a statement: the same for ever",
    "node.exchange.outbox._unsigned": "a statement: the same for ever",
    "node.exchange.receipts._channels": "a statement: the same for ever",
    "node.exchange.receipts._refusals": "a statement: the same for ever",
    "node.materials.index._one_noted": "a statement: the same for ever",
    "node.schema.head_of": "the newest migration of the installed code",
    "node.catalogue.frozen._read_item": "what a published document says, by its bytes",
    "node.catalogue.frozen._read_names": "what a published edition names, by its bytes",
    "node.schema._definition": "the statements that make the installed code's tables",
}
"""Caches of functions whose answer can never change while the program runs."""

BARE = {"object": "a secret mark that only its module can show"}

MAY_NAME_A_TIER = {
    "node/cases/filing.py": "a village receives and never decides a licence: the law names the tier",
    "node/cases/steps.py": "a case is counted under its township and county",
    "node/site.py": "before the signed roster is read, the line above is known from certificates alone",
}
"""Where the rule itself, not the program, distinguishes tiers; everything else is a capability."""

LONG = {
    "protocol/catalogue.py": 411,
    "protocol/ledger.py": 420,
    "hub/server.py": 430,
}
"""Files above 400 lines, which may shrink but not grow."""

LESSER_GPL = {"psycopg", "psycopg-binary", "pyphen"}
"""LGPL, used unchanged as a library: only with PostgreSQL; of PDF, `pyphen`, which may also be taken under the MPL."""


def name_of(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def parts() -> Iterator[tuple[str, ast.AST]]:
    """Every node of every syntax tree, with its file."""
    for path in SOURCES:
        for part in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield name_of(path), part


def modules() -> Iterator[str]:
    for package in PACKAGES:
        yield package
        for found in pkgutil.walk_packages([str(TOP / package)], f"{package}."):
            if not re.search(r"\.migrations\.(env|versions)|__main__$", found.name):
                yield found.name


def unchanging(value: object) -> bool:
    if isinstance(value, UNCHANGING) or get_origin(value) is not None:
        return True
    if isinstance(value, tuple):
        return all(map(unchanging, value))
    if dataclasses.is_dataclass(value):
        return value.__dataclass_params__.frozen  # type: ignore[attr-defined]
    return type(value).__module__ in {"typing", "__future__", "annotationlib"} or type(value).__name__ in BARE


@pytest.mark.parametrize("name", sorted(modules()))
def test_nothing_is_built_at_import(name: str) -> None:
    module = importlib.import_module(name)
    state = []
    for key, value in vars(module).items():
        if key.startswith("__") or unchanging(value):
            continue
        if isinstance(value, functools._lru_cache_wrapper):
            home = f"{value.__module__}.{value.__name__}"
            if home.startswith(PACKAGES) and home not in MEMOS:
                state.append(f"{key}: a cache not named in MEMOS")
        elif not (isinstance(value, (dict, list, set)) and key.lstrip("_").isupper()):
            state.append(f"{key}: {type(value).__qualname__}")
    assert not state, f"{name} holds state: {state}"


def test_constants_are_never_changed_and_nothing_is_global() -> None:
    changers = {
        "append",
        "add",
        "update",
        "setdefault",
        "pop",
        "popitem",
        "clear",
        "extend",
        "insert",
        "remove",
    }
    found = []
    for path, part in parts():
        changed: ast.expr | None = None
        if isinstance(part, ast.Global):
            found.append(f"{path}:{part.lineno} global")
        elif isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store | ast.Del):
            changed = part.value
        elif (
            isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in changers
        ):
            changed = part.func.value
        if isinstance(changed, ast.Name) and changed.id.lstrip("_").isupper():
            found.append(f"{path}:{changed.lineno} {changed.id}")
    assert not found


def test_a_village_runs_without_the_hub() -> None:
    """Every module of `node` and `protocol` imports while `hub` cannot be found."""
    names = [name for name in modules() if not name.startswith("hub")]
    program = f"""
        import importlib, sys
        class NoHub:
            def find_spec(self, name, path=None, target=None):
                if name.split('.')[0] == 'hub':
                    raise ModuleNotFoundError(name)
        sys.meta_path.insert(0, NoHub())
        for name in {names!r}:
            importlib.import_module(name)
        assert not any(name.split('.')[0] == 'hub' for name in sys.modules)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def asks_the_tier(tree: ast.AST) -> bool:
    if isinstance(tree, ast.Attribute) and isinstance(tree.value, ast.Name) and tree.value.id == "Tier":
        return True
    if isinstance(tree, ast.Compare):
        sides = [tree.left, *tree.comparators]
        return any(isinstance(side, ast.Attribute) and side.attr == "tier" for side in sides)
    return (
        isinstance(tree, ast.Match)
        and isinstance(tree.subject, ast.Attribute)
        and tree.subject.attr == "tier"
    )


def test_a_node_never_asks_which_tier_it_is_on() -> None:
    asking = {path for path, part in parts() if path.startswith("node/") and asks_the_tier(part)}
    assert asking == set(MAY_NAME_A_TIER)


def test_a_file_can_be_read_whole() -> None:
    sizes = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    long = {
        path: lines
        for path, lines in sizes.items()
        if lines > LONG.get(path, 400) and "/migrations/versions/" not in path
    }
    assert not long


def test_the_protocol_reads_no_clock_and_no_file() -> None:
    pattern = re.compile(r"datetime\.now|utcnow|date\.today|time\.time\(|\bopen\(|read_text|read_bytes")
    found = [
        name_of(path)
        for path in SOURCES
        if name_of(path).startswith("protocol/") and pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert not found


def licence(found: Distribution) -> str:
    """The licence as the package's metadata states it."""
    meta = found.metadata
    classified = [
        line.rsplit(" :: ", 1)[1]
        for line in meta.get_all("Classifier") or ()
        if line.startswith("License ::")
    ]
    stated = meta.get("License-Expression") or (meta.get("License") or "").strip().split("\n", 1)[0]
    return stated if stated and len(stated) < 60 else ", ".join(classified) or "?"


def families(text: str) -> set[str]:
    """The licences named in `text`, without version and spelling."""
    return set(re.findall(r"MIT|BSD|Apache|MPL|LGPL|GPL|ISC|PSF", text))


def installed(extra: str) -> dict[str, Distribution]:
    """All that `pip install liandong[extra]` brings on this machine, by name."""
    found: dict[str, Distribution] = {}
    seen: set[str] = set()
    waiting = [Requirement(f"liandong[{extra}]")]
    while waiting:
        wanted = waiting.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        try:
            here = distribution(wanted.name)
        except PackageNotFoundError:
            continue
        found[wanted.name.lower()] = here
        needs = map(Requirement, here.requires or ())
        extras = wanted.extras or {""}
        waiting += [n for n in needs if not n.marker or any(n.marker.evaluate({"extra": e}) for e in extras)]
    return found


def test_nothing_that_runs_is_under_the_gpl() -> None:
    found = installed("postgres,pdf")
    assert {"fastapi", "sqlalchemy", "nats-py", "psycopg", "weasyprint", "pyphen"} <= set(found)
    gpl = {
        name: licence(one)
        for name, one in found.items()
        if re.search(r"GPL|General Public", licence(one), re.IGNORECASE)
    }
    assert set(gpl) <= LESSER_GPL, gpl
    assert all(re.search("LGPL|Lesser", one) for one in gpl.values()), gpl


def test_every_dependency_has_its_reason_and_licence() -> None:
    """One row each in docs/dependencies.md, with the licence that the installed package states."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    lines = [
        *project["project"]["dependencies"],
        *(one for extra in project["project"]["optional-dependencies"].values() for one in extra),
        *project["dependency-groups"]["dev"],
    ]
    table = (TOP / "docs/dependencies.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", table, re.MULTILINE))
    named = {Requirement(line).name for line in lines}
    assert set(rows) == named
    for name in named:
        if name == "uvloop" and os.name == "nt":
            continue
        stated = licence(distribution(name))
        assert families(stated) & families(rows[name]) or not families(stated), f"{name}: {stated}"
