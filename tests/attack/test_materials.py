"""Files and blob mail from people who mean harm: refused by name, never stored, never shown to the wrong eyes."""

import os
import zlib
from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from node.accounts.roles import Role
from node.bus import Delivery, Mail
from node.cases import actions
from node.errors import BadForm, Forbidden, NotFound, RoleMissing
from node.materials import collect, drafts, viewing
from node.materials.collect import materials_of
from node.materials.intake import clean
from node.materials.kinds import IntakeRefused
from node.materials.pdf import check_pdf
from node.materials.rules import MIB, MaterialRules
from node.materials.store import Store
from node.materials.workshop import Workshop
from node.node import Node
from protocol import blobs, subjects
from protocol.blobs import Ask, Piece, read_ask, read_piece, write_ask, write_piece
from protocol.errors import EnvelopeError
from protocol.places import Code
from tests.databases import Databases
from tests.federation import AGENT, CLERK, Federation, divisions, form, officer, part_of
from tests.parts.test_materials import browser
from tests.photos import noise, pdf, photo, stream
from tests.story.test_materials import bulk, names, once, shown, upload
from tests.story.test_one_case import villages

RULES = MaterialRules()
COUNTY, CITY = "640221000000", "640200000000"
ITEM = "SZS-001"


# files


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "空的"),
        (b'<?xml version="1.0"?><svg onload="alert(1)"/>', "SVG"),
        (b"\xef\xbb\xbf <SVG xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\n\n<!DOCTYPE html><script>alert(1)</script>", "网页"),
        (b"GIF89a" + bytes(100), "GIF"),
        (b"MZ" + bytes(100), "程序"),
        (b"PK\x03\x04" + bytes(100), "压缩包"),
        (bytes(4) + b"ftypheic" + bytes(100), "HEIC"),
        (bytes(4) + b"ftypmp42" + bytes(100), "视频"),
        (b"hello", "认不出"),
        (b"\xff\xd8\xff\xe0" + b"<svg onload=alert(1)>" + bytes(100), "夹带"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "打不开"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "打不开"),
        (photo()[: len(photo()) // 2], "打不开"),
        (photo() + b"<script>fetch('//evil')</script>", "夹带"),
        (photo().replace(b"made-by-phone", b"<?php eval();"), "夹带"),
        (photo() + b"PK\x03\x04rest" + b"PK\x05\x06" + bytes(18), "夹带"),
        (photo()[:20] + b"%PDF-1.4" + photo()[20:], "夹带"),
        (noise(10, 400), "看不清"),
    ],
)
def test_dressed_as_a_photo(data: bytes, words: str) -> None:
    with pytest.raises(IntakeRefused, match=words):
        clean(data, RULES)


def test_a_bomb_is_refused_by_its_header_alone() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    for width, height in ((50_000, 50_000), (9_000, 9_000), (2**31 - 1, 1)):
        head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
        with pytest.raises(IntakeRefused, match="像素"):
            clean(bomb + chunk(b"IEND", b""), RULES)


def test_twenty_megabytes_come_down_or_are_refused_with_the_number() -> None:
    large = photo(600, 400) + os.urandom(20 * MIB)
    assert len(clean(large, RULES).data) < RULES.photo_max
    with pytest.raises(IntakeRefused, match=r"26\.0 MB，超过 25 MB"):
        clean(large + bytes(6 * MIB), RULES)
    narrow = MaterialRules(photo_max=20_000)
    with pytest.raises(IntakeRefused, match="压缩后仍有"):
        clean(noise(1600, 1200), narrow)


