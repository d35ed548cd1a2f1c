"""The tables of docs/protocol-steps.md that follow from the code: skeletons field by field, and the moves of a case.

`python -m tests.vectors.tables` writes them into the document between its markers; a test holds it to them.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from protocol.agency import AGENCY
from protocol.bundles import Bundle
from protocol.catalogue import Deed, Item
from protocol.fees import FEES
from protocol.joint_acts import JOINTS
from protocol.lifecycle import TRANSITIONS, Move
from protocol.messages import STEPS, SUBMISSIONS, AuthorisationUpdate, Figures

DOCUMENT = Path(__file__).parents[2] / "docs/protocol-steps.md"
MODELS: dict[str, type[BaseModel]] = {
    **STEPS,
    **SUBMISSIONS,
    **JOINTS,
    **FEES,
    **AGENCY,
    "authorisation.update": AuthorisationUpdate,
    "report.daily": Figures,
}
CLOCKED = (
    "`due: day or null = null`",
    "`statutory_due: day or null = null`",
    "`provisional: bool = false`",
    '`calendar: text ..500 = ""`',
    "`part_due: day or null = null`",
)
"""What every step that may move the days has, unless it says otherwise."""
PATTERNS = {
    "^[0-9]{12}$": "place",
    "^[0-9a-f]{64}$": "hash",
    "^([0-9a-f]{64})?$": "hash?",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$": "time",
    "^[0-9A-Za-z_-]{1,50}$": "id ..50",
    "^[0-9A-Za-z_-]{1,40}$": "id ..40",
    "^(centre|hub|[0-9]{12})$": "seat",
}
DOCUMENTS: dict[str, type[BaseModel]] = {"item": Item, "deed": Deed, "bundle": Bundle}


def bodies() -> str:
    """Kind, fields; then the objects that fields are made of."""
    return _table("kind", MODELS)


def documents() -> str:
    """Document, fields; then the objects that fields are made of."""
    return _table("document", DOCUMENTS)


def _table(head: str, models: dict[str, type[BaseModel]]) -> str:
    inner: dict[str, dict[str, Any]] = {}
    rows = []
    for name, model in models.items():
        schema = model.model_json_schema()
        defs = schema.pop("$defs", {})
        schema = _inlined(schema, defs)
        inner |= {key: _inlined(one, defs) for key, one in defs.items() if "properties" in one}
        act = "by" in model.model_fields and "on" in model.model_fields
        rows.append(f"| `{name}` | {_fields(schema, act=act)} |")
    rows += [f"| {name} | {_fields(schema, act=False)} |" for name, schema in sorted(inner.items())]
    return "\n".join([f"| {head} | fields |", "|---|---|", *rows])


def _inlined(schema: Any, defs: dict[str, Any]) -> Any:
    """The schema with the words of its enumerations in place."""
    if isinstance(schema, list):
        return [_inlined(one, defs) for one in schema]
    if not isinstance(schema, dict):
        return schema
    named = defs.get(str(schema.get("$ref", "")).rsplit("/", 1)[-1], {})
    more = {"enum": named["enum"]} if "enum" in named else {}
    return {key: _inlined(one, defs) for key, one in schema.items() if not (key == "$ref" and more)} | more


def _fields(schema: dict[str, Any], *, act: bool) -> str:
    needed = set(schema.get("required", ()))
    found = [
        _field(name, one, needed=name in needed)
        for name, one in schema["properties"].items()
        if not act or name not in ("on", "by")
    ]
    names = ["*act*"] if act else []
    if "statutory_due" in schema["properties"]:
        names.append("*clocked*")
        found = [one for one in found if one not in CLOCKED]
    return ", ".join([*names, *found])


def _field(name: str, one: dict[str, Any], *, needed: bool) -> str:
    default = "" if needed else f" = {json.dumps(one['default'], ensure_ascii=False)}"
    return f"`{name}: {_type(one)}{default}`"


def _type(one: dict[str, Any]) -> str:
    if "$ref" in one:
        return str(one["$ref"]).rsplit("/", 1)[1]
    if "anyOf" in one:
        return " or ".join(_type(each) for each in one["anyOf"])
    if "enum" in one:
        return " / ".join(json.dumps(each, ensure_ascii=False) for each in one["enum"])
    match one["type"]:
        case "string":
            return _text(one)
        case "integer":
            return "int" + _span(one, "minimum", "maximum", "exclusiveMinimum")
        case "boolean":
            return "bool"
        case "array":
            return _list(one)
        case "object":
            return "object" if one.get("additionalProperties") is True else "totals"
    return str(one["type"])


def _text(one: dict[str, Any]) -> str:
    if "pattern" in one:
        return PATTERNS[one["pattern"]]
    return "day" if one.get("format") == "date" else "text" + _span(one, "minLength", "maxLength")


def _list(one: dict[str, Any]) -> str:
    items = one["prefixItems"][0] if "prefixItems" in one else one["items"]
    return f"[{_type(items)}]" + _span(one, "minItems", "maxItems")


def _span(one: dict[str, Any], least: str, most: str, above: str = "") -> str:
    low = one.get(least, one[above] + 1 if above in one else None)
    if low is None and most not in one:
        return ""
    return f" {'' if low is None else low}..{one.get(most, '')}"


def moves() -> str:
    """Kind, from which states, to which, whose turn then, guards; rows that differ by state stand apart."""
    found: dict[tuple[str, str], list[str]] = {}
    for state, table in TRANSITIONS.items():
        for kind, move in table.items():
            found.setdefault((kind, _move(kind, move, str(state))), []).append(str(state))
    head = ["| kind | from | to | turn | guards |", "|---|---|---|---|---|"]
    order = list(STEPS)
    rows = sorted(found.items(), key=lambda one: (order.index(one[0][0]), one[1]))
    return "\n".join(
        [*head, *(f"| `{kind}` | {', '.join(states)} | {move} |" for (kind, move), states in rows)]
    )


def _move(kind: str, move: Move, state: str) -> str:
    to = "same" if move.to == state else str(move.to)
    if move.to is None:
        to = "*resume*" if kind == "case.taken" else "same"
    if move.stays:
        to += ", or same while a suspension is open"
    names = ", ".join(f"`{guard.__name__}`" for guard in move.guards)
    return f"{to} | {move.turn.name.lower()} | {names}"


def rendered(text: str) -> str:
    """The document with its tables made anew."""
    for name, table in _tables():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        assert pattern.search(text), name
        text = pattern.sub(lambda found, table=table: found[1] + table + "\n" + found[2], text)
    return text


def _tables() -> Iterator[tuple[str, str]]:
    yield "bodies", bodies()
    yield "moves", moves()
    yield "documents", documents()


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
