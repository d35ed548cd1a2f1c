"""证据: a case as one file that anybody can check without a network, and the check of such a file here."""

import asyncio
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from node import audit
from node.cases import evidence as case_evidence
from node.cases import views
from node.desk import show
from node.desk.frame import Desk, Here
from node.desk.frame import show as answer
from node.exchange.model import COUNTING, EventState
from node.exchange.outbox import sign_waiting
from node.node import Node
from node.pages import links, screens
from node.pages.render import SECURITY_HEADERS
from node.pages.views.cases import Proof, Step
from node.pages.views.common import Fact
from node.pages.views.people import Checked, EvidenceView
from node.pages.words import case_tail, fingerprint, moment
from node.work import Work
from protocol import dsse, evidence
from protocol.envelope import Event
from protocol.evidence import Finding, Told
from protocol.lifecycle import VERBS

router = APIRouter(include_in_schema=False)

LARGEST = 32 * 1024 * 1024
MOST_PROBLEMS = 12


# Checking a file


def _said(node: Node, event: Event) -> str:
    body = event.body
    parts = [f"交{show.place_name(node, str(body['to']))}"] if body.get("to") else []
    parts += [str(body["why"])] if body.get("why") else []
    parts += [f"承诺办结日 {body['due']}"] if body.get("due") else []
    return "；".join(parts)


def _step(node: Node, told: Told) -> Step:
    event, speaker = told.event, told.speaker
    said = _said(node, event)
    return Step(
        n=event.case.n if event.case else 0,
        word=speaker.tier.word,
        place=speaker.name,
        what=VERBS.get(event.kind, event.kind),
        at=show.said_at(event),
        who=show.person(str(event.body.get("by", ""))),
        text=said,
        sealed=event.enc is not None and not said,
        proof=Proof(
            state="verified",
            words=f"第 {told.line} 行，签名已验",
            event=event.hash,
            signer=f"{speaker.name} · 第 {speaker.generation} 代证书",
        ),
    )


def _checked(node: Node, found: Finding, raw: bytes) -> Checked:
    trusted = node.know.ring.root.fingerprint
    first = found.problems[0] if found.problems else None
    words = f"全部 {len(found.story)} 条签名、证书和先后次序都成立"
    if first is not None:
        words = f"不成立：第 {first.line} 行，{first.reason}"
    facts = [
        Fact(label="信任根", value=fingerprint(found.root) if found.root else "没有", number=True),
        Fact(label="本市的根", value="一致" if found.root == trusted else "不一致：不是本市签发"),
        Fact(label="文件指纹", value=fingerprint(dsse.sha256(raw)), number=True),
        Fact(label="大小", value=f"{len(raw):,} 字节"),
    ]
    if found.made_by:
        maker = show.place_name(node, found.made_by)
        facts.insert(0, Fact(label="导出", value=f"{maker}，{_instant(found.made_at)}"))
    if found.case is not None:
        facts.insert(0, Fact(label="办到", value=found.case.state.label))
    return Checked(
        ok=found.holds,
        words=words,
        no=found.case_no,
        steps=tuple(_step(node, told) for told in found.story),
        facts=tuple(facts),
        problems=tuple(
            Fact(label=f"第 {one.line} 行", value=f"{one.rule}　{one.reason}")
            for one in found.problems[:MOST_PROBLEMS]
        ),
    )


def _instant(text: str) -> str:
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError:
        return text


@router.get(links.EVIDENCE)
async def check_page(desk: Here) -> Response:
    """Where a file is checked."""
    return answer(screens.evidence_page(desk.page(), EvidenceView(check_action=links.EVIDENCE)))


@router.post(links.EVIDENCE)
async def check(request: Request, desk: Here) -> Response:
    """What the file proves, against this city's root."""
    given = (await request.form()).get("file")
    size = (given.size or 0) if isinstance(given, UploadFile) else 0
    raw = await given.read() if isinstance(given, UploadFile) and size <= LARGEST else b""
    view, status = EvidenceView(check_action=links.EVIDENCE, error="请选择一个证据文件"), 422
    if size > LARGEST:
        view = EvidenceView(
            check_action=links.EVIDENCE, error=f"文件超过 {LARGEST // 1024 // 1024} MB，不是证据文件"
        )
    elif raw:
        root = desk.node.know.ring.root.fingerprint
        found = await asyncio.to_thread(evidence.examine, raw, root)
        view, status = EvidenceView(check_action=links.EVIDENCE), 200
        if found.problems and not found.case_no:
            view, status = EvidenceView(check_action=links.EVIDENCE, error=found.problems[0].reason), 422
        else:
            view = EvidenceView(check_action=links.EVIDENCE, result=_checked(desk.node, found, raw))
    return answer(screens.evidence_page(desk.page(), view), status)


# One case as a file


def _view(desk: Desk, no: str) -> EvidenceView:
    node = desk.node
    row = node.read(views.one, no)
    events = node.read(views.events, no)
    held = [one for one in events if one.state in COUNTING]
    speakers = {one.frm for one in held}
    steps = [one.n for one in held if one.n]
    gaps = tuple(
        f"{show.place_name(node, one.frm)}的第 {one.n} 步还在{'等待前一步' if one.state == EventState.WAITING else '隔离区'}"
        for one in events
        if one.n and one.state in (EventState.WAITING, EventState.QUARANTINED)
    )
    return EvidenceView(
        check_action=links.EVIDENCE,
        no=no,
        item=show.item_name(node, row.item),
        export_href=links.evidence_file(no),
        facts=(
            Fact(label="步骤", value=f"{len(steps)} 步，由 {len(speakers)} 个单位签署"),
            Fact(label="办到", value=show.state_tag(row).text),
            Fact(label="里面有", value="逐步的签名、签署者到市级根的证书、本站的封页"),
            Fact(label="个人信息", value="仍是密文，只有办理单位能解开"),
            Fact(label="怎样核验", value="在任何一个站点的这一页，或用命令 liandong verify"),
        ),
        gaps=gaps,
    )


@router.get(links.CASES + "/{no}/evidence")
async def case_page(desk: Here, no: str) -> Response:
    """What the file of a case will hold."""
    return answer(screens.evidence_page(desk.page(), _view(desk, no)))


@router.get(links.CASES + "/{no}/evidence/file")
async def export(desk: Here, no: str) -> Response:
    """The file; the export is noted in the audit log."""
    node = desk.node
    await sign_waiting(node.db, node.know, node.clock())
    raw = await node.db.read_slow(lambda session: case_evidence.export(session, node.know, no, node.clock()))
    await node.do(_note, desk.who.login, no, len(raw))
    head = {
        **SECURITY_HEADERS,
        "Content-Disposition": f'attachment; filename="{case_tail(no)}.evidence"',
        "Cache-Control": "no-store",
    }
    return Response(raw, media_type="application/octet-stream", headers=head)


def _note(work: Work, login: str, no: str, size: int) -> None:
    audit.record(work.session, login, "evidence.export", no, f"{size} 字节", now=work.now)
