"""What hubs add to the command line: provisioning a city, the demo, the benchmarks."""

from pathlib import Path

import click

from hub.demo.cli import demo, demo_line
from hub.network import default_network, load_network, network_toml
from hub.provision import Provision, ProvisionError
from node.config import ConfigError
from node.work import utc_now
from protocol.divisions import check_divisions, read_divisions
from protocol.errors import DivisionsError


def add_commands(cli: click.Group) -> None:
    """Entry point `liandong.commands`."""
    for command in (provision, demo, demo_line):
        cli.add_command(command)


@click.command()
@click.argument("divisions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="输出目录")
def provision(divisions: Path, out: Path) -> None:
    """为区划表里的每个站点生成证书、名册、凭证和服务器配置。重复运行只补新的，不动已有的。"""
    raw = divisions.read_bytes()
    try:
        roster = read_divisions(raw)
    except DivisionsError:
        for wrong in check_divisions(raw):
            click.secho(f"{divisions} {wrong}", fg="red", err=True)
        raise SystemExit(2) from None
    addresses = out / "network.toml"
    network = load_network(addresses, roster) if addresses.exists() else default_network(roster)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    addresses.write_text(network_toml(network, roster), encoding="utf-8")
    try:
        with click.progressbar(length=2 * len(roster), label=roster.city.name) as bar:
            summary = Provision(roster, out, network, utc_now()).run(lambda _done, _of, _what: bar.update(1))
    except ProvisionError as wrong:
        raise ConfigError(str(wrong)) from None
    click.echo(
        f"{summary.places} 个站点（{summary.hubs} 个枢纽）：新增 {summary.made}，更新 {summary.changed}"
    )
    click.echo(f"站点目录在 {out / 'sites'}；{out / 'authority'} 里是根密钥和运营密钥，请离线保管。")
