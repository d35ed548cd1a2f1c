"""Materials: what is kept of a file, uploads over a bad link, the checklist, and how a material is shown."""

import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO

import httpx
import pytest
from PIL import Image
from sqlalchemy import select

from node.accounts import actions as accounts
from node.accounts import tokens
from node.accounts.passwords import Passwords
from node.accounts.roles import Role
from node.audit import AuditEntry
from node.cases import actions
from node.db import table_of
from node.materials import retention
from node.materials.collect import materials_of
from node.materials.intake import clean
from node.materials.kinds import JPEG, PDF, PNG
from node.materials.rules import MaterialRules
from node.node import Node
from node.web import Web
from tests.databases import Databases
from tests.federation import AGENT, Federation, divisions, form, officer, part_of
from tests.photos import noise, pdf, photo

RULES = MaterialRules()
ITEM = "SZS-001"


def picture(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


# what is kept of a file


def test_a_photo_keeps_its_pixels_and_nothing_else() -> None:
    taken = photo(640, 480)
    assert b"Exif" in taken
    assert b"made-by-phone" in taken
    kept = clean(taken, RULES)
    assert kept.kind == JPEG
    assert picture(kept.data).size == (640, 480)
    for trace in (b"Exif", b"PhoneMaker", b"made-by-phone", b"GPS", b"http"):
        assert trace not in kept.data
        assert trace not in kept.thumb
    assert not picture(kept.data).getexif()
    assert max(picture(kept.thumb).size) <= 240


@pytest.mark.parametrize(
    ("orientation", "size"), [(1, (320, 200)), (3, (320, 200)), (6, (200, 320)), (8, (200, 320))]
)
def test_it_stands_upright(orientation: int, size: tuple[int, int]) -> None:
    assert picture(clean(photo(320, 200, orientation=orientation), RULES).data).size == size


def test_a_large_photo_is_made_smaller() -> None:
    kept = clean(noise(3400, 2400), RULES)
    assert len(kept.data) <= RULES.photo_max
    assert max(picture(kept.data).size) <= RULES.edge_px


@pytest.mark.parametrize("form_", ["PNG", "WEBP"])
def test_png_and_webp_come_out_as_png_or_jpeg(form_: str) -> None:
    kept = clean(noise(200, 100, form_), RULES)
    assert kept.kind in (PNG, JPEG)
    assert picture(kept.data).size == (200, 100)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixels(mode: str) -> None:
    out = BytesIO()
    Image.new(mode, (40, 30)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    assert picture(clean(out.getvalue(), RULES).data).mode in ("L", "RGB")


def test_transparent_becomes_paper() -> None:
    out = BytesIO()
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(out, "PNG")
    assert picture(clean(out.getvalue(), RULES).data).convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_a_pdf_is_kept_as_it_is() -> None:
    paper = pdf(catalog=b"/OpenAction [3 0 R /Fit]")
    kept = clean(paper, RULES)
    assert (kept.kind, kept.data, kept.thumb) == (PDF, paper, b"")


# over HTTP


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions(), townships=1, villages=1), databases).open()
    yield found
    await found.close()


def village_of(city: Federation) -> Node:
    return next(node for node in city.nodes.values() if not city.roster.children(node.place))


def browser(node: Node, *roles: Role, name: str = "desk") -> httpx.AsyncClient:
    """A program with these roles at a node."""
    head = officer("head", Role.ADMINISTRATOR, place=node.place)
    stored, secret = Passwords(time_cost=1, memory_kib=8).hash("Correct-horse-1"), tokens.new_secret()

    def enrol(session) -> None:
        by = accounts.create_user(
            session, node.clock(), None, login=f"head-{name}", name="管理员", staff_no=f"H-{name}",
            place=node.place, roles=[Role.ADMINISTRATOR], password_hash=stored,
        )  # fmt: skip
        keeper = type(head)(by, head.login, head.name, head.staff_no, head.roles, node.place)
        until = datetime(2026, 6, 1, tzinfo=UTC)
        tokens.issue(session, node.clock(), keeper, name=name, roles=roles, expires=until, secret=secret)

    node.db.write_now(enrol)
    transport = httpx.ASGITransport(Web(node.capabilities).app(node))
    return httpx.AsyncClient(
        transport=transport, base_url="http://node.test", headers={"Authorization": f"Bearer {secret}"}
    )


def material() -> str:
    return form(ITEM).materials[0]


