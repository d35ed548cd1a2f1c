"""`liandong catalogue`: how a city publishes an edition of its catalogue (事项目录).

One rule: a file is published whole or not at all, after everything wrong with it has been told at once. The node may
run meanwhile: it finds the new edition in its database within seconds and sends it down.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import orjson
from sqlalchemy import select
from sqlmodel import Session

from hub.publishing import newest_number, publish_edition
from node import audit
from node.accounts.actions import SYSTEM
from node.calendar_source import official_calendar
from node.catalogue.model import DocumentRow
from node.config import load
from node.credentials import open_bus
from node.db import table_of
from node.errors import Forbidden
from node.node import Node
from node.serve import capabilities_of
from node.site import open_node
from node.work import Work
from protocol.bundles import BUNDLE_KEY, Bundle, bundle_document, read_bundles
from protocol.catalogue import CALENDAR_KEY, DEED_KEY, ITEM_KEY, Edition, document, document_hash
from protocol.editions import read_edition
from protocol.errors import CalendarError, CatalogueError
from protocol.items import check_deeds, read_items
from protocol.roster import Roster
from protocol.workdays import calendar_document

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SITE = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def catalogue() -> None:
    """事项目录：检查、公布、查看。"""


@catalogue.command("publish")
@click.option("--site", type=SITE, default=Path(), show_default="当前目录", help="市级站点目录")
@click.option("--items", type=FILE, required=True, help="事项清单（JSON）")
@click.option("--bundles", type=FILE, help="联办事项组合（JSON）")
@click.option("--holidays", type=FILE, help="地方节假日（CSV）")
@click.option("--approve", "approvers", multiple=True, metavar="人", help="批准人，须两位不同的人")
@click.option("--check", "only_check", is_flag=True, help="只检查，不公布")
def publish(
    site: Path, items: Path, bundles: Path | None, holidays: Path | None, approvers: tuple[str, ...],
    only_check: bool,
) -> None:  # fmt: skip
    """公布新一版目录。有问题则逐条列出，什么也不公布。"""
    two = len(approvers) == 2 and approvers[0].strip() != approvers[1].strip()
    if not (two or only_check):
        raise Forbidden("公布目录须两位不同的人批准：--approve 甲 --approve 乙")
    with opened(site) as node:
        documents = read_documents(node.know.roster, items, holidays, bundles)
        before = node.read(published)
        told = difference(before, documents)
        if only_check:
            click.echo(f"检查通过，尚未公布：{told}")
            return
        if before.documents == {key: document_hash(doc) for key, doc in documents.items()}:
            click.echo(f"与第 {before.number} 版相同，没有公布")
            return
        edition = node.do_now(_publish, documents, (approvers[0].strip(), approvers[1].strip()))
    click.echo(f"已公布第 {edition.number} 版：{told}")


@catalogue.command("show")
@click.option("--site", type=SITE, default=Path(), show_default="当前目录", help="站点目录")
def show(site: Path) -> None:
    """本站点持有的目录版本。"""
    with opened(site) as node:
        held, heard = node.know.catalogue, node.read(published)
    if held is None:
        click.echo("还没有收到目录")
    else:
        click.echo(f"第 {held.edition} 版，{len(held)} 个事项")
    if heard.number > (held.edition if held else 0):
        click.echo(f"第 {heard.number} 版正在到达")


@contextmanager
def opened(site: Path) -> Iterator[Node]:
    """The node of a site, not running: its database, keys and catalogue."""
    config = load(site)
    if config.bus is None:
        raise Forbidden(f"{site / 'node.toml'} 没有 [bus]")
    node = open_node(config, open_bus(config.place, config.bus), capabilities_of(config))
    try:
        yield node
    finally:
        node.db.close()


def read_documents(
    roster: Roster, items: Path, holidays: Path | None, bundles: Path | None = None
) -> dict[str, bytes]:
    """What an edition made of these files publishes, by key. Everything wrong is listed, then SystemExit 2."""
    problems: list[str] = []
    documents: dict[str, bytes] = {}
    try:
        found = read_items(items.read_bytes())
        wrong = check_deeds(found.items, found.deeds, roster)
        problems += [f"{items} {one}" for one in wrong]
        documents |= {f"{ITEM_KEY}{item.id}": document(item) for item in found.items}
        documents |= {f"{DEED_KEY}{deed.id}": document(deed) for deed in found.deeds}
    except CatalogueError as refused:
        problems += [f"{items} {one}" for one in refused.problems] or [f"{items} {refused.reason}"]
    try:
        calendar = official_calendar(roster.city.code, holidays.read_bytes() if holidays else None)
        documents[CALENDAR_KEY] = orjson.dumps(calendar_document(calendar), option=orjson.OPT_SORT_KEYS)
    except CalendarError as refused:
        problems.append(f"{holidays} {refused}")
    try:
        groups = read_bundles(bundles.read_bytes()) if bundles else ()
        documents |= {f"{BUNDLE_KEY}{one.id}": bundle_document(one) for one in groups}
        problems += [f"{bundles} {one}" for one in unknown_items(groups, documents)]
    except CatalogueError as refused:
        problems += [f"{bundles} {one}" for one in refused.problems] or [f"{bundles} {refused.reason}"]
    for one in problems:
        click.secho(one, fg="red", err=True)
    if problems:
        click.secho(f"共 {len(problems)} 处问题，没有公布", fg="red", err=True)
        raise SystemExit(2)
    return documents


def unknown_items(groups: Iterable[Bundle], documents: Mapping[str, bytes]) -> list[str]:
    """Items that a bundle names and this edition does not have."""
    return [
        f"{group.id} items：目录里没有 {item}"
        for group in groups
        for item in group.items
        if f"{ITEM_KEY}{item}" not in documents
    ]


@dataclass(frozen=True, slots=True)
class Published:
    """The newest edition in a database: its number (0 without one) and its documents' names by key."""

    number: int
    documents: Mapping[str, str]


def published(session: Session) -> Published:
    """The newest edition that is here, in force or not."""
    table = table_of(DocumentRow).c
    query = select(table.doc).where(table.kind == "catalogue.edition").order_by(table.number.desc()).limit(1)
    raw = session.execute(query).scalar()
    if raw is None:
        return Published(0, {})
    edition = read_edition(raw)
    return Published(edition.number, edition.documents)


def difference(before: Published, documents: Mapping[str, bytes]) -> str:
    """What changes from one edition to the next, in words."""
    words = []
    for start, name in (
        (ITEM_KEY, "事项"),
        (DEED_KEY, "下放文书"),
        (BUNDLE_KEY, "联办组合"),
        (CALENDAR_KEY, "工作日历"),
    ):
        old = {key: one for key, one in before.documents.items() if key.startswith(start)}
        new = {key: document_hash(doc) for key, doc in documents.items() if key.startswith(start)}
        added, gone = new.keys() - old.keys(), old.keys() - new.keys()
        altered = {key for key in new.keys() & old.keys() if new[key] != old[key]}
        words.append(f"{name} {len(new)}（新增 {len(added)}，变更 {len(altered)}，取消 {len(gone)}）")
    return "，".join(words)


def _publish(work: Work, documents: Mapping[str, bytes], approvers: tuple[str, str]) -> Edition:
    number = newest_number(work.session) + 1
    edition = publish_edition(work, number, work.today, documents, approvers)
    audit.record(
        work.session, SYSTEM, "catalogue_published", f"edition:{number}", "、".join(approvers), now=work.now
    )
    return edition
