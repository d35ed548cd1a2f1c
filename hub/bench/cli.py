"""`liandong bench`: the benchmarks at the command line."""

import asyncio
import json
import tempfile
from pathlib import Path

import click

from hub.bench.federation import federation as run_federation
from hub.bench.fleet import fleet as run_fleet
from hub.bench.stage import Source
from hub.bench.table import federation_table, fleet_table

DATA = Path(__file__).resolve().parents[2] / "data"
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(invoke_without_command=True)
@click.pass_context
def bench(context: click.Context) -> None:
    """测速：在本机测量联邦的吞吐、时延和占用，并与其上限、与简单做法同场比较。不写哪一项，就逐项都测。"""
    if context.invoked_subcommand is None:
        context.invoke(federation)
        context.invoke(fleet)


def _say(text: str) -> None:
    click.echo(text, err=True)


@bench.command("federation")
@click.option(
    "--divisions", type=FILE, default=DATA / "divisions-640200-shizuishan.csv", help="区划表（CSV）"
)
@click.option("--items", type=FILE, default=DATA / "items.json", help="事项清单（JSON）")
@click.option(
    "--events", default=20_000, show_default=True, type=click.IntRange(64, 79_000), help="每轮的事件数"
)
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(1, 100), help="轮数")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def federation(divisions: Path, items: Path, events: int, rounds: int, as_json: bool) -> None:
    """登记 → 发件箱 → 签名 → NATS → 验签 → 入库 → 回执，真实代码，分开的进程。"""
    with tempfile.TemporaryDirectory(prefix="liandong-bench-") as folder:
        report = asyncio.run(run_federation(Path(folder), Source(divisions, items), events, rounds, _say))
    click.echo(json.dumps(report, ensure_ascii=False, indent=1) if as_json else federation_table(report))


@bench.command("fleet")
@click.option(
    "--divisions", type=FILE, default=DATA / "divisions-640200-shizuishan.csv", help="区划表（CSV）"
)
@click.option("--items", type=FILE, default=DATA / "items.json", help="事项清单（JSON）")
@click.option("--seconds", default=30.0, show_default=True, type=click.FloatRange(1, 3600), help="静观多久")
@click.option(
    "--cases",
    default=2,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="重连风暴中每村的积压；0 为不做",
)
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def fleet(divisions: Path, items: Path, seconds: float, cases: int, as_json: bool) -> None:
    """整座城市在一个进程里，旁边是独自一个村站：每多一个节点占多少内存和处理器。"""
    with tempfile.TemporaryDirectory(prefix="liandong-bench-") as folder:
        report = asyncio.run(run_fleet(Path(folder), Source(divisions, items), seconds, cases, _say))
    click.echo(json.dumps(report, ensure_ascii=False, indent=1) if as_json else fleet_table(report))
