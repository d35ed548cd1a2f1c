"""`liandong doctor`: what is wrong with a site, in plain words, before a resident notices.

One rule: it only looks. Nothing is fetched, acknowledged or written, so it may run beside the node.
"""

import asyncio
import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from shutil import disk_usage

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from node import schema
from node.accounts.model import User
from node.accounts.roles import Role
from node.bus.nats import NatsBus
from node.catalogue.replica import missing
from node.config import BusConfig, ConfigError, NodeConfig
from node.credentials import open_bus
from node.db import Database, table_of
from node.exchange import setback, views
from node.exchange.model import EventState
from node.site import Identity, bootstrap_roster, read_identity
from node.work import Knowledge
from protocol.places import Code
from protocol.subjects import CAT, MAIL, Stream, consumer
from protocol.verify import GRACE

SOON = timedelta(days=90)
SKEW = timedelta(minutes=2)
WAITED = timedelta(hours=24)
LITTLE_MB, TOO_LITTLE_MB = 1024, 200
CONNECT_S = 6.0


class Verdict(StrEnum):
    """How it stands with one thing."""

    GOOD = "好"
    LOOK = "注意"
    BAD = "不好"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at, and what was found."""

    verdict: Verdict
    name: str
    words: str


def good(name: str, words: str) -> Check:
    """All is well."""
    return Check(Verdict.GOOD, name, words)


def look(name: str, words: str) -> Check:
    """It works, but somebody should look."""
    return Check(Verdict.LOOK, name, words)


def bad(name: str, words: str) -> Check:
    """It does not work."""
    return Check(Verdict.BAD, name, words)


async def examine(config: NodeConfig, now: datetime) -> list[Check]:
    """Everything that can be looked at on this machine; later checks are left out where earlier ones make them idle."""
    found = [*_files(config), _disk(config.site)]
    try:
        identity = read_identity(config)
    except ConfigError as wrong:
        return [*found, bad("密钥与证书", str(wrong))]
    found += _certificate(config, identity, now)
    runs = await asyncio.to_thread(_answers, config)
    found.append(
        good("节点", "正在运行") if runs else look("节点", f"没有在 {config.host}:{config.port} 应答")
    )
    found += _database(config, identity, now)
    found += await _lines(config, now, runs=runs)
    return found


def _files(config: NodeConfig) -> Iterator[Check]:
    """Presence, modes and owners of the files of the site."""
    site = config.site
    secrets = [site / "keys.json", *(bus.credentials for bus in _buses(config))]
    others = [site / "root.cert", site / "chain.ndjson", site / "directory.ndjson"]
    others += [bus.tls_ca for bus in _buses(config) if bus.tls_ca]
    if config.hub is not None and config.hub.embedded:
        others.append(config.hub.directory / "trust.json")
        others += [one for one in (config.hub.tls_cert,) if one]
        secrets += [one for one in (config.hub.tls_key,) if one]
    gone = [path for path in (*secrets, *others) if not path.exists()]
    if gone:
        yield bad("文件", f"缺少 {'、'.join(_short(path, site) for path in gone)}：请重新运来站点目录")
    open_ones = [path for path in secrets if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_ones:
        names = " ".join(str(path) for path in open_ones)
        yield bad("文件", f"密钥文件他人可读，请运行 chmod 600 {names}")
    owner = site.stat().st_uid
    foreign = [path for path in site.rglob("*") if path.stat().st_uid != owner]
    if foreign:
        yield look(
            "文件", f"{_short(foreign[0], site)} 等 {len(foreign)} 个文件不属于站点目录的属主，节点可能写不了"
        )
    if not (gone or open_ones or foreign):
        yield good("文件", "齐全，密钥只有属主可读")


def _buses(config: NodeConfig) -> list[BusConfig]:
    upper = config.hub.upper if config.hub else None
    return [one for one in (config.bus, upper) if one]


def _short(path: Path, site: Path) -> str:
    return str(path.relative_to(site) if path.is_relative_to(site) else path)


def _disk(site: Path) -> Check:
    free_mb = disk_usage(site).free // 1024 // 1024
    words = f"剩余 {free_mb} MB"
    if free_mb < TOO_LITTLE_MB:
        return bad("磁盘", f"{words}：很快就不能登记办件，请立即清理")
    return look("磁盘", f"{words}：请清理或扩容") if free_mb < LITTLE_MB else good("磁盘", words)


def _certificate(config: NodeConfig, identity: Identity, now: datetime) -> Iterator[Check]:
    chain = identity.ring.chain(config.place)
    own = chain[-1]
    yield good(
        "密钥与证书",
        f"{own.name}（{own.place}）第 {own.generation} 代；信任根 {identity.ring.root.fingerprint}",
    )
    if now < own.not_before - GRACE:
        yield bad("有效期", f"证书 {own.not_before:%Y-%m-%d} 起有效，本机时钟是 {now:%Y-%m-%d}：请校正时钟")
        return
    ends = min(one.not_after for one in chain)
    days = (ends - now).days
    words = f"证书链到 {ends:%Y-%m-%d}，还有 {days} 天"
    if ends < now:
        yield bad(
            "有效期", f"证书已于 {ends:%Y-%m-%d} 到期：请在市级重新运行 liandong provision，运来站点目录"
        )
    else:
        yield look("有效期", f"{words}：请换发") if ends - now < SOON else good("有效期", words)


def _answers(config: NodeConfig) -> bool:
    """Whether the node's pages answer on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(config.host, config.host)  # noqa: S104
    try:
        with urllib.request.urlopen(f"http://{host}:{config.port}/api/node", timeout=3) as answer:
            return f'"{config.place}"'.encode() in answer.read(10_000)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _database(config: NodeConfig, identity: Identity, now: datetime) -> Iterator[Check]:
    """Whether it is there and up to date; then what it says of catalogue, line and people."""
    address = make_url(config.database)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        yield look("数据库", f"还没有 {address.database}：节点第一次运行时建立")
        return
    try:
        with Database(config.database) as db:
            revision = db.read(lambda session: schema.revision_of(session.connection(), "node"))
            if revision != schema.head_of("node"):
                yield look(
                    "数据库",
                    f"是旧版（{revision}），节点下次启动时升级到 {schema.head_of('node')}；升级前请备份",
                )
                return
            yield good("数据库", f"{db.dialect}，版本 {revision}")
            know = _knowledge(config, identity)
            for view in (_people, _catalogue(know), _reach(now)):
                yield db.read(view)
    except (SQLAlchemyError, OSError) as wrong:
        yield bad("数据库", f"打不开：{str(wrong).splitlines()[0]}")


