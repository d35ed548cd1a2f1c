"""What is sealed to us, only we can read, and whoever sealed it wrote what he liked: no page and no loop trips over it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from node.agency import entrusted
from node.cases import actions
from node.cases.dossier import dossier
from node.documents.kinds import KINDS
from node.errors import BadForm, NotFound
from node.materials import index, viewing
from protocol.dsse import b64
from protocol.sealed import binding, seal
from tests.attack.rogue import Fields, Rogue, post
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import CLERK, divisions, form, part_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROSTER = part_of(divisions())
CITY, COUNTY, TOWNSHIP, VILLAGE = (place.code for place in ROSTER.subtree(ROSTER.city.code))
ITEM = "SZS-001"
FIELDS = (
    "notes", "files", "documents", "defects", "materials", "applicant", "entrustment", "supplement", "delivery", "item_name",
    "note",
)  # fmt: skip
BENT: dict[str, Any] = {
    "numbers": dict.fromkeys(FIELDS, 5),
    "nothing": dict.fromkeys(FIELDS),
    "words": dict.fromkeys(FIELDS, "<script>alert(1)</script>"),
    "lists of numbers": {key: [1, None, [], "字"] for key in FIELDS},
    "lists of lists": {key: [[[]]] for key in FIELDS},
    "parts within": {
        "applicant": {key: [1] for key in ("name", "id_no", "id_type", "phone", "address")},
        "entrustment": {"scope": 5, "until": "明天", "agent": [1]},
        "supplement": {"materials": 7, "absent": [3]},
        "delivery": {"way": 1, "receiver": []},
        "defects": [{"material": 4, "problem": None}],
        "documents": [{"kind": 1}, {"number": {}}],
        "notes": [{"what": 1, "text": None, "by": []}],
    },
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(ROSTER, databases)
    yield found
    await found.city.close()


def sealed(desks: Desks, rogue: Rogue, private: Fields) -> Fields:
    """A filing whose sealed part holds this."""
    said = rogue.filed(TOWNSHIP, (TOWNSHIP, COUNTY, CITY), item=ITEM, agent=True, materials=1, files=1)
    said |= {"cls": "personal"}
    bound = binding(said["id"], VILLAGE, "case.filed", said["case"]["no"])
    parties = [desks.city.certificates[one] for one in (VILLAGE, TOWNSHIP)]
    return {**said, "enc": seal(private, parties, bound)}


@pytest.mark.parametrize("title", BENT)
async def test_a_bent_sealed_part_stops_neither_pages_nor_the_list_of_materials(
    desks: Desks, title: str
) -> None:
    rogue = Rogue(desks.city, VILLAGE)
    event = sealed(desks, rogue, BENT[title])
    no, town = event["case"]["no"], desks.city[TOWNSHIP]
    post(desks.city, TOWNSHIP, VILLAGE, rogue.parcel(event))
    await desks.city.settle()
    assert town.read(dossier, town.know, no) is not None
    await town.do(index.list_noted)
    assert not town.read(index.any_noted)
    await town.do(actions.accept, CLERK, no)
    reason = town.db.read(
        lambda session: entrusted.refusal(session, town.know, no, (), desks.city.now.date())
    )
    assert ("不是日期" in reason) == (title == "parts within")
    async with desks.at(TOWNSHIP, "clerk") as browser:
        for path in ("", *(f"/documents/{kind}" for kind in KINDS)):
            answer = await browser.get(f"/cases/{no}{path}")
            assert answer.status_code in (200, 404), (path, answer.status_code)
            assert "<script>alert" not in answer.text
        for path in ("/cases", "/handovers", "/ledger"):
            assert (await browser.get(path)).status_code == 200, path
    assert await town.do(actions.file_case, CLERK, form(ITEM, agent=False))


async def test_an_identity_paper_listed_under_another_name_too_still_takes_a_reason(desks: Desks) -> None:
    rogue, sha = Rogue(desks.city, VILLAGE), "ab" * 32
    photo = {"sha256": sha, "size": 1000, "kind": "image/jpeg", "key": b64(bytes(32))}
    twice = [{**photo, "material": name} for name in ("其他证明", "居民身份证")]
    event = sealed(desks, rogue, {"files": twice})
    no, town = event["case"]["no"], desks.city[TOWNSHIP]
    post(desks.city, TOWNSHIP, VILLAGE, rogue.parcel(event))
    await desks.city.settle()
    await town.do(index.list_noted)
    await town.do(index.arrived, sha)
    with pytest.raises(BadForm, match="事由"):
        await town.do(viewing.open_material, CLERK, no, sha, " ", "")
    with pytest.raises(NotFound, match="缩略图"):
        await town.do(viewing.open_small, CLERK, no, sha, "")
    assert (await town.do(viewing.open_material, CLERK, no, sha, "核对", "")).sha256 == sha
