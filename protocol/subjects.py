"""Subjects (主题): every address on the bus, and who may use which.

    mail.<lane>.<destination p5>.<source p5>     stream MAIL, a work queue: one mailbox per destination
    cat.<owner p5>.<key>                         stream CAT, last value per subject
    dir.<place p5>                               stream CAT too

One rule: a subject has a fixed number of tokens, so a prefix of the digits is a jurisdiction (辖区), and
a jurisdiction is one filter and one permission line. What is not of this form is refused here, with the
subject in the error. The server's permissions are a fence, not a proof: a receiver still compares the
subject with what was signed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, NamedTuple, TypeAlias

from protocol.places import Code, from_p5, p5
from protocol.roster import Roster

Stream: TypeAlias = Literal["MAIL", "CAT"]

MAIL: Final[Stream] = "MAIL"
CAT: Final[Stream] = "CAT"
STREAM_SUBJECTS: Final[dict[Stream, tuple[str, ...]]] = {MAIL: ("mail.>",), CAT: ("cat.>", "dir.>")}

UP: Final = "up"
"""Name of the consumer with which a hub's relay (驿站) takes what must go to the upper hub."""

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ANY_PLACE = "*.*.*.*.*"


class Lane(StrEnum):
    """The lanes (车道) of the mail."""

    CASE = "case"
    """Steps of cases, with everything their parties need."""
    SUP = "sup"
    """Skeletons and daily reports (日报) for the supervising hubs."""
    RCPT = "rcpt"
    """Receipts (回执)."""
    BLOB = "blob"
    """Pieces of materials (材料)."""


class Address(NamedTuple):
    """What a mail subject says."""

    lane: Lane
    dst: Code
    src: Code


class Key(NamedTuple):
    """What a catalogue subject says."""

    owner: Code
    key: str


def mail(lane: Lane, dst: str, src: str) -> str:
    """The subject of mail from `src` to `dst` on `lane`."""
    return f"mail.{lane.value}.{p5(dst)}.{p5(src)}"


def parse_mail(subject: str) -> Address:
    """Lane, destination and source of a mail subject; ValueError if it is none."""
    tokens = subject.split(".")
    if len(tokens) != 12 or tokens[0] != "mail":
        raise ValueError(f"不是邮件主题：{subject!r}")
    return Address(Lane(tokens[1]), from_p5(".".join(tokens[2:7])), from_p5(".".join(tokens[7:])))


def catalogue(owner: str, key: str) -> str:
    """The subject of what `owner` publishes under `key` (letters, digits, - and _)."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"目录键只能是字母、数字、- 和 _：{key!r}")
    return f"cat.{p5(owner)}.{key}"


def parse_catalogue(subject: str) -> Key:
    """Owner and key of a catalogue subject; ValueError if it is none."""
    tokens = subject.split(".")
    if len(tokens) != 7 or tokens[0] != "cat" or not _KEY.fullmatch(tokens[6]):
        raise ValueError(f"不是目录主题：{subject!r}")
    return Key(from_p5(".".join(tokens[1:6])), tokens[6])


def directory(place: str) -> str:
    """The subject of the certificates and roster entry of `place`."""
    return f"dir.{p5(place)}"


def parse_directory(subject: str) -> Code:
    """The place a directory subject speaks of; ValueError if it is none."""
    head, _, tokens = subject.partition(".")
    if head != "dir":
        raise ValueError(f"不是名录主题：{subject!r}")
    return from_p5(tokens)


def consumer(place: str) -> str:
    """Name of the durable consumers of `place` at a hub: n640221101201."""
    return f"n{place}"


def inbox(place: str) -> str:
    """Prefix of the replies to `place`; nobody else may listen there."""
    return f"_INBOX_{consumer(place)}"


def matches(pattern: str, subject: str) -> bool:
    """Whether `subject` falls under `pattern` (`*` one token, `>` one or more at the end)."""
    wanted, given = pattern.split("."), subject.split(".")
    for i, part in enumerate(wanted):
        if part == ">":
            return len(given) > i
        if i >= len(given) or part not in ("*", given[i]):
            return False
    return len(given) == len(wanted)


def _tokens(digits: str) -> str:
    """A code prefix as subject tokens: 640221 -> 64.02.21; whole segments only."""
    cuts = {4: 2, 6: 3, 9: 4, 12: 5}
    if len(digits) not in cuts:
        raise ValueError(f"区划前缀须为 4、6、9 或 12 位：{digits!r}")
    return ".".join(p5(digits.ljust(12, "0")).split(".")[: cuts[len(digits)]])


def mailbox_filter(place: str) -> str:
    """Everything addressed to exactly `place`."""
    return f"mail.*.{p5(place)}.>"


def destination_filters(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Everything addressed under any of these code prefixes."""
    return tuple(f"mail.*.{_tokens(digits)}.>" for digits in prefixes)


