"""One way to write JSON on the wire, and one way to read it: small, exact, unambiguous.

A line is accepted only if it equals its own compact re-serialisation (P-1). That refuses duplicate keys,
white space, NaN, odd escapes and two spellings of one value, so that two readers never see two
meanings. What is *signed* is always the bytes as they came. U+0000 is refused too: not every database can
keep it, and what one node can store every node must be able to store.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from protocol.errors import EnvelopeError

MAX_DEPTH = 16
MAX_INT = 2**53 - 1
MAX_NUMBER = 2**31 - 1
"""No sequence, step, edition or generation is larger: every database has a column for it."""


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON: keys in the order given, no white space, shortest escapes."""
    return orjson.dumps(value)


def loads(line: bytes) -> dict[str, Any]:
    """The object written on `line`.

    EnvelopeError P-1 if the line is not UTF-8, not compact JSON, not an object, nests deeper than 16,
    or holds a fraction, an integer beyond ±(2^53 - 1) or the character U+0000.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as broken:
        raise EnvelopeError("P-1", f"不是 UTF-8 紧凑 JSON：{broken}") from None
    if type(value) is not dict:
        raise EnvelopeError("P-1", "一行必须是一个 JSON 对象")
    _check(value, MAX_DEPTH)
    if b"\\u0000" in line and "\0" in "".join(_texts(value)):
        raise EnvelopeError("P-1", "文字里有 U+0000")
    if orjson.dumps(value) != line:
        raise EnvelopeError("P-1", "不是紧凑写法，或有重复的键")
    return value


def is_version_1(fields: Mapping[str, Any]) -> bool:
    """Whether `v` is the integer 1 (and not true, which Python takes for it)."""
    return type(fields.get("v")) is int and fields["v"] == 1


def is_number(value: Any, least: int = 1) -> bool:
    """Whether `value` is an integer from `least` to `MAX_NUMBER`."""
    return type(value) is int and least <= value <= MAX_NUMBER


def _check(value: dict[str, Any] | list[Any], room: int) -> None:
    if not room:
        raise EnvelopeError("P-1", f"嵌套超过 {MAX_DEPTH} 层")
    inners: Iterable[Any] = value.values() if type(value) is dict else value
    for inner in inners:
        kind = type(inner)
        if kind is str:
            continue
        if kind is dict or kind is list:
            _check(inner, room - 1)
        elif kind is float:
            raise EnvelopeError("P-1", "数字必须是整数")
        elif kind is int and not -MAX_INT <= inner <= MAX_INT:
            raise EnvelopeError("P-1", "整数超出 ±(2^53-1)")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
