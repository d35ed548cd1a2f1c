"""Bundles of joint handling (联办事项组合) as data: who leads, who assists, in which parts, after which others.

One rule: what cannot work is refused when the bundle is defined. Parts that wait for each other in a circle are named
(循环前置), and the longest path of sub-limits stays within the overall limit, and that within the 45 working days of
行政许可法 42 条二款.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocol.errors import CatalogueError, Problem
from protocol.limits import DEFAULT_JOINT_LIMIT, Limit, Unit

Word = Annotated[str, Field(min_length=1, max_length=100)]
Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,40}$")]
LONGEST_WORKDAYS = DEFAULT_JOINT_LIMIT.value
BUNDLE_KEY = "bundle-"
"""Published under this and its id."""
CENTRE, HUB = "centre", "hub"
"""Where a department sits: in the lead's own centre, or at the county or city that serves it."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Office(_Document):
    """A department (部门), by the code of the items file."""

    code: Annotated[str, Field(min_length=1, max_length=20)]
    name: Word


class BundleStep(_Document):
    """One part (环节): its department, its sub-limit in working days, and the parts that come before it."""

    key: Annotated[str, Field(min_length=1, max_length=20)]
    name: Word
    department: Office
    workdays: Annotated[int, Field(ge=1, le=LONGEST_WORKDAYS)]
    after: tuple[str, ...] = ()
    at: Annotated[str, Field(pattern=rf"^({CENTRE}|{HUB}|[0-9]{{12}})$")] = HUB
    """centre, hub, or the 12-digit code of a place."""


class Bundle(_Document):
    """A bundle: several departments' parts under one lead (牵头) and one overall limit in working days."""

    id: Id
    name: Word
    lead: Office
    steps: Annotated[tuple[BundleStep, ...], Field(min_length=1, max_length=40)]
    workdays: Annotated[int, Field(ge=1, le=LONGEST_WORKDAYS)]
    items: tuple[Id, ...] = ()
    """The items whose cases it is for; a bundle for yearly inspection may name none and serve all."""
    yearly: bool = False
    """集中联合年检: opened for a whole list at once."""
    source: Annotated[str, Field(max_length=500)] = ""


