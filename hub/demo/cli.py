"""`liandong demo`, its line switch and its calendar."""

import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import click

from hub.demo.city import DemoError, Shape
from hub.demo.clock import DemoClock
from hub.demo.run import Demo, as_json, succeeded
from node.config import ConfigError
from node.work import CIVIL
from protocol.errors import ProtocolError

DATA = Path(__file__).resolve().parents[2] / "data"
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--divisions", type=FILE, default=DATA / "divisions-640200-shizuishan.csv", help="区划表（CSV）"
)
@click.option("--items", type=FILE, default=DATA / "items.json", help="事项清单（JSON）")
@click.option("--holidays", type=FILE, help="地方节假日（CSV）；默认为随附的宁夏数据（只用于宁夏）")
@click.option("--county", default="", help="展示哪个县（区）：代码或名称")
@click.option("--townships", default=1, show_default=True, type=click.IntRange(1, 50), help="乡镇数")
@click.option("--villages", default=2, show_default=True, type=click.IntRange(1, 50), help="每个乡镇的村数")
@click.option(
    "--port", default=8600, show_default=True, type=click.IntRange(1024, 60000), help="第一个网页端口"
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="数据目录；默认 var/demo（--once 用临时目录）",
)
@click.option("--once", is_flag=True, help="把故事演到底就结束，输出报告")
@click.option("--json", "as_json_", is_flag=True, help="报告用 JSON")
@click.option(
    "--cut-line", default=0.0, type=click.FloatRange(0, 3600), metavar="SECONDS", help="中途断开一个村的线路"
)
def demo(
    divisions: Path, items: Path, holidays: Path | None, county: str, townships: int, villages: int,
    port: int, data: Path | None, once: bool, as_json_: bool, cut_line: float,
) -> None:  # fmt: skip
    """在本机演示一座城市：市、一个县、乡镇和村，真实的 NATS 和签名。"""
    scratch = Path(tempfile.mkdtemp(prefix="liandong-")) if once and data is None else None
    folder = data or scratch or Path("var/demo")
    ningxia = DATA / "regional-holidays-640000.csv"
    if holidays is None and divisions.name.startswith("divisions-64") and ningxia.exists():
        holidays = ningxia
    shape = Shape(divisions, items, holidays, folder.resolve(), county, townships, villages, port)
    try:
        found = _run(Demo(shape, lambda text: click.echo(text, err=once)), once, cut_line)
    except (DemoError, ProtocolError) as wrong:
        raise ConfigError(str(wrong)) from None
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    if found is not None:
        click.echo(as_json(found) if as_json_ else _in_words(found))
        if not succeeded(found):
            raise SystemExit(1)


def _run(one: Demo, once: bool, cut_line: float) -> dict[str, object] | None:
    import uvloop

    return uvloop.run(one.run(once=once, cut_s=cut_line))


def _in_words(found: dict[str, object]) -> str:
    return "\n".join(f"{key}: {value}" for key, value in found.items())


@click.command("demo-line")
@click.argument("state", type=click.Choice(("cut", "black-hole", "restore")))
@click.argument("place")
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path("var/demo")
)
def demo_line(state: str, place: str, data: Path) -> None:
    """拔掉（cut、black-hole）或接回（restore）演示中一个站点的线路。"""
    if not (data / "sites" / place).is_dir():
        raise ConfigError(f"演示里没有站点 {place}")
    path = data / "lines" / place
    path.parent.mkdir(exist_ok=True)
    if state == "restore":
        path.unlink(missing_ok=True)
    else:
        path.write_text(state)
    click.echo(f"{place} 的线路：{state}")


@click.command("demo-date")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path("var/demo")
)
def demo_date(day: datetime, data: Path) -> None:
    """把演示的日历拨到以后某天的上午九点：看时限、预警怎样变化。登录须重新进行。"""
    try:
        now = DemoClock(data).put_on(day.date())
    except DemoError as wrong:
        raise ConfigError(str(wrong)) from None
    click.echo(f"演示的时间：{now.astimezone(CIVIL):%Y-%m-%d %H:%M}")