ACTIVE = {
    "JavaScript": pdf(b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>", catalog=b"/OpenAction 4 0 R"),
    "escaped": pdf(b"<< /S /J#61vaScript /J#53 (x) >>", catalog=b"/OpenAction 4 0 R"),
    "launch": pdf(b"<< /S /Launch /F (cmd.exe) >>"),
    "embedded": pdf(stream(b"/Type /EmbeddedFile", b"MZ..."), catalog=b"/Names << /EmbeddedFiles 4 0 R >>"),
    "unlinked": pdf(tail=b"9 0 obj << /S /JavaScript /JS (x) >> endobj\n%%EOF\n"),
    "form": pdf(catalog=b"/AcroForm << /XFA 3 0 R >>"),
    "submit": pdf(b"<< /S /SubmitForm /F (http://evil) >>"),
    "attachment": pdf(b"<< /Type /Annot /Subtype /FileAttachment >>"),
    "page": pdf(b"<< /A << /S /JavaScript /JS 3 0 R >> >>"),
    "html": b"%PDF-1.4\n<html><script>alert(1)</script>" + pdf(),
    "zip": pdf(tail=b"PK\x05\x06" + bytes(18) + b"%%EOF"),
    "cut": pdf()[:-20],
    "empty": b"%PDF-1.4\n%%EOF",
    "no pages": pdf().replace(b"/Count 1", b"/Count 0").replace(b"[3 0 R]", b"[     ]"),
}


@pytest.mark.parametrize("name", ACTIVE)
def test_a_pdf_that_is_more_than_paper(name: str) -> None:
    with pytest.raises(IntakeRefused, match="PDF"):
        clean(ACTIVE[name], RULES)


def test_a_script_packed_away_in_an_object_stream() -> None:
    """Nothing of it stands in the raw bytes; the reader unpacks it."""
    inner = b"4 0 << /S /JavaScript /JS (app.alert) >>"
    packed = zlib.compress(inner)
    head = b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode"
    body = b"".join(
        [
            b"%PDF-1.5\n",
            (one := b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>\nendobj\n"),
            (two := b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"),
            (three := b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n"),
            (five := b"5 0 obj\n" + stream(head, packed) + b"\nendobj\n"),
        ]
    )
    places = [9, 9 + len(one), 9 + len(one) + len(two), 0, 9 + len(one) + len(two) + len(three)]
    start = places[4] + len(five)
    rows = [b"\x00\x00\x00\xff"]
    rows += [
        b"\x02\x00\x05\x00" if n == 4 else b"\x01" + places[n - 1].to_bytes(2, "big") + b"\x00"
        for n in range(1, 6)
    ]
    rows.append(b"\x01" + start.to_bytes(2, "big") + b"\x00")
    table = stream(b"/Type /XRef /Size 7 /W [1 2 1] /Root 1 0 R", b"".join(rows))
    raw = body + b"6 0 obj\n" + table + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start
    assert b"JavaScript" not in raw
    with pytest.raises(IntakeRefused, match="会自己运行"):
        check_pdf(raw, RULES)


def test_a_locked_pdf_and_one_that_only_claims_to_be_large() -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    with pytest.raises(IntakeRefused, match="加密"):
        clean(out.getvalue(), RULES)
    with pytest.raises(IntakeRefused, match="超过 10 MB"):
        clean(pdf(stream(b"", bytes(11 * MIB))), RULES)


def test_a_pdf_that_unpacks_to_much_is_not_unpacked() -> None:
    writer = PdfWriter()
    page = writer.add_blank_page(100, 100)
    bomb = DecodedStreamObject()
    bomb.set_data(bytes(30 * MIB))
    page[NameObject("/Contents")] = writer._add_object(bomb.flate_encode())
    out = BytesIO()
    writer.write(out)
    assert clean(out.getvalue(), RULES).data == out.getvalue()


async def test_a_decoder_that_hangs_or_breaks_is_a_refusal() -> None:
    workshop = Workshop(MaterialRules(check_s=0.001))
    with pytest.raises(IntakeRefused, match="未能完成"):
        await workshop.clean(photo())
    with pytest.raises(IntakeRefused, match="SVG"):
        await Workshop(RULES).clean(b"<svg>")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "/etc/passwd",
        "a\x00b.jpg",
        "照片\u202egpj.exe",
        "x" * 500,
        "…",
        ".",
    ],
)
async def test_names_are_words_and_never_paths(city: Federation, name: str) -> None:
    node = city[villages(city)[0]]
    part = materials_of(node)
    start = drafts.Start("draft-0001", names()[0], name, 10, "photo-0001")
    row = await node.do(drafts.start, part.rules, AGENT, start)
    assert len(row.name) <= 100
    assert not set(row.name) & set("/\\\x00\u202e")
    assert row.name not in (".", "..")


@pytest.mark.parametrize(
    "name", ["../" * 5 + "keys.json", "a" * 63, "A" * 64, "", "a" * 64 + "\n", "a" * 62 + "/."]
)
def test_the_store_opens_nothing_but_hashes(tmp_path, name: str) -> None:
    store = Store(tmp_path)
    for act in (
        store.has,
        store.size,
        store.come,
        store.drop,
        store.forget,
        store.uploaded,
        store.drop_upload,
    ):
        with pytest.raises(ValueError, match="不是材料的名字"):
            act(name)


# people


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions(), townships=1, villages=2), databases).open()
    yield found
    await found.close()