class Parted(Protocol):
    """Anything with parts that wait for others: a bundle's steps, or the parts of a step in the chain."""

    @property
    def key(self) -> str: ...
    @property
    def workdays(self) -> int: ...
    @property
    def after(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an item says of joint handling: its id and name, its own department, and those it names."""

    item: str
    name: str
    lead: tuple[str, str]
    assists: tuple[tuple[str, str], ...]
    promised: Limit


def circle(steps: Sequence[Parted]) -> tuple[str, ...]:
    """The keys of a circle of preconditions, its first again at the end; empty if there is none."""
    before = {step.key: step.after for step in steps}
    done: set[str] = set()
    for start in before:
        path: list[str] = []
        if found := _walk(before, start, path, done):
            return found
    return ()


def _walk(before: Mapping[str, tuple[str, ...]], at: str, path: list[str], done: set[str]) -> tuple[str, ...]:
    if at in path:
        return tuple(reversed([*path[path.index(at) :], at]))
    if at in done or at not in before:
        return ()
    path.append(at)
    for earlier in before[at]:
        if found := _walk(before, earlier, path, done):
            return found
    path.pop()
    done.add(at)
    return ()


def ends(steps: Sequence[Parted]) -> dict[str, int]:
    """By key, in how many working days from the opening a part is due at the latest: its own and all before it.

    Only for steps without a circle whose `after` are all there.
    """
    by_key = {step.key: step for step in steps}
    found: dict[str, int] = {}

    def end(key: str) -> int:
        if key not in found:
            step = by_key[key]
            found[key] = step.workdays + max((end(earlier) for earlier in step.after), default=0)
        return found[key]

    return {step.key: end(step.key) for step in steps}


def faults(bundle: Bundle) -> list[str]:
    """Everything that keeps a bundle from working; empty if it may be published."""
    found = structure(bundle.steps)
    if all(step.department.code == bundle.lead.code for step in bundle.steps):
        found.append("联办须有两个以上部门，没有一个环节是协办部门的")
    if not found and (longest := max(ends(bundle.steps).values())) > bundle.workdays:
        found.append(f"各环节最长路径 {longest} 个工作日，超过总时限 {bundle.workdays} 个工作日")
    return found


def structure(steps: Sequence[Parted]) -> list[str]:
    """What is wrong with the keys, the preconditions and their order."""
    keys = [step.key for step in steps]
    found = [f"环节“{key}”重复" for key in dict.fromkeys(keys) if keys.count(key) > 1]
    found += [
        f"环节“{step.key}”的前置“{earlier}”不存在"
        for step in steps
        for earlier in step.after
        if earlier not in keys
    ]
    if ring := circle(steps):
        found.append(f"前置条件循环：{' → '.join(ring)}")
    return found


def tidied(value: Any) -> Any:
    """A value of a file that people write, its texts without white space at their ends; published documents have none."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [tidied(one) for one in value]
    return {key: tidied(one) for key, one in value.items()} if isinstance(value, dict) else value


def read_bundles(raw: bytes) -> tuple[Bundle, ...]:
    """The bundles of a file; CatalogueError carries every problem found."""
    try:
        body = orjson.loads(raw)
        rows = body["bundles"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise CatalogueError('联办组合文件应为 {"bundles": […]}') from None
    problems: list[Problem] = []
    bundles = [one for at, row in enumerate(rows) if (one := _bundle(at, tidied(row), problems)) is not None]
    ids = [one.id for one in bundles]
    problems += [Problem(one, "id", "编号重复") for one in dict.fromkeys(ids) if ids.count(one) > 1]
    if problems:
        raise CatalogueError(f"联办组合有 {len(problems)} 处问题", problems)
    return tuple(bundles)


def read_bundle(raw: bytes) -> Bundle:
    """One published bundle; CatalogueError if it is none or cannot work."""
    problems: list[Problem] = []
    try:
        found = _bundle(0, orjson.loads(raw), problems)
    except orjson.JSONDecodeError:
        found = None
    if found is None or problems:
        raise CatalogueError("联办组合不可用", problems)
    return found


def _bundle(at: int, row: Any, problems: list[Problem]) -> Bundle | None:
    name = str(row.get("id", f"第 {at + 1} 组")) if isinstance(row, dict) else f"第 {at + 1} 组"
    try:
        found = Bundle.model_validate_json(orjson.dumps(row))
    except ValidationError as wrong:
        problems += [
            Problem(name, ".".join(map(str, each["loc"])), each["msg"])
            for each in wrong.errors(include_url=False)
        ]
        return None
    problems += [Problem(found.id, "steps", reason) for reason in faults(found)]
    return found


def bundle_document(bundle: Bundle) -> bytes:
    """The bytes that are published."""
    return orjson.dumps(bundle.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)


def default_bundle(wanted: Wanted) -> Bundle | None:
    """The bundle of an item that names joint departments and has no bundle of its own; None if it names none.

    All start at once, with half of the promised working days each, so that the lead has the other half.
    """
    if not wanted.assists:
        return None
    limit = wanted.promised
    whole = min(limit.value, LONGEST_WORKDAYS) if limit.unit is Unit.WORKDAY else LONGEST_WORKDAYS
    days = max(1, whole // 2)
    lead = Office(code=wanted.lead[0], name=wanted.lead[1])
    steps = tuple(
        BundleStep(key=code, name=f"{name}意见", department=Office(code=code, name=name), workdays=days)
        for code, name in wanted.assists
    )
    return Bundle(
        id=f"item-{wanted.item}", name=f"{wanted.name}联办"[:100], lead=lead, steps=steps, workdays=max(whole, days)
    )  # fmt: skip


def for_item(bundles: Iterable[Bundle], item: str) -> list[Bundle]:
    """The published bundles a case of this item may be handled in, those that name it first."""
    return sorted(
        (one for one in bundles if item in one.items or (one.yearly and not one.items)),
        key=lambda one: (item not in one.items, one.id),
    )