def _knowledge(config: NodeConfig, identity: Identity) -> Knowledge:
    own = identity.ring.current(config.place)
    assert own is not None
    roster = bootstrap_roster(identity.ring, config.place)
    return Knowledge(config.place, identity.keys, own, identity.ring, roster)


def _people(session: Session) -> Check:
    table = table_of(User).c
    query = select(table.login).where(table.roles == str(Role.ADMINISTRATOR), table.disabled.is_(False))
    found = session.execute(query).scalars().all()
    if not found:
        return look("账户", "没有管理员：请运行 liandong user add --site … 建立第一位")
    return good("账户", f"管理员 {len(found)} 位")


def _catalogue(know: Knowledge) -> Callable[[Session], Check]:
    def view(session: Session) -> Check:
        number, lacking = missing(session, know)
        if number == 0:
            return look("目录", "还没有收到目录")
        if lacking:
            return look("目录", f"第 {number} 版还缺 {lacking} 个文件")
        return good("目录", f"第 {number} 版，齐全")

    return view


def _reach(now: datetime) -> Callable[[Session], Check]:
    def view(session: Session) -> Check:
        stages = views.reach_counts(session)
        oldest = views.oldest_unfinished(session)
        aside = views.aside_counts(session)
        words = f"未完成 {sum(stages.values())} 条，隔离 {aside[EventState.QUARANTINED]} 条"
        if set_back := setback.alarm(session):
            return look("收发", f"{words}；本节点的数据库曾被回退（{set_back}）：请与上级核对办件")
        if aside[EventState.QUARANTINED] or stages["quarantined"]:
            return look("收发", f"{words}：请在线路页查看隔离区")
        if oldest is not None and now - oldest > WAITED:
            return look(
                "收发", f"{words}，最早的已等 {(now - oldest).days} 天 {(now - oldest).seconds // 3600} 小时"
            )
        return good("收发", words)

    return view


async def _lines(config: NodeConfig, now: datetime, *, runs: bool) -> list[Check]:
    """The hub, or hubs, reached with our credentials; and their clocks."""
    if config.bus is None:
        return [bad("线路", "node.toml 没有 [bus]")]
    if config.hub is not None and config.hub.embedded and not runs:
        found = [look("本级枢纽", "由节点启动；节点没有运行，未检查")]
    else:
        found = await _line("本级枢纽" if config.hub else "枢纽", config.place, config.bus, now)
    if config.hub is not None and config.hub.upper is not None:
        found += await _line("上级枢纽", config.place, config.hub.upper, now)
    return found


async def _line(name: str, place: Code, config: BusConfig, now: datetime) -> list[Check]:
    try:
        bus = open_bus(place, config)
    except (ConfigError, OSError) as wrong:
        return [bad(name, str(wrong))]
    where = "、".join(config.urls)
    await bus.connect()
    try:
        if not await bus.line.until_connected(asyncio.get_running_loop().time() + CONNECT_S):
            return [bad(name, f"{where}：{bus.trouble or '连不上'}")]
        told = {stream: await _mailbox(bus, place, stream) for stream in (MAIL, CAT)}
    finally:
        await bus.close()
    if None in told.values():
        return [bad(name, f"{where} 接通，但尚未为本站点建立信箱：上级的名册里可能还没有本站点")]
    waiting = sum(one.waiting for one in told.values() if one)
    return [good(name, f"{where} 接通，待取 {waiting} 条"), *_clock(told.values(), now)]


@dataclass(frozen=True, slots=True)
class _Mailbox:
    waiting: int
    hub_time: datetime | None


async def _mailbox(bus: NatsBus, place: Code, stream: Stream) -> _Mailbox | None:
    """What waits for us and the hub's clock; None if the hub keeps no mailbox for us."""
    answer = await bus.line.ask_json(f"$JS.API.CONSUMER.INFO.{stream}.{consumer(place)}")
    if not isinstance(answer, dict) or "error" in answer:
        return None
    return _Mailbox(answer["num_pending"] + answer["num_ack_pending"], _instant(answer.get("ts")))


def _instant(text: object) -> datetime | None:
    """The moment in a server's answer, written with up to nine digits of a second."""
    try:
        return datetime.fromisoformat(str(text)[:19]).replace(tzinfo=UTC)
    except ValueError:
        return None


def _clock(told: Iterable[_Mailbox | None], began: datetime) -> Iterator[Check]:
    for one in told:
        if one is not None and one.hub_time is not None:
            late = one.hub_time - began
            seconds = round(late.total_seconds())
            if abs(late) > GRACE:
                yield bad("时钟", f"与枢纽相差 {seconds} 秒，签名会被拒绝：请校正时钟")
            elif abs(late) > SKEW:
                yield look("时钟", f"与枢纽相差 {seconds} 秒：请校正时钟")
            else:
                yield good("时钟", f"与枢纽相差不到 {int(SKEW.total_seconds())} 秒")
            return
