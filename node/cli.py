"""`liandong`: one command line for every tier. What a hub adds is found through entry points."""

import asyncio
import json
import logging
import sys
from importlib.metadata import entry_points
from pathlib import Path

import click

from node.accounts.cli import user
from node.calendar_cli import calendar
from node.cases import evidence as case_evidence
from node.config import ConfigError, load
from node.db import Database
from node.doctor_cli import doctor
from node.errors import NodeError
from node.exchange.outbox import sign_waiting
from node.serve import serve as serve_sites
from node.site import bootstrap_roster, read_identity, restore_ring
from node.work import Knowledge, utc_now
from protocol import evidence
from protocol.certificates import read as read_certificate
from protocol.errors import ProtocolError

EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="liandong")
@click.option("-v", "--verbose", is_flag=True, help="显示运行日志")
def cli(verbose: bool) -> None:
    """四级联动：一座城市的市、县、镇、村政务服务网络。"""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )


@cli.command()
@click.argument("sites", nargs=-1, required=True, type=EXISTING)
def serve(sites: tuple[Path, ...]) -> None:
    """运行一个（或几个）站点目录里的节点，直到停止。"""
    run = asyncio.run
    try:
        import uvloop

        run = uvloop.run
    except ImportError:
        pass
    run(serve_sites([load(site) for site in sites]))


@cli.group()
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


@cli.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--root", help="所信任的根证书：文件，或其 SHA-256 指纹")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def verify(file: Path, root: str | None, as_json: bool) -> None:
    """核验证据文件，并讲出这件办件的经过。不需要网络，也不需要节点。"""
    found = evidence.examine(file.read_bytes(), _fingerprint(root))
    if as_json:
        click.echo(json.dumps(_report(found), ensure_ascii=False, indent=1))
    else:
        _tell(found, trusted=root is not None)
    if not found.holds:
        raise SystemExit(1)


def _fingerprint(root: str | None) -> str | None:
    if root is None or not Path(root).exists():
        return root
    return read_certificate(Path(root).read_bytes().strip()).fingerprint


def _report(found: evidence.Finding) -> dict[str, object]:
    return {
        "holds": found.holds,
        "case": found.case_no,
        "made": found.made_at,
        "by": found.made_by,
        "root": found.root,
        "state": found.case.state if found.case else None,
        "steps": len(found.story),
        "story": case_evidence.tell(found),
        "problems": [{"line": one.line, "rule": one.rule, "reason": one.reason} for one in found.problems],
    }


def _tell(found: evidence.Finding, *, trusted: bool) -> None:
    click.echo(f"办件 {found.case_no}，{found.made_by} 于 {found.made_at} 导出")
    for line in case_evidence.tell(found):
        click.echo("  " + line)
    for one in found.problems:
        click.secho(f"✗ 第 {one.line} 行 [{one.rule}] {one.reason}", fg="red")
    if found.holds:
        click.secho(f"✓ {len(found.story)} 条记录的签名、证书和先后次序全部成立", fg="green")
    if not trusted:
        click.echo(f"信任根指纹 {found.root}：请与本市公布的核对，或用 --root 指明")


def assembled() -> click.Group:
    """Every command there is: those of every tier, and those of installed packages."""
    for command in (calendar, user, doctor):
        cli.add_command(command)
    for entry in entry_points(group="liandong.commands"):
        entry.load()(cli)
    return cli


def main() -> None:
    """The console command."""
    try:
        assembled()(standalone_mode=True)
    except (ConfigError, NodeError, ProtocolError) as wrong:
        click.secho(f"错误：{wrong}", fg="red", err=True)
        raise SystemExit(2) from None