async def test_nobody_touches_anothers_uploads(city: Federation) -> None:
    node = city[villages(city)[0]]
    part = materials_of(node)
    start = drafts.Start("draft-0001", names()[0], "a.jpg", 5, "photo-0001")
    row = await node.do(drafts.start, part.rules, AGENT, start)
    other = officer("other", Role.AGENT)
    for act in (
        lambda: collect.put(part, other, row.id, 0, once(b"x")),
        lambda: collect.discard(part, other, row.id),
        lambda: node.do(drafts.share, part.rules, other, row.id, names()[1]),
    ):
        with pytest.raises(NotFound):
            await act()
    own = await node.do(drafts.start, part.rules, other, start)
    assert own.id != row.id


async def test_who_runs_or_audits_the_system_sees_no_material(city: Federation) -> None:
    village, _ = villages(city)
    await upload(city[village], "draft-0001", names()[0], photo())
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    (one,) = shown(city[village], no).files
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        with pytest.raises(RoleMissing):
            await city[village].do(viewing.open_material, officer("x", role), no, one.entry.sha256, "", "")
    async with browser(city[village], Role.AUDITOR) as web:
        assert (await web.get(f"/api/cases/{no}/materials")).status_code == 403
    with pytest.raises(NotFound):
        await city[village].do(viewing.open_material, CLERK, no, "0" * 64, "", "")


async def test_using_a_strangers_material_again(city: Federation) -> None:
    village, _ = villages(city)
    part = materials_of(city[village])
    again = drafts.Again("640221100200" + "202603020001" + "1", "0" * 64, "同意")
    with pytest.raises(NotFound):
        await city[village].do(drafts.reuse, part.rules, AGENT, "draft-0002", names()[0], again)
    again = drafts.Again(again.no, again.sha256, "")
    with pytest.raises(BadForm, match="同意"):
        await city[village].do(drafts.reuse, part.rules, AGENT, "draft-0002", names()[0], again)


# the lane


async def filed(city: Federation, size: int = 700_000) -> tuple[str, str, Node, Node]:
    """A case with a file that the township does not have yet: (no, hash, village, township)."""
    village, township = villages(city)
    bulk(city[village], "draft-0001", names()[0], os.urandom(size))
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    (one,) = shown(city[village], no).files
    return no, one.entry.sha256, city[village], city[township]


async def heard(city: Federation, origin: Node, node: Node) -> None:
    """The step is applied at the township and its first ask is out."""
    await origin.drain()
    await node.take()
    await materials_of(node).lane.step()


def delivery(frm: str, to: str, data: bytes) -> Delivery:
    return Delivery(subjects.mail(subjects.Lane.BLOB, to, frm), data, None, "")


def piece_of(sender: Node, to: Node, sha: str, at: int, data: bytes) -> bytes:
    piece = Piece(sender.place, to.place, sha, at, data)
    return write_piece(piece, sender.know.keys, sender.know.certificate)


async def test_a_supervisor_that_asks_gets_nothing(city: Federation) -> None:
    no, sha, origin, node = await filed(city)
    await city.settle()
    county = city[COUNTY]
    for target in (origin, node):
        ask = Ask(county.place, target.place, no, sha, ((0, 1000),), 1000)
        data = write_ask(ask, county.know.keys, county.know.certificate, city.now)
        before = materials_of(target).lane.sent_bytes
        await county.bus.publish([Mail(subjects.mail(subjects.Lane.BLOB, target.place, COUNTY), data, "")])
        await city.settle()
        assert materials_of(target).lane.sent_bytes == before
    assert not materials_of(county).store.has(sha)


async def test_what_the_hub_relays_is_closed_to_it(city: Federation) -> None:
    """Every byte that passes the county's broker is signed, enciphered, and useless without the key."""
    no, sha, origin, node = await filed(city, 70_000)
    blob = materials_of(origin).store.read(sha, 0, 100_000)
    assert sha256(blob).hexdigest() == sha
    passed: list[bytes] = []
    hub = city.hubs[Code(COUNTY)]
    store = hub.store
    hub.store = lambda mail: passed.append(mail.data) or store(mail)  # type: ignore[method-assign]
    await city.settle()
    (one,) = shown(node, no).files
    assert one.state == "here"
    everything = b"".join(passed)
    assert blob[100:200] in everything
    assert one.entry.secret not in everything
    assert one.entry.key.encode() not in everything
    with pytest.raises(Forbidden):
        shown(city[COUNTY], no)


