"""Receiving bytes from a browser over a bad link (收件): ranged, resumable, then checked and enciphered.

1. The browser begins an upload under a name of its own; asking again finds the same one.
2. It puts bytes from an offset on. What came before a cut stays; a repeat writes the same bytes again; a gap is
   answered with where to go on.
3. With the last byte the file is looked at by the workshop, enciphered under a fresh key and stored by its hash;
   the plain bytes are deleted, whatever the outcome.
The newest connection of an upload wins: one that hangs half-open cannot hold it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row
from starlette.requests import ClientDisconnect

from node.accounts.officer import Officer
from node.errors import BadForm, Conflict
from node.materials import drafts
from node.materials.kinds import Cleaned, IntakeRefused
from node.materials.lane import Lane
from node.materials.model import UploadState
from node.materials.rules import MaterialRules
from node.materials.store import Store
from node.materials.workshop import Workshop
from protocol import blobs

if TYPE_CHECKING:
    from node.node import Node

log = logging.getLogger(__name__)

WRITE = 256 * 1024


@dataclass(slots=True)
class Materials:
    """What one node needs to take, keep and fetch materials."""

    node: "Node"
    rules: MaterialRules
    store: Store
    workshop: Workshop
    lane: Lane
    turns: dict[str, int] = field(default_factory=dict)
    """By upload: the number of its newest connection."""
    under_check: set[str] = field(default_factory=set)


def materials_of(node: "Node") -> Materials:
    """The materials of a node, made at their first use."""
    found = node.parts.get("materials")
    if not isinstance(found, Materials):
        rules, store = node.config.materials, Store(node.config.site)
        found = Materials(node, rules, store, Workshop(rules), Lane(node, store, rules))
        node.parts["materials"] = found
    return found


async def put(part: Materials, officer: Officer, name: str, at: int, body: AsyncIterator[bytes]) -> Row[Any]:
    """Take bytes of an upload from `at` on; its row, as it stands afterwards.

    Conflict, with the offset to go on from, if bytes before `at` are missing or another connection took over.
    """
    row = part.node.read(drafts.find, officer, name)
    if row.state != UploadState.COMING:
        return await finish(part, officer, name) if row.state == UploadState.CHECKING else row
    here = await asyncio.to_thread(part.store.uploaded, name)
    if not 0 <= at <= here:
        raise Conflict(f"请从第 {here} 字节续传")
    turn = part.turns[name] = part.turns.get(name, 0) + 1
    try:
        end = await _write(part, name, turn, at, row.size, body)
    except ClientDisconnect:
        return row
    finally:
        if part.turns.get(name) == turn:
            del part.turns[name]
    return await finish(part, officer, name) if max(end, here) >= row.size else row


async def _write(
    part: Materials, name: str, turn: int, at: int, size: int, body: AsyncIterator[bytes]
) -> int:
    """Write what comes, in portions; where it ended."""
    waiting = bytearray()

    async def out() -> None:
        nonlocal at
        if part.turns.get(name) != turn:
            raise Conflict("已由另一个连接续传")
        data = bytes(waiting)
        waiting.clear()
        await asyncio.to_thread(part.store.write_upload, name, at, data)
        at += len(data)

    try:
        async for received in body:
            waiting += received
            if at + len(waiting) > size:
                waiting.clear()
                raise BadForm(size=f"收到的字节多于声明的 {size} 字节，请移除后重新上传")
            if len(waiting) >= WRITE:
                await out()
    finally:
        if waiting and part.turns.get(name) == turn:
            await out()
    return at


async def finish(part: Materials, officer: Officer, name: str) -> Row[Any]:
    """Look at an upload whose bytes are all here and keep what may be kept; its row. BadForm if it is refused."""
    if name not in part.under_check:
        part.under_check.add(name)
        try:
            await part.node.do(drafts.checking, name)
            await _keep(part, name)
        finally:
            part.under_check.discard(name)
            await asyncio.to_thread(part.store.drop_upload, name)
    row = part.node.read(drafts.find, officer, name)
    if row.state == UploadState.REFUSED:
        raise BadForm(file=row.reason)
    return row


async def _keep(part: Materials, name: str) -> None:
    try:
        raw = await asyncio.to_thread(part.store.read_upload, name)
    except FileNotFoundError:
        await part.node.do(drafts.refuse, name, "文件在检查前丢失（可能断电），请重新上传")
        return
    try:
        cleaned = await part.workshop.clean(raw)
    except IntakeRefused as refused:
        await part.node.do(drafts.refuse, name, str(refused))
        return
    key = blobs.new_key()
    sha, size = await asyncio.to_thread(_store, part.store, cleaned, key)
    await part.node.do(drafts.ready, name, cleaned.kind, (sha, size), key, cleaned.pages)


def _store(store: Store, cleaned: Cleaned, key: bytes) -> tuple[str, int]:
    blob = blobs.encipher(cleaned.data, key)
    sha = store.keep(blob)
    if cleaned.thumb:
        store.keep_thumb(sha, key, cleaned.thumb)
    return sha, len(blob)


async def discard(part: Materials, officer: Officer, name: str) -> None:
    """Take a file out of its draft, and off the disk if nothing else needs it."""
    part.turns.pop(name, None)
    orphan = await part.node.do(drafts.remove, officer, name)
    await asyncio.to_thread(part.store.drop_upload, name)
    if orphan:
        await asyncio.to_thread(part.store.forget, orphan)
