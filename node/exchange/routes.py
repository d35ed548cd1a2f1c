"""The line and the node for programs: who we are, how far every act got, what stands aside."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from node import ferry
from node.accounts.guard import admit, node_of, officer, require
from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.errors import BadRequest, RoleMissing
from node.exchange import release, views
from node.materials import reached
from protocol.envelope import MAX_PARCEL

Who = Annotated[Officer, Depends(officer)]
Keeper = Annotated[Officer, Depends(require(Role.ADMINISTRATOR))]

router = APIRouter(prefix="/api", tags=["节点与线路"])


@router.get("/node")
async def about(request: Request) -> dict[str, Any]:
    """Who this node is: place, tier, line, catalogue edition, certificate. Open to everybody; holds nothing personal."""
    node = node_of(request)
    own = node.know.certificate
    place = node.know.roster[node.place]
    return {
        "place": node.place,
        "name": place.name,
        "tier": place.tier.label,
        "connected": node.bus.connected,
        "line_since": node.line_since,
        "edition": node.know.edition,
        "certificate": {"sha256": own.fingerprint, "until": own.not_after},
        "root": node.know.ring.root.fingerprint,
        "as_of": node.clock(),
    }


@router.get("/line")
async def line(request: Request, _who: Who) -> dict[str, Any]:
    """How far every act got: counts by stage, the oldest, the unfinished ones, and what stands aside here."""
    node = node_of(request)

    def rows(found: Any) -> list[dict[str, Any]]:
        return [dict(row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name for it

    return {
        "as_of": node.clock(),
        "connected": node.bus.connected,
        "trouble": node.bus.trouble,
        "stages": node.read(views.reach_counts),
        "materials": rows(node.read(reached.lacking)),
        "oldest": node.read(views.oldest_unfinished),
        "unfinished": rows(node.read(views.unfinished)),
        "aside": rows(node.read(views.aside)),
        "aside_counts": node.read(views.aside_counts),
        "unbelievable": rows(node.read(views.unbelievable)),
        "peers": rows(node.read(views.peers)),
    }


@router.post("/line/release/{frm}/{ep}/{ord}")
async def release_event(
    request: Request,
    who: Keeper,
    frm: str,
    ep: str,
    ord: int,  # noqa: A002
) -> dict[str, str]:
    """Try an event in quarantine again, after what stood in its way is mended; where it stands then."""
    node = node_of(request)
    found = await node.do(release.release, node.inbox, who, frm, ep, ord)
    return {"state": found.state, "rule": found.rule, "reason": found.reason}


@router.post("/parcels", status_code=202)
async def take_parcel(request: Request) -> dict[str, Any]:
    """Mail by HTTPS instead of NATS: the same inbox, the same checks; what it holds proves itself.

    One parcel from anybody; a file of many (摆渡) from the administrator who carries it.
    """
    node = node_of(request)
    said = request.headers.get("content-length", "")
    streamed = not said.isdecimal() or "transfer-encoding" in request.headers  # a length that binds nobody
    size = ferry.LARGEST + 1 if streamed else int(said)
    if size <= MAX_PARCEL:
        brought = await ferry.take(node, await request.body())
    else:
        keeper = await admit(request)
        if Role.ADMINISTRATOR not in keeper.roles:
            raise RoleMissing("成批的邮包须由管理员导入")
        if size > ferry.LARGEST:
            raise BadRequest(f"摆渡文件不超过 {ferry.LARGEST} 字节，请分成几个文件导出")
        brought = await ferry.bring(node, keeper, await request.body())
    return {"taken": node.clock(), **asdict(brought)}


@router.get("/parcels/{place}", response_class=Response)
async def carry(request: Request, who: Keeper, place: str, part: int = 1) -> Response:
    """摆渡: everything unfinished for `place` in one file, to be carried by hand; `X-Parts` tells how many there are."""
    node = node_of(request)
    packed = await ferry.pack(node, who, place, part)
    head = {
        "Content-Disposition": f'attachment; filename="{ferry.file_name(node, place, packed)}"',
        "X-Parts": str(packed.parts),
        "Cache-Control": "no-store",
    }
    return Response(packed.raw, media_type="application/x-ndjson", headers=head)