async def begin(web: httpx.AsyncClient, size: int, token: str = "photo-0001", draft: str = "draft-0001"):
    body = {"draft": draft, "material": material(), "name": "IMG_1.jpg", "size": size}
    return await web.post("/api/uploads", json=body, headers={"Idempotency-Key": token})


async def test_an_upload_over_a_link_that_breaks(city: Federation) -> None:
    node = village_of(city)
    data = photo(800, 600)
    async with browser(node, Role.AGENT) as web:
        made = await begin(web, len(data))
        assert made.status_code == 201
        name = made.json()["id"]
        half = len(data) // 2
        first = await web.put(f"/api/uploads/{name}?offset=0", content=data[:half])
        assert (first.json()["state"], first.json()["offset"]) == ("coming", half)

        again = await begin(web, len(data))  # the answer had been lost
        assert (again.json()["id"], again.json()["offset"]) == (name, half)
        gap = await web.put(f"/api/uploads/{name}?offset={half + 9}", content=b"x")
        assert gap.status_code == 409
        assert str(half) in gap.json()["detail"]

        async def breaking() -> AsyncIterator[bytes]:
            yield data[half - 7 : half + 50]
            raise httpx.ReadError("cut")

        with pytest.raises(httpx.ReadError):
            await web.put(f"/api/uploads/{name}?offset={half - 7}", content=breaking())
        at = (await web.get(f"/api/uploads/{name}")).json()["offset"]
        done = await web.put(f"/api/uploads/{name}?offset={at}", content=data[at:])
        assert (done.status_code, done.json()["state"], done.json()["kind"]) == (200, "ready", JPEG)
        repeat = await web.put(f"/api/uploads/{name}?offset={at}", content=data[at:])
        assert (repeat.status_code, repeat.json()["state"]) == (200, "ready")
    assert materials_of(node).store.uploads() == []


async def test_what_is_too_large_or_too_long_is_told_with_the_number(city: Federation) -> None:
    async with browser(village_of(city), Role.AGENT) as web:
        refused = await begin(web, 40 * 1024 * 1024)
        assert refused.status_code == 422
        assert "40.0 MB" in refused.json()["detail"]
        assert "25 MB" in refused.json()["detail"]
        name = (await begin(web, 10, "photo-0002")).json()["id"]
        longer = await web.put(f"/api/uploads/{name}", content=b"x" * 11)
        assert (longer.status_code, "多于" in longer.json()["detail"]) == (422, True)


async def test_a_refused_file_says_why_and_may_be_removed(city: Federation) -> None:
    node = village_of(city)
    async with browser(node, Role.AGENT) as web:
        name = (await begin(web, 5)).json()["id"]
        refused = await web.put(f"/api/uploads/{name}", content=b"<svg>")
        assert refused.status_code == 422
        assert "SVG" in refused.json()["errors"][0]["detail"]
        listed = (await web.get(f"/api/drafts/draft-0001/materials?item={ITEM}")).json()
        assert listed["slots"][0]["state"] == "refused"
        assert material() in listed["missing"]
        assert material() in listed["warning"]
        assert (await web.delete(f"/api/uploads/{name}")).status_code == 204
        assert (await web.get(f"/api/uploads/{name}")).status_code == 404


async def test_the_checklist_and_filing_with_what_was_collected(city: Federation) -> None:
    node = village_of(city)
    async with browser(node, Role.AGENT) as web:
        data = photo(seed=3)
        name = (await begin(web, len(data))).json()["id"]
        await web.put(f"/api/uploads/{name}", content=data[:10])
        listed = (await web.get(f"/api/drafts/draft-0001/materials?item={ITEM}")).json()
        assert listed["slots"][0]["state_label"] == "上传中"
        body = {**filled(), "draft": "draft-0001"}
        waits = await web.post("/api/cases", json=body)
        assert (waits.status_code, "没有传完" in waits.json()["detail"]) == (422, True)
        await web.put(f"/api/uploads/{name}?offset=10", content=data[10:])
        listed = (await web.get(f"/api/drafts/draft-0001/materials?item={ITEM}")).json()
        assert listed["slots"][0]["state_label"] == "已收"
        other = form(ITEM).materials[1]
        shared = await web.post(f"/api/uploads/{name}/share", json={"material": other})
        assert (shared.status_code, shared.json()["material"]) == (201, other)
        filed = await web.post("/api/cases", json=body)
        assert filed.status_code == 201
        no = filed.json()["no"]
        files = (await web.get(f"/api/cases/{no}/materials")).json()
        assert (files["arrived"], files["total"]) == (2, 2)
        assert "key" not in str((await web.get(f"/api/cases/{no}")).json()["private"]["files"])
        assert (await web.delete(f"/api/uploads/{name}")).status_code == 409
        old = await web.post("/api/reusable", json={"item": ITEM, "id_no": form(ITEM).id_no})
        assert {one["no"] for one in old.json()} == {no}
        stranger = await web.post("/api/reusable", json={"item": ITEM, "id_no": "640221198503076511"})
        assert stranger.json() == []