async def test_pieces_from_a_stranger_are_dropped(city: Federation) -> None:
    _no, sha, origin, node = await filed(city)
    await heard(city, origin, node)
    lane = materials_of(node).lane
    stranger = next(one for one in city.nodes.values() if one.place not in (origin.place, node.place))
    lane.take(delivery(stranger.place, node.place, piece_of(stranger, node, sha, 0, b"bad")))
    lane.take(delivery(origin.place, node.place, piece_of(stranger, node, sha, 0, b"bad")))  # forged subject
    genuine = piece_of(origin, node, sha, 0, b"bad")
    lane.take(delivery(origin.place, node.place, genuine[:-1] + b"x"))
    await lane.step()
    assert lane.dropped == 3
    assert materials_of(node).store.come(sha) == 0


async def test_wrong_bytes_from_the_right_one_are_found_by_the_hash(city: Federation) -> None:
    no, sha, origin, node = await filed(city, 5_000)
    await heard(city, origin, node)
    lane = materials_of(node).lane
    size = materials_of(origin).store.size(sha)
    lane.take(delivery(origin.place, node.place, piece_of(origin, node, sha, 0, os.urandom(size))))
    await lane.step()
    assert not materials_of(node).store.has(sha)
    assert shown(node, no).files[0].state == "coming"
    await city.settle()
    await city.later(3600)
    assert shown(node, no).files[0].state == "here"


async def test_a_flood_of_pieces_takes_neither_memory_nor_disk(city: Federation) -> None:
    no, sha, origin, node = await filed(city)
    await heard(city, origin, node)
    lane = materials_of(node).lane
    junk = piece_of(origin, node, "0" * 64, 0, bytes(1000))
    ahead = piece_of(origin, node, sha, 600_000, bytes(1000))
    for _ in range(2000):
        lane.take(delivery(origin.place, node.place, junk))
        lane.take(delivery(origin.place, node.place, ahead))
    assert len(lane._mail) <= 48
    await lane.step()
    second = await origin.do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    await city.later(3600)
    assert shown(node, no).files[0].state == "here"
    assert second


async def test_garbage_on_the_lane_stops_nothing(city: Federation) -> None:
    no, _sha, origin, node = await filed(city)
    for data in (
        b"",
        b"\n",
        b"{}",
        blobs.PIECE.encode(),
        blobs.ASK.encode() + b"\n",
        os.urandom(500),
        b"[" * 9000,
    ):
        subject = subjects.mail(subjects.Lane.BLOB, node.place, origin.place)
        await origin.bus.publish([Mail(subject, data, "")])
    await city.settle()
    assert shown(node, no).files[0].state == "here"


async def test_a_party_that_asks_for_everything_at_once(city: Federation) -> None:
    no, sha, origin, node = await filed(city)
    await city.settle()
    lane = materials_of(origin).lane
    ask = Ask(node.place, origin.place, no, sha, ((0, blobs.MAX_BLOB),) * 16, blobs.MAX_PIECE)
    data = write_ask(ask, node.know.keys, node.know.certificate, city.now)
    before = lane.sent_bytes
    for _ in range(20):
        lane.take(delivery(node.place, origin.place, data))
    while await lane.step():
        pass
    assert lane.sent_bytes - before <= 1024 * 1024


async def test_asks_and_pieces_prove_themselves(city: Federation) -> None:
    no, sha, origin, node = await filed(city)
    ask = Ask(node.place, origin.place, no, sha, ((0, 10),), 1024)
    raw = write_ask(ask, node.know.keys, node.know.certificate, city.now)
    ring, me = origin.know.ring, origin.place
    assert read_ask(raw, ring, me, node.place) == ask
    piece = Piece(origin.place, node.place, sha, 5, b"bytes")
    body = write_piece(piece, origin.know.keys, origin.know.certificate)
    assert read_piece(body, node.know.ring, node.place, origin.place) == piece
    for rule, act in (
        ("B-3", lambda: read_ask(raw, ring, me, Code(COUNTY))),
        ("B-3", lambda: read_ask(raw, ring, node.place, node.place)),
        ("B-2", lambda: read_ask(raw.replace(b'"sig":"', b'"sig":"AA'), ring, me, node.place)),
        ("B-4", lambda: read_piece(body[:-1] + b"!", node.know.ring, node.place, origin.place)),
        ("B-1", lambda: read_piece(body + bytes(blobs.MAX_PIECE), node.know.ring, node.place, origin.place)),
    ):
        with pytest.raises(EnvelopeError) as caught:
            act()
        assert caught.value.rule in (rule, "P-2")
