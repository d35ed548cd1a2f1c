"""Building a demo city: the part of the roster shown, its sites, its people, its ports, its switchable lines."""

import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy import select

from hub.network import HubAddress, Network, Web
from hub.provision import Provision, secret
from node.accounts import actions as accounts
from node.accounts.model import User
from node.accounts.officer import Officer
from node.accounts.passwords import PLAIN, Passwords
from node.accounts.roles import Role
from node.config import NodeConfig, load
from node.db import table_of
from node.node import Node
from node.posts import views as posts
from node.posts.actions import Post
from node.posts.actions import set_up as set_up_post
from node.powers import seals
from node.powers import views as powers
from node.powers.actions import issue
from node.work import Work, utc_now
from protocol.places import Code, Place, Tier
from protocol.powers import EVERY_ITEM, RANKS, Power
from protocol.roster import Roster


class DemoError(Exception):
    """The demo cannot be built as asked; says what to change."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What part of a city to show, and where on this machine."""

    divisions: Path
    items: Path
    holidays: Path | None
    data: Path
    county: str = ""
    townships: int = 1
    villages: int = 2
    port: int = 8600


@dataclass(frozen=True, slots=True)
class Person:
    """A demo user."""

    login: str
    name: str
    staff_no: str
    roles: tuple[Role, ...]
    department: str = ""
    """Whose opinions he gives in joint handling."""


def part(whole: Roster, shape: Shape) -> Roster:
    """City, one county, its first townships and their first villages; in a city without counties, what it has."""
    city = whole.city
    counties = [place for place in whole.children(city.code) if place.tier is Tier.COUNTY]
    chosen: list[Place] = [city]
    above = city
    if counties:
        above = _county(counties, shape.county)
        chosen.append(above)
    below = [place for place in whole.children(above.code) if place.tier is Tier.TOWNSHIP] or list(
        whole.children(above.code)
    )
    for township in below[: shape.townships]:
        chosen += [township, *whole.children(township.code)[: shape.villages]]
    return Roster(chosen, [place.code for place in chosen if place.code in whole.hubs])


def _county(counties: list[Place], wanted: str) -> Place:
    if not wanted:
        return counties[-1]
    for place in counties:
        if wanted in (place.code, place.code[:6], place.name):
            return place
    names = "、".join(f"{place.code[:6]} {place.name}" for place in counties)
    raise DemoError(f"没有县（区）{wanted}；可选：{names}")


def free_block(first: int, count: int) -> int:
    """The first port from `first` on where `count` ports in a row are free on loopback."""
    for start in range(first, first + 4000, 50):
        if all(_free(port) for port in range(start, start + count)):
            return start
    raise DemoError(f"从 {first} 起找不到 {count} 个连续的空闲端口，请用 --port 换一段")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(slots=True)
class DemoCity:
    """A provisioned demo city on disk."""

    roster: Roster
    shape: Shape
    configs: dict[Code, NodeConfig]
    line_ports: dict[Code, tuple[int, int]]
    """For each place: (port of its switchable line, port of the hub it leads to)."""

    @property
    def villages(self) -> list[Place]:
        """The lowest places."""
        return [place for place in self.roster if place.tier is Tier.VILLAGE]


def build(whole: Roster, shape: Shape) -> DemoCity:
    """Provision the shown part on loopback; an existing data folder of the same city is used again."""
    roster = part(whole, shape)
    places = list(roster.subtree(roster.city.code))
    plan = _ports(shape, places, roster)
    network = Network(
        {
            code: HubAddress(
                (f"nats://127.0.0.1:{plan['hub'][code]}",), port=plan["hub"][code], monitor_port=-1
            )
            for code in roster.hubs
        },
        {place.code: Web("127.0.0.1", plan["web"][place.code]) for place in places},
    )
    Provision(roster, shape.data, network, utc_now()).run()
    configs, lines = {}, {}
    for place in places:
        config = load(shape.data / "sites" / place.code)
        if place.code not in roster.hubs:
            lines[place.code] = (plan["line"][place.code], plan["hub"][roster.hub_of(place.code).code])
            assert config.bus is not None
            config = replace(
                config, bus=replace(config.bus, urls=(f"nats://127.0.0.1:{lines[place.code][0]}",))
            )
        configs[place.code] = config
    return DemoCity(roster, shape, configs, lines)


def _ports(shape: Shape, places: list[Place], roster: Roster) -> dict[str, dict[Code, int]]:
    """Ports of pages, hubs and lines, kept with the data so that addresses stay the same."""
    register = shape.data / "ports.json"
    if register.exists():
        known: dict[str, dict[Code, int]] = json.loads(register.read_text())
        if set(known["web"]) == {place.code for place in places}:
            return known
    start = free_block(shape.port, len(places) + 20)
    inner = free_block(start + 1000, 2 * len(places) + 20)
    plan = {
        "web": {place.code: start + at for at, place in enumerate(places)},
        "hub": {code: inner + at for at, code in enumerate(sorted(roster.hubs))},
        "line": {place.code: inner + len(roster.hubs) + at for at, place in enumerate(places)},
    }
    shape.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    register.write_text(json.dumps(plan))
    return plan


