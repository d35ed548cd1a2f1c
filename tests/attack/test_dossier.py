"""Whose words make a case's dossier: a sealed part holds what its sender likes, and only what his word is lets it count."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from node.cases import actions
from node.cases.dossier import dossier
from node.documents import issue
from node.documents.kinds import KINDS
from node.materials import index
from node.materials.index import FileEntry
from node.materials.model import BlobState
from node.work import Work
from protocol.dsse import b64
from protocol.messages import EVERY_KIND, MAY, PUBLISHED, STEPS
from protocol.places import Tier
from protocol.sealed import binding, seal
from tests.attack.rogue import Fields, Rogue, post
from tests.databases import Databases
from tests.federation import AGENT, Federation, divisions, form, part_of
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, chosen, publish

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEIGHBOUR = part_of(divisions(), villages=2).children(TOWNSHIP)[1].code
ITEM, SHA = "SZS-052", "ab" * 32
FILE = {"material": "土地证", "sha256": SHA, "size": 10, "kind": "image/jpeg", "key": b64(bytes(32))}
FORGED: Fields = {
    "applicant": {"name": "李假冒", "id_type": "111", "id_no": "640221197001010010", "phone": "13800000000"},
    "entrustment": {"scope": ["领件"], "until": "2099-01-01", "agent": {"no": "x", "name": "假代办"}},
    "item_name": "假事项",
    "materials": ["假材料"],
    "supplement": {"materials": ["假补正"], "note": "", "absent": []},
    "delivery": {"receiver": "李假冒"},
    "decision": {"outcome": "granted", "text": "同意"},
    "documents": [{"kind": "D02", "number": "假受字〔2026〕00001号"}],
    "notes": [
        {"by": "chief", "name": "所长", "what": what, "text": "同意"}
        for what in (
            "审查意见：同意",
            "准予",
            "不予受理",
            "退件",
            "准予协办意见：同意",
            "中止代办",
            "申请撤回",
        )
    ],
    "files": [FILE],
}
BESIDE = sorted(EVERY_KIND - set(STEPS) - PUBLISHED)
SPEAKERS = {
    NEIGHBOUR: Tier.VILLAGE,
    VILLAGE: Tier.VILLAGE,
    COUNTY: Tier.COUNTY,
    CITY: Tier.CITY,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions(), villages=2), databases, publish=False).open()
    await publish(found, 1, chosen(ITEM))
    yield found
    await found.close()


def bodies(no: str, frm: str) -> dict[str, Fields]:
    """A body in order of each kind that is no step; kinds that no node handles yet have any."""
    act = {"on": "2026-03-02", "by": "x", "no": no}
    bill = {**act, "bill": f"{frm}-2026-000001", "amount": 100}
    joint = {**act, "joint": 2}
    return {
        "fee.bill": {**bill, "item": ITEM, "name": "费", "lines": [{"rate": "x", "price": 100}], "full": 100, "payee": "财政专户"},
        "fee.paid": {**bill, "stage": "已到账", "payee": "财政专户", "adapter": "x", "reference": "1"},
        "fee.refund": {**bill, "stage": "退费中", "why": "多收"},
        "agency.stopped": {**act, "ground": "政策变化"},
        "agency.resumed": {**act, "until": "2026-12-31"},
        "agency.handed_over": {**act, "to": TOWNSHIP, "papers": 1, "receiver": "x"},
        "agency.money": {**act, "receipt": "SJ1", "bill": f"{frm}-2026-000001", "amount": 100, "stage": "代收"},
        "agency.marked": {**act, "mark": "上门"},
        "joint.promise": {**joint, "part": "建房", "handler": "x", "by_day": "2026-03-09"},
        "joint.opinion": {**joint, "part": "建房", "opinion": "同意"},
        "joint.visit": {**joint, "day": "2026-03-09", "time": "09:30", "parts": ["建房"]},
        "joint.minutes": {**joint, "meeting": "联审会议", "held_on": "2026-03-02"},
        "report.daily": {"on": "2026-03-01", "edition": 1, "events": 0, "totals": {}, "no": no},
        "authorisation.update": {
            "id": f"SQ{TOWNSHIP}-1", "version": 1, "place": TOWNSHIP, "person": "x", "items": ["*"], "powers": ["决定"],
            "since": "2026-01-01", "until": "2026-12-31", "approvers": ["a", "b"], "no": no,
        },
    }  # fmt: skip


def sealed(city: Federation, rogue: Rogue, kind: str, no: str) -> Fields:
    """A word of this kind about the case, with a forged part for the township."""
    body = bodies(no, rogue.place).get(kind, {"on": "2026-03-02", "by": "x", "no": no})
    said = rogue.event(kind, {**body, "files": 1}, (TOWNSHIP,))
    parties = [city.certificates[one] for one in (rogue.place, TOWNSHIP)]
    return {
        **said,
        "cls": "personal",
        "enc": seal(FORGED, parties, binding(said["id"], rogue.place, kind, "")),
    }


async def drawn(city: Federation, no: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The township's dossier of the case, and every document it would print from it."""
    node = city[TOWNSHIP]
    subject = node.read(issue.subject_of, node.know, no)
    sheets = {kind.id: kind.draw(subject) for kind in KINDS.values() if kind in issue.offered(subject)}
    return dict(node.read(dossier, node.know, no) or {}), sheets


@pytest.mark.parametrize("kind", BESIDE)
async def test_no_word_beside_the_chain_changes_what_the_dossier_says(city: Federation, kind: str) -> None:
    for place, tier in SPEAKERS.items():
        if kind not in MAY[tier]:
            continue
        no = str(await city[VILLAGE].do(actions.file_case, AGENT, form(ITEM)))
        await city.settle()
        before, sheets = await drawn(city, no)
        rogue = Rogue(city, place)
        post(city, TOWNSHIP, place, rogue.parcel(sealed(city, rogue, kind, no)), "sup")
        await city.settle()
        after, printed = await drawn(city, no)
        added = {(one["material"], one["sha256"]) for one in after.pop("files", ())}
        headings = {one["what"] for one in after.pop("notes", ())}
        assert after == before, place
        assert {name: printed[name] for name in sheets} == sheets, place
        own = place == VILLAGE
        assert added == ({(FILE["material"], SHA)} if own and kind == "case.supplement_sent" else set())
        remark = (
            {"agency.stopped": "中止代办", "case.withdrawal_asked": "申请撤回"}.get(kind) if own else None
        )
        assert headings == ({remark} if remark else set())


@pytest.mark.parametrize("kind", sorted(MAY[Tier.VILLAGE] - set(STEPS)))
async def test_a_word_with_a_sealed_part_opens_no_cases_files_to_its_sender(
    city: Federation, kind: str
) -> None:
    no = str(await city[VILLAGE].do(actions.file_case, AGENT, form(ITEM)))
    await city.settle()
    node = city[TOWNSHIP]

    def listed(work: Work) -> None:
        index.add(work, no, [FileEntry.model_validate(FILE)], "", BlobState.COMING)

    await node.do(listed)
    rogue = Rogue(city, NEIGHBOUR)
    post(city, TOWNSHIP, NEIGHBOUR, rogue.parcel(sealed(city, rogue, kind, no)), "sup")
    await city.settle()
    assert not node.read(index.may_have, no, SHA, NEIGHBOUR)
    assert NEIGHBOUR not in node.read(index.sources, TOWNSHIP, no)