def filled() -> dict[str, object]:
    values = form(ITEM)
    names = (
        "item",
        "name",
        "id_no",
        "phone",
        "address",
        "agent",
        "entrusted",
        "entrust_scope",
        "entrust_until",
    )
    return {name: getattr(values, name) for name in names} | {"materials": list(values.materials)}


async def test_each_view_is_recorded_and_safe(city: Federation) -> None:
    node = village_of(city)
    async with browser(node, Role.AGENT) as web:
        data, paper = photo(400, 300), pdf()
        for token, content in (("photo-0001", data), ("paper-0001", paper)):
            name = (await begin(web, len(content), token)).json()["id"]
            await web.put(f"/api/uploads/{name}", content=content)
        no = (await web.post("/api/cases", json={**filled(), "draft": "draft-0001"})).json()["no"]
        listed = (await web.get(f"/api/cases/{no}/materials")).json()["files"]
        one, two = sorted(listed, key=lambda file: file["kind"], reverse=True)
        shown = await web.get(one["href"], params={"why": "核对身份"})
        assert (shown.status_code, shown.headers["content-type"]) == (200, JPEG)
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert shown.headers["content-security-policy"].startswith("sandbox")
        assert shown.headers["cache-control"] == "no-store"
        assert shown.headers["content-disposition"].startswith("inline;")
        assert picture(shown.content).size == (400, 300)
        saved = await web.get(two["href"])
        assert saved.headers["content-disposition"].startswith("attachment;")
        assert saved.content == paper
        for _ in range(2):
            small = await web.get(one["thumb"])
            assert max(picture(small.content).size) <= 240
        assert two["thumb"] == ""
    table = table_of(AuditEntry).c
    rows = node.db.read(
        lambda session: session.execute(select(table.act, table.reason).order_by(table.n)).all()
    )
    looked = [tuple(row) for row in rows if row.act.startswith("material.")]
    assert looked == [("material.view", "核对身份"), ("material.view", "办理本件"), ("material.glance", "")]


async def test_files_and_folders_are_for_nobody_else(city: Federation) -> None:
    node = village_of(city)
    async with browser(node, Role.AGENT) as web:
        name = (await begin(web, 100)).json()["id"]
        await web.put(f"/api/uploads/{name}", content=b"x" * 50)
        data = photo()
        name = (await begin(web, len(data), "photo-0002")).json()["id"]
        await web.put(f"/api/uploads/{name}", content=data)
    paths = list((node.config.site / "materials").rglob("*"))
    assert len([path for path in paths if path.is_file()]) == 3
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        if path.is_file() and path.parent.name != "uploads":
            assert b"\xff\xd8\xff" not in path.read_bytes()[:64]


async def test_drafts_that_are_never_filed_go(city: Federation) -> None:
    node = village_of(city)
    async with browser(node, Role.AGENT) as web:
        data = photo(seed=8)
        name = (await begin(web, len(data))).json()["id"]
        await web.put(f"/api/uploads/{name}", content=data)
        await begin(web, 100, "photo-0002")
    part = materials_of(node)
    await city.later(13 * 86400)
    assert await retention.sweep(part) == 0
    await city.later(3 * 86400)
    assert await retention.sweep(part) == 1
    left = [path for path in (node.config.site / "materials").rglob("*") if path.is_file()]
    assert left == []


async def test_at_most_so_many_files(city: Federation) -> None:
    node = village_of(city)
    async with browser(node, Role.AGENT) as web:
        for number in range(RULES.files_max):
            assert (await begin(web, 10, f"photo-{number:04d}")).status_code == 201
        refused = await begin(web, 10, "photo-9999")
        assert (refused.status_code, "60" in refused.json()["detail"]) == (422, True)


async def test_a_case_with_no_files_lists_none(city: Federation) -> None:
    node = village_of(city)
    no = await node.do(actions.file_case, AGENT, form(ITEM))
    async with browser(node, Role.CLERK) as web:
        assert (await web.get(f"/api/cases/{no}/materials")).json() == {"arrived": 0, "total": 0, "files": []}