def people_of(place: Place) -> list[Person]:
    """Who works at a demo place: a village has two agents (AB 岗), a centre its clerk, reviewer and chief.

    At a county the departments that assist in joint handling (联办) have a desk each.
    """
    tail = place.code[6:].lstrip("0") or place.code[4:6].lstrip("0") or "0"
    if place.tier is Tier.VILLAGE:
        return [
            Person("agent", "杨志强", f"C{tail}A", (Role.AGENT,)),
            Person("agent2", "马秀兰", f"C{tail}B", (Role.AGENT,)),
            Person("admin", "王芳", f"C{tail}-09", (Role.ADMINISTRATOR,)),
        ]
    departments = [
        Person("land", "赵文博", f"S{tail}-21", (Role.REVIEWER,), "ZR"),
        Person("housing", "丁晓燕", f"S{tail}-22", (Role.REVIEWER,), "ZJ"),
        Person("water", "哈立军", f"S{tail}-23", (Role.REVIEWER,), "SL"),
    ]
    return [
        Person("clerk", "张蕾", f"S{tail}-01", (Role.CLERK,)),
        Person("reviewer", "李敏", f"S{tail}-02", (Role.REVIEWER,)),
        Person("chief", "罗建平", f"S{tail}-03", (Role.CHIEF_REPRESENTATIVE, Role.CENTRE_HEAD)),
        Person("admin", "王芳", f"S{tail}-09", (Role.ADMINISTRATOR,)),
        Person("auditor", "白雪", f"S{tail}-10", (Role.AUDITOR,)),
        *(departments if place.tier is Tier.COUNTY else ()),
    ]


def password_of(data: Path) -> str:
    """The demo's one password, made on the first run and kept with its data (0600)."""
    path = data / "demo-password"
    if not path.exists():
        word = "".join(secrets.choice(PLAIN) for _ in range(8))
        secret(path, f"Demo-{word}-26".encode())
    return path.read_text()


def seed_people(node: Node, place: Place, hashed: str) -> None:
    """Create the demo users of a place that are not there yet."""

    def create(work: Work) -> None:
        known = set(work.session.execute(select(table_of(User).c.login)).scalars())
        for one in people_of(place):
            if one.login not in known:
                accounts.create_user(
                    work.session, work.now, None, login=one.login, name=one.name, staff_no=one.staff_no,
                    place=place.code, roles=one.roles, password_hash=hashed, must_change=False,
                    department=one.department,
                )  # fmt: skip

    node.do_now(create)


def seed_posts(node: Node, place: Place) -> None:
    """One post for everything, with its two persons (AB角), once."""
    name, a, b = (
        ("代办", "agent", "agent2") if place.tier is Tier.VILLAGE else ("综合窗口", "clerk", "reviewer")
    )
    numbers = {one.login: one.staff_no for one in people_of(place)}

    def set_up(work: Work) -> None:
        if not posts.posts_from(work.session, work.today):
            first, last = date(work.today.year, 1, 1), date(work.today.year + 1, 12, 31)
            keeper = officer_at(node, "admin")
            set_up_post(work, keeper, Post(name, numbers[a], numbers[b], first, last))

    node.do_now(set_up)


def seed_seals(node: Node, place: Place) -> None:
    """The four seals of a centre in their keepers' custody, once; a village station has none of its own."""
    if place.tier is Tier.VILLAGE:
        return
    numbers = {one.login: one.staff_no for one in people_of(place)}
    head = officer_at(node, "chief")

    def register(work: Work) -> None:
        if not powers.seals(work.session):
            for kind in seals.WHEN:
                keeper = "chief" if kind == "审批专用章" else "clerk"
                seals.register(work, head, kind, f"{place.name}{kind}", numbers[keeper])

    node.do_now(register)


def seed_powers(nodes: Mapping[Code, Node], place: Place) -> None:
    """Authorise whoever decides at a place, once: its own organ does, for a village the place above."""
    village = place.tier is Tier.VILLAGE
    signer = nodes[place.parent] if village and place.parent else nodes[place.code]

    def authorise(work: Work) -> None:
        if powers.of_place(work.session, place.code):
            return
        for one in people_of(place):
            if set(one.roles) & {Role.AGENT, Role.CHIEF_REPRESENTATIVE}:
                content = {
                    "place": place.code,
                    "person": one.staff_no,
                    "items": [EVERY_ITEM],
                    "powers": [str(power) for power in Power],
                    "rank": RANKS[0] if village else RANKS[1],
                    "since": f"{work.today.year}-01-01",
                    "until": f"{work.today.year + 1}-12-31",
                    "why": "演示",
                }
                issue(work, content, ("主管部门", "主要负责人"))

    signer.do_now(authorise)


def officer_at(node: Node, login: str) -> Officer:
    """A demo user as an officer, for the seeded story."""
    place = node.know.roster[node.place]
    found = next(one for one in people_of(place) if one.login == login)
    return Officer(
        0, found.login, found.name, found.staff_no, frozenset(found.roles), node.place, found.department
    )


def hashed_password(data: Path) -> str:
    """The demo password, hashed."""
    return Passwords().hash(password_of(data))