def source_patterns(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Every mail subject whose source is under any of these code prefixes."""
    return tuple(
        f"mail.*.{_ANY_PLACE}.{_tokens(digits)}" + ("" if len(digits) == 12 else ".>") for digits in prefixes
    )


def outside(roster: Roster, place: Code) -> tuple[str, ...]:
    """Code prefixes that cover every place of the roster outside the subtree of `place`, and none inside."""
    found: list[str] = []
    below = place
    for ancestor in roster.ancestors(place):
        found.append(ancestor.code)
        for child in roster.children(ancestor.code):
            if child.code != below:
                found += roster.prefixes(child.code)
        below = ancestor.code
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class Reader:
    """One durable consumer a hub keeps: who may read what."""

    stream: Stream
    name: str
    filters: tuple[str, ...]


def readers(roster: Roster, hub: Code) -> tuple[Reader, ...]:
    """Every consumer of `hub`: two for each place that is its client, two of its own, and its relay's.

    A client that is itself a hub reads the mail of its whole subtree; any other only its own mailbox. On
    a work queue no two filters may overlap, and none do: each place of the roster is in exactly one.
    """
    found = [Reader(MAIL, consumer(hub), (mailbox_filter(hub),)), _cat_reader(roster, hub)]
    for place in clients(roster, hub):
        covered = roster.prefixes(place) if place in roster.hubs else (place,)
        found += [Reader(MAIL, consumer(place), destination_filters(covered)), _cat_reader(roster, place)]
    beyond = outside(roster, hub)
    if beyond:
        found.append(Reader(MAIL, UP, destination_filters(beyond)))
    return tuple(found)


def upper_hub(roster: Roster, place: Code) -> Code | None:
    """The hub that `place` connects to as its parent's; None for the city."""
    parent = roster[place].parent
    return None if parent is None else roster.hub_of(parent).code


def clients(roster: Roster, hub: Code) -> tuple[Code, ...]:
    """The places that connect to `hub` as to their parent's hub, without itself."""
    return tuple(place.code for place in roster.subtree(hub) if upper_hub(roster, place.code) == hub)


def _cat_reader(roster: Roster, place: Code) -> Reader:
    """What `place` needs of the catalogue: its line's, its subtree's, and the whole directory."""
    line = {p5(above.code) for above in roster.ancestors(place)}
    below = {_tokens(digits) for digits in roster.prefixes(place)}
    return Reader(CAT, consumer(place), (*sorted(f"cat.{tokens}.>" for tokens in line | below), "dir.>"))


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a client may publish and subscribe at one server; nothing else is allowed."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]

    def may_publish(self, subject: str) -> bool:
        """Whether this client may publish on `subject`."""
        return any(matches(pattern, subject) for pattern in self.publish)


def _reading(name: str) -> tuple[str, ...]:
    """What reading and acknowledging one's own consumers takes, on both streams.

    RESET is with it so that after a cut a reader gets back at once what was on the way; it moves
    nobody's cursor but its own.
    """
    return tuple(
        subject.format(stream=stream, name=name)
        for stream in (MAIL, CAT)
        for subject in (
            "$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}",
            "$JS.API.CONSUMER.INFO.{stream}.{name}",
            "$JS.API.CONSUMER.RESET.{stream}.{name}",
            "$JS.ACK.{stream}.{name}.>",
            "$JS.ACK.*.*.{stream}.{name}.>",
        )
    )


def node_permissions(place: str) -> Permissions:
    """A plain node at its parent's hub: writes as itself to anyone, reads what is its own."""
    return Permissions(
        (f"mail.*.{_ANY_PLACE}.{p5(place)}", *_reading(consumer(place))), (f"{inbox(place)}.>",)
    )


def relay_permissions(place: str, prefixes: Iterable[str]) -> Permissions:
    """A hub at its upper hub: writes for the sources under `prefixes`, reads what is its own."""
    return Permissions((*source_patterns(prefixes), *_reading(consumer(place))), (f"{inbox(place)}.>",))


def hub_permissions(place: str) -> Permissions:
    """A hub's own node at its own hub: all streams and all their administration, but no other's inbox."""
    return Permissions(("mail.>", "cat.>", "dir.>", "$JS.API.>", "$JS.ACK.>"), (f"{inbox(place)}.>",))
