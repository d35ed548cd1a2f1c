"""`liandong`: one command line for every tier. What a hub adds is found through entry points."""

import logging
import sys
from importlib.metadata import entry_points

import click

from node.commands import Commands
from node.config import ConfigError
from node.errors import NodeError
from protocol.errors import ProtocolError


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="liandong")
@click.option("-v", "--verbose", is_flag=True, help="显示运行日志")
def cli(verbose: bool) -> None:
    """四级联动：一座城市的市、县、镇、村政务服务网络。"""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )


EVERY_TIER = (
    ("serve", "node.serve_cli:serve", "运行站点目录里的节点"),
    ("user", "node.accounts.cli:user", "账户：第一位管理员，重设密码，解锁"),
    ("doctor", "node.doctor_cli:doctor", "检查一个站点"),
    ("case", "node.evidence_cli:case", "办件：导出证据文件"),
    ("verify", "node.verify_cli:verify", "核验证据文件，不需要网络和节点"),
    ("calendar", "node.calendar_cli:calendar", "工作日历与办理时限"),
)
"""Name, where it lives, what it is for."""


def assembled() -> Commands:
    """Every command there is: those of every tier, and those of installed packages."""
    for name, home, about in EVERY_TIER:
        cli.later(name, home, about)
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
