"""A capability (能力): what a node can do, as one bundle; a county or city is a node with more of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import APIRouter

from node.exchange.inbox import Handler

if TYPE_CHECKING:
    from node.node import Node


@dataclass(frozen=True, slots=True)
class NavEntry:
    """One entry of a page's navigation."""

    label: str
    path: str
    roles: frozenset[str] = frozenset()
    """Who sees it; empty: everybody logged in."""
    order: int = 50


@dataclass(frozen=True)
class Capability:
    """Handlers for messages, routers for people and programs, loops that run while the node runs."""

    name: str
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    routers: tuple[APIRouter, ...] = ()
    loops: tuple[Callable[["Node"], Awaitable[None]], ...] = ()
    nav: tuple[NavEntry, ...] = ()
