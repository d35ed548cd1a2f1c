"""Page routes over plain HTTP: who may see what, forms only from our own pages, no road out through next=."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from node.cases import actions
from node.db import table_of
from node.desk.entry import own_path
from node.exchange.arrivals import Incoming
from node.exchange.outbox import outstanding
from node.figures import report
from node.figures.model import DailyReportRow
from protocol.roster import Roster
from tests.databases import Databases
from tests.desks import PASSWORD, Desks
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, divisions, form, part_of
from tests.parts.test_audit import tamper

CITY, COUNTY = "640200000000", "640221000000"
PERSONAL = ("王小明", "640221197001010010", "13895021234")


@pytest.fixture
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions(), townships=1, villages=2), databases)
    yield found
    await found.city.close()


def village_of(roster: Roster) -> str:
    return next(place.code for place in roster if not roster.children(place.code))


async def decided(desks: Desks, item: str = "SZS-019") -> str:
    """A case filed at the village and granted at the county."""
    city, village = desks.city, village_of(desks.city.roster)
    no = await city[village].do(actions.file_case, AGENT, form(item))
    await city.settle()
    await city[COUNTY].do(actions.accept, CLERK, no)
    await city[COUNTY].do(actions.review, REVIEWER, no, "同意", "材料齐全")
    await city[COUNTY].do(actions.decide, CHIEF, no, "granted", "")
    await city.settle()
    return no


# Coming in


TRICKS = (
    *("https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example/", "\\\\evil.example"),
    *(
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "http:/evil.example",
        "evil.example",
        "",
    ),
    *("/logout", "/login?next=/login", "/live/line", "/api/users", "/" + "x" * 600, "/\x00", "/\u202e/x"),
)


async def test_after_the_login_one_stays_in_the_house(desks: Desks) -> None:
    assert {own_path(trick) for trick in TRICKS} == {"/"}
    async with desks.at(COUNTY) as window:
        for trick in TRICKS[:6]:
            fields = {"login": "clerk", "password": PASSWORD, "next": trick}
            answer = await window.post("/login", data=fields)
            assert (answer.status_code, answer.headers["location"]) == (303, "/"), trick


async def test_one_comes_back_to_where_one_wanted_to_go(desks: Desks) -> None:
    async with desks.at(COUNTY) as window:
        sent = await window.get("/catalogue?q=db")
        assert sent.status_code == 303
        assert sent.headers["location"] == "/login?next=%2Fcatalogue%3Fq%3Ddb"
        login = await window.get(sent.headers["location"])
        assert 'name="next" value="/catalogue?q=db"' in login.text
        fields = {"login": "clerk", "password": PASSWORD, "next": "/catalogue?q=db"}
        assert (await window.post("/login", data=fields)).headers["location"] == "/catalogue?q=db"
        assert (await window.get("/login?next=/line")).headers["location"] == "/line"


async def test_wrong_passwords_wait_longer_and_longer_and_the_page_says_so(desks: Desks) -> None:
    async with desks.at(COUNTY) as window:
        said = [await window.post("/login", data={"login": "clerk", "password": "no"}) for _ in range(4)]
        assert [one.status_code for one in said] == [422, 422, 422, 429]
        assert "用户名或密码不正确" in said[0].text
        assert "已连续 3 次不正确，请 5 秒后再试" in said[2].text
        assert said[3].headers["retry-after"] == "5"
        assert "请 5 秒后再试" in said[3].text
        unknown = [await window.post("/login", data={"login": "nobody", "password": "no"}) for _ in range(3)]
        assert [one.text.replace("nobody", "clerk") for one in unknown] == [one.text for one in said[:3]]


async def test_a_first_password_opens_only_the_password_page(desks: Desks) -> None:
    async with desks.at(COUNTY) as window:
        answer = await window.post("/login", data={"login": "fresh", "password": PASSWORD, "next": "/line"})
        assert answer.headers["location"] == "/password"
        for path in ("/", "/line", "/board", "/users", "/evidence"):
            assert (await window.get(path)).headers["location"] == "/password", path
        page = (await window.get("/password")).text
        assert "首次登录" in page
        assert 'class="nav"' not in page
        wrong = await window.submit("/password", {"old": PASSWORD, "new": "short", "again": "short"})
        assert wrong.status_code == 422
        assert "至少 10 个字符" in wrong.text
        new = {"old": PASSWORD, "new": "Battery-staple-2", "again": "Battery-staple-2"}
        assert (await window.submit("/password", new)).headers["location"] == "/"
        assert (await window.get("/line")).status_code == 200


async def test_out_is_out(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as window:
        gone = await window.submit("/logout")
        assert gone.headers["location"] == "/login?out=1"
        assert "已退出" in (await window.get("/login?out=1")).text
        assert (await window.get("/line")).status_code == 303


# Who may do what

FORMS = (
    "/logout",
    "/password",
    "/users",
    "/users/clerk",
    "/users/clerk/disable",
    "/users/clerk/password",
    "/line/release",
    "/line/parcels",
    "/evidence",
)


async def test_forms_of_others_are_refused(desks: Desks) -> None:
    async with desks.at(COUNTY, "admin") as window, desks.at(COUNTY) as stranger:
        token = await window.token()
        evil = {"Origin": "https://evil.example"}
        for path in FORMS:
            assert (await window.post(path, data={"reason": "x"})).status_code == 403, path
            assert (await window.post(path, data={"csrf": token}, headers=evil)).status_code == 403, path
            assert (await stranger.post(path, data={"csrf": "x"})).headers["location"].startswith("/login"), (
                path
            )
        assert (await window.get("/line")).status_code == 200, "still logged in"


async def test_a_login_from_another_site_is_refused(desks: Desks) -> None:
    async with desks.at(COUNTY) as window:
        answer = await window.post(
            "/login",
            data={"login": "clerk", "password": PASSWORD},
            headers={"Origin": "https://evil.example"},
        )
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


ROLES = {
    "/users": {"admin"},
    "/users/clerk": {"admin"},
    "/audit": {"auditor"},
    f"/line/parcels/{CITY}": {"admin"},
    "/line/quarantine/00": {"admin"},
    "/line": {"admin", "auditor", "clerk"},
    "/board": {"admin", "auditor", "clerk"},
}


@pytest.mark.parametrize("login", ["admin", "auditor", "clerk"])
async def test_pages_open_only_for_their_roles(desks: Desks, login: str) -> None:
    async with desks.at(COUNTY, login) as window:
        shown = (await window.get("/catalogue")).text
        for path, allowed in ROLES.items():
            assert ((await window.get(path)).status_code != 403) == (login in allowed), path
            if path in ("/users", "/audit", "/board"):
                assert (f'href="{path}"' in shown) == (login in allowed), path


async def test_only_hubs_have_boards(desks: Desks) -> None:
    async with desks.at(village_of(desks.city.roster), "agent") as window:
        for path in ("/board", "/sums", "/api/board", "/api/sums"):
            assert (await window.get(path)).status_code == 404, path
    async with desks.at(COUNTY, "clerk") as window:
        assert (await window.get(f"/board?at={CITY}")).status_code == 404
        assert (await window.get("/sums?period=2999-01")).status_code == 400
        assert (await window.get("/sums?period=2026-13")).status_code == 400


# Users and the log


async def test_an_account_from_its_opening_to_its_end(desks: Desks) -> None:
    fields = {"name": "李娜", "login": "Li.Na", "staff_no": "T-77", "roles": "clerk"}
    async with desks.at(COUNTY, "admin") as window:
        made = await window.submit("/users", fields)
        first = made.text.split('class="num once">')[1].split("<")[0]
        assert "李娜" in made.text
        assert first not in (await window.get("/users/li.na")).text
        again = await window.submit("/users", fields)
        assert again.status_code == 409
        assert "已有人使用" in again.text
        assert 'value="李娜"' in again.text
        bad = await window.submit("/users/li.na", {"roles": ["clerk", "auditor"]})
        assert bad.status_code == 422
        assert "不得兼任" in bad.text
        assert (await window.submit("/users/li.na/disable")).status_code == 422
        stopped = await window.submit("/users/li.na/disable", {"reason": "调离"})
        assert "已停用" in (await window.get(stopped.headers["location"])).text
        assert (await window.submit("/users/admin/disable", {"reason": "我"})).status_code == 403
        assert (await window.submit("/users/nobody/enable", {"reason": "x"})).status_code == 404
    async with desks.at(COUNTY) as window:
        answer = await window.post("/login", data={"login": "li.na", "password": first})
        assert answer.status_code == 422
    async with desks.at(COUNTY, "auditor") as window:
        log = (await window.get("/audit?q=li.na")).text
        assert "停用用户" in log
        assert "调离" in log
        assert "链条完整" in log


async def test_a_changed_log_is_told(desks: Desks) -> None:
    async with desks.at(COUNTY, "auditor") as window:
        assert "链条完整" in (await window.get("/audit")).text
        tamper(desks.city[COUNTY].db, "UPDATE audit_entries SET reason = 'x' WHERE n = 2")
        assert "第 2 条内容被改动" in (await window.get("/audit")).text


# Catalogue, line, evidence


async def test_items_are_found_and_shown_with_their_road_from_here(desks: Desks) -> None:
    async with desks.at(village_of(desks.city.roster), "agent") as window:
        assert "最低生活保障对象审核确认" in (await window.get("/catalogue?q=dbsh")).text
        assert "没有找到相符的事项" in (await window.get("/catalogue?q=qqqq")).text
        assert (await window.get("/catalogue?start=999999")).status_code == 200
        item = (await window.get("/catalogue/SZS-001")).text
        assert all(word in item for word in ("法律依据", "许可条件", "申报材料", "承诺时限", "平罗县"))
        assert (await window.get("/catalogue/NO-SUCH")).status_code == 404
    async with desks.at(CITY, "clerk") as window:
        held = (await window.get("/catalogue/holders")).text
        assert f"{len(desks.city.roster) - 1} / {len(desks.city.roster) - 1} 个节点已到位" in held


async def test_mail_goes_by_hand_while_the_line_is_down(desks: Desks) -> None:
    city, village = desks.city, village_of(desks.city.roster)
    city.line(village).away = True
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    async with desks.at(village, "admin") as here, desks.at(COUNTY, "admin") as there:
        line = (await here.get("/line")).text
        assert "已存 3" in line
        stick = await here.get(f"/line/parcels/{COUNTY}")
        assert stick.headers["content-disposition"].endswith('.parcels"')
        assert not any(word.encode() in stick.content for word in PERSONAL)
        for _ in range(2):
            assert (await there.submit("/line/parcels", file=stick.content)).status_code == 303
        assert (await there.get(f"/cases/{no}")).status_code == 200
        same = await here.get(f"/api/parcels/{COUNTY}")
        assert (same.status_code, same.headers["x-parts"]) == (200, "1")
        assert (await here.get(f"/api/parcels/{COUNTY}?part=2")).status_code == 404
        back = await there.get(f"/line/parcels/{village}")
        assert (await here.submit("/line/parcels", file=back.content)).status_code == 303
        assert city[village].read(outstanding) == 2, "the county has confirmed"
        junk = await here.submit("/line/parcels", file=b"not mail at all\n")
        assert junk.status_code == 422
        assert "这不是摆渡文件" in junk.text
        assert (await here.get("/line/parcels/640221999999")).status_code == 404


async def test_what_is_not_genuine_stands_in_the_list_with_its_reason(desks: Desks) -> None:
    await desks.city[COUNTY].take_in([Incoming("", b"nonsense\n")])
    async with desks.at(COUNTY, "clerk") as clerk, desks.at(COUNTY, "admin") as admin:
        page = (await clerk.get("/line?tab=quarantine")).text
        assert "P-0" in page
        assert "来源不明" in page
        assert "/line/quarantine/" not in page
        found = (await admin.get("/line?tab=quarantine")).text.split('href="/line/quarantine/')[1]
        raw = await admin.get("/line/quarantine/" + found.split('"')[0])
        assert raw.content == b"nonsense\n"
        assert raw.headers["content-type"] == "application/octet-stream"
        gone = await admin.submit("/line/release", {"frm": CITY, "ep": "x", "ord": "1"})
        assert gone.status_code == 404


async def test_evidence_holds_and_a_changed_byte_is_named(desks: Desks) -> None:
    no = await decided(desks)
    async with desks.at(village_of(desks.city.roster), "agent") as window:
        assert f"/cases/{no}/evidence/file" in (await window.get(f"/cases/{no}/evidence")).text
        raw = (await window.get(f"/cases/{no}/evidence/file")).content
        assert not any(word.encode() in raw for word in PERSONAL)
        good = await window.submit("/evidence", file=raw)
        assert "签名、证书和先后次序都成立" in good.text
        assert "准予" in good.text
        changed = raw.replace(b'"on":"2026-03-02"', b'"on":"2026-03-03"', 1)
        bad = await window.submit("/evidence", file=changed)
        assert "不成立：第" in bad.text
        assert (await window.submit("/evidence", file=b"hello")).status_code == 422
        assert (await window.submit("/evidence")).status_code == 422
        assert (await window.get("/cases/0000/evidence")).status_code == 404
    async with desks.at(village_of(desks.city.roster), "auditor") as window:
        assert "导出证据文件" in (await window.get("/audit")).text


# Hubs


async def test_nothing_personal_reaches_a_page_of_the_hubs(desks: Desks) -> None:
    await decided(desks)
    for place in (COUNTY, CITY):
        async with desks.at(place, "clerk") as window:
            for path in ("/board", "/live/board", "/sums", "/api/board", "/api/sums", "/catalogue/holders"):
                page = await window.get(path)
                assert page.status_code == 200, path
                assert not any(word in page.text for word in PERSONAL), path


async def test_the_board_counts_what_is_in_hand_and_late(desks: Desks) -> None:
    city, village = desks.city, village_of(desks.city.roster)
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    await city[COUNTY].do(actions.accept, CLERK, no)
    await city.settle()

    async def rows(place: str, at: str = "") -> dict[str, dict[str, object]]:
        async with desks.at(place, "clerk") as window:
            found = (await window.get("/api/board", params={"at": at})).json()["rows"]
            return {row["place"]: row for row in found}

    assert (await rows(COUNTY))[COUNTY]["open"] == 1
    assert (await rows(CITY))[COUNTY]["overdue"] == 0
    township = city.roster.children(COUNTY)[0].code
    assert (await rows(COUNTY))[township]["filed_today"] == 1
    assert set(await rows(COUNTY, township)) == {one.code for one in city.roster.subtree(township)}
    await city.later(timedelta(hours=24 * 60).total_seconds())
    late = (await rows(CITY))[COUNTY]
    assert (late["overdue"], late["edition_behind"]) == (1, 0)


async def test_a_silent_line_is_neither_well_nor_zero(desks: Desks) -> None:
    city, village = desks.city, village_of(desks.city.roster)
    await decided(desks)
    township = city.roster.children(COUNTY)[0].code
    city.line(village).away = True
    await city.later(3600 * 27)
    async with desks.at(COUNTY, "clerk") as window:
        found = (await window.get("/api/board", params={"at": township})).json()
        assert {row["place"]: row["contact"] for row in found["rows"]}[village] == "silent"
        assert village in found["covering"]["silent"]
        page = (await window.get(f"/board?at={township}")).text
        assert "1 天前有消息" in page


async def test_declared_and_recomputed_stand_side_by_side(desks: Desks) -> None:
    city = desks.city
    await decided(desks)
    await city.later(3600 * 24)
    for node in city.nodes.values():
        await node.do(report.declare_due)
    await city.settle()
    async with desks.at(CITY, "clerk") as window:
        sums = (await window.get("/api/sums")).json()
        assert (sums["all"]["filed"], sums["all"]["accepted"], sums["all"]["closed"]) == (1, 1, 1)
        said = {row["place"]: row for row in sums["declared"]}[COUNTY]
        assert said["accepted"] == said["closed"] == {"declared": 1, "recomputed": 1}
        rows = table_of(DailyReportRow)
        lie = update(rows).where(rows.c.place == COUNTY).values(totals={"SZS-019": {"accepted": 3}})
        await city[CITY].db.write(lambda session: session.execute(lie) and None)
        page = (await window.get("/sums")).text
        assert "两者不一致" in page
        assert "+2" in page
        assert "\N{MINUS SIGN}1" in page


async def test_a_city_without_counties(databases: Databases) -> None:
    whole = divisions()
    township = whole.children(COUNTY)[0]
    places = [whole.city, replace(township, parent=whole.city.code), *whole.children(township.code)[:1]]
    desks = await Desks.open(Roster(places), databases)
    try:
        village = places[2].code
        await desks.city[village].do(actions.file_case, AGENT, form("SZS-019"))
        await desks.city.settle()
        async with desks.at(CITY, "clerk") as window:
            assert township.name in (await window.get("/board")).text
            sums = await window.get("/sums?period=2026")
            assert township.name in sums.text
            assert "乡镇街道" in sums.text
            assert (await window.get("/api/sums")).json()["all"]["filed"] == 1
    finally:
        await desks.city.close()


async def test_live_parts_answer_304_when_nothing_has_changed(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as window:
        for path in ("/live/acts", "/live/board"):
            first = await window.get(path)
            again = await window.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert (first.status_code, again.status_code) == (200, 304), path


async def test_a_live_part_without_a_session_takes_nobody_away_from_the_page(desks: Desks) -> None:
    async with desks.at(COUNTY) as window:
        for path in ("/live/board", "/live/line"):
            answer = await window.get(path, headers={"HX-Request": "true"})
            assert answer.status_code == 401
            assert "hx-redirect" not in answer.headers
        form_sent = await window.get("/cases", headers={"HX-Request": "true"})
        assert (form_sent.status_code, form_sent.headers["hx-redirect"]) == (401, "/login")


async def test_the_login_page_asks_for_nothing_by_itself(desks: Desks) -> None:
    async with desks.at(COUNTY) as window:
        page = await window.get("/login")
        assert page.status_code == 200
        assert "/live/" not in page.text
