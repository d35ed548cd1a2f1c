"""The command `liandong doctor`."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import click

from node.config import load
from node.doctor import Check, Verdict, examine
from node.work import utc_now

COLOURS = {Verdict.GOOD: "green", Verdict.LOOK: "yellow", Verdict.BAD: "red"}
MARKS = {Verdict.GOOD: "✓", Verdict.LOOK: "!", Verdict.BAD: "✗"}


@click.command()
@click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default="当前目录",
    help="站点目录",
)
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def doctor(site: Path, as_json: bool) -> None:
    """检查一个站点：文件、密钥、有效期、数据库、线路、时钟、磁盘、目录和未完成的事。

    有“不好”的，退出码为 1；只有“注意”的，为 0。
    """
    found = asyncio.run(examine(load(site), utc_now()))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1))
    else:
        _tell(found)
    if any(one.verdict is Verdict.BAD for one in found):
        raise SystemExit(1)


def _tell(found: list[Check]) -> None:
    for one in found:
        click.secho(f"{MARKS[one.verdict]} {one.name}：{one.words}", fg=COLOURS[one.verdict])
