"""A capability (能力): what a node can do, as one bundle; a county or city is a node with more of them."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from sqlmodel import Session

from node.accounts.officer import Officer
from node.bus import Delivery
from node.exchange.inbox import Handler
from node.proposals import Second
from node.work import Follow, Work
from protocol.subjects import Lane

if TYPE_CHECKING:
    from node.cases.acts import Act
    from node.node import Node


@dataclass(frozen=True, slots=True)
class NavEntry:
    """One entry of a page's navigation."""

    label: str
    path: str
    icon: str
    roles: frozenset[str] = frozenset()
    """Who sees it; empty: everybody logged in."""
    order: int = 50
    count: str = ""
    """Which count of `cases.views.counts`, or of a capability's `counts`, stands beside it."""


@dataclass(frozen=True)
class Capability:
    """Handlers for messages, routers for people and programs, loops that run while the node runs."""

    name: str
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    routers: tuple[APIRouter, ...] = ()
    loops: tuple[Callable[["Node"], Coroutine[Any, Any, None]], ...] = ()
    nav: tuple[NavEntry, ...] = ()
    dress: Callable[[], Callable[[FastAPI], None]] | None = None
    """Makes, once for all nodes of a process, what each web application gets beside routes: the look, static files."""
    acts: tuple["Act", ...] = ()
    """What it lets officers do to a case, beside the acts every tier has."""
    lanes: Mapping[Lane, Callable[["Node", Delivery], None]] = field(default_factory=dict)
    """Lanes of the mail that it takes itself, instead of the inbox: at once, without waiting, or not at all."""
    takes: Mapping[str, int] = field(default_factory=dict)
    """Paths, by their beginning, whose requests may be larger than a form: how many bytes. Twice what their own rules
    take, so that somebody with too large a file is told so in words."""
    counts: Callable[[Session, Officer], Mapping[str, int]] | None = None
    """Counts for its entries of the navigation."""
    seconds: Mapping[str, Second] = field(default_factory=dict)
    """Its kinds of proposals (`node/proposals.py`); the second person is not the first."""
    follows: Mapping[str, Follow] = field(default_factory=dict)
    """What it does once a step of a kind has been taken, ours or another's, in the same transaction."""
    on_edition: Callable[[Work], None] | None = None
    """What a new edition of the catalogue, or a new roster, asks of it; run once it is in force, and at start."""
