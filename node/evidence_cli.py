"""`liandong case export`: the evidence of a case out of a site."""

import asyncio
from pathlib import Path

import click

from node.cases import evidence as case_evidence
from node.config import load
from node.db import Database
from node.exchange.outbox import sign_waiting
from node.site import bootstrap_roster, read_identity, restore_ring
from node.work import Knowledge, utc_now

EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def case() -> None:
    """办件。"""


@case.command("export")
@click.argument("no")
@click.option("--site", type=EXISTING, default=Path(), show_default="当前目录", help="站点目录")
@click.option("--out", type=click.Path(path_type=Path), help="写到哪里；默认 <办件号>.evidence")
def export(no: str, site: Path, out: Path | None) -> None:
    """导出一件办件的证据文件：每一步的签名和所需证书都在里面。"""
    config = load(site)
    identity = read_identity(config)
    own = identity.ring.current(config.place)
    assert own is not None
    with Database(config.database) as db:
        db.upgrade()
        restore_ring(db, identity.ring)
        know = Knowledge(
            config.place, identity.keys, own, identity.ring, bootstrap_roster(identity.ring, config.place)
        )
        asyncio.run(sign_waiting(db, know, utc_now()))  # the line may be down
        raw = db.read(lambda session: case_evidence.export(session, know, no, utc_now()))
    path = out or Path(f"{no}.evidence")
    path.write_bytes(raw)
    click.echo(f"已写入 {path}（{len(raw)} 字节）")
