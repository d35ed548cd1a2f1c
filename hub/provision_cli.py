"""The command `liandong provision`."""

from pathlib import Path

import click

from hub.folder import check_folder
from hub.network import HEAD, Network, default_network, load_network, named_hubs, network_toml
from hub.provision import Provision, Summary
from node.work import utc_now
from protocol.divisions import check_divisions, read_divisions
from protocol.errors import DivisionsError
from protocol.roster import Roster


@click.command()
@click.argument("divisions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="输出目录")
def provision(divisions: Path, out: Path) -> None:
    """为区划表里的每个站点生成证书、名册、凭证和服务器配置。重复运行只补新的，不动已有的。"""
    roster = read_city(divisions)
    check_folder(out, roster.city.code)
    addresses = out / "network.toml"
    network = load_network(addresses, roster) if addresses.exists() else default_network(roster)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with click.progressbar(length=2 * len(roster), label=roster.city.name) as bar:
        summary = Provision(roster, out, network, utc_now()).run(lambda _done, _of, _what: bar.update(1))
    _write_addresses(addresses, network, roster)
    _tell(summary, out)


def read_city(divisions: Path) -> Roster:
    """The roster of a divisions file; every wrong line is named before giving up."""
    raw = divisions.read_bytes()
    try:
        return read_divisions(raw)
    except DivisionsError:
        for wrong in check_divisions(raw):
            click.secho(f"{divisions} {wrong}", fg="red", err=True)
        raise SystemExit(2) from None


def _write_addresses(path: Path, network: Network, roster: Roster) -> None:
    """Write network.toml once; later only add the hubs it does not name, so that edits and remarks stay."""
    text = path.read_text(encoding="utf-8") if path.exists() else HEAD
    known = named_hubs(path, roster) if path.exists() else {}
    missing = [code for code in network.hubs if code not in known]
    if missing:
        path.write_text(text.rstrip("\n") + "\n" + network_toml(network, roster, missing), encoding="utf-8")


def _tell(summary: Summary, out: Path) -> None:
    click.echo(
        f"{summary.places} 个站点（{summary.hubs} 个枢纽）：新增 {summary.made}，更新 {summary.changed}"
    )
    for code, why in summary.renewed.items():
        click.echo(f"换发证书 {code}：{why}")
    if summary.away:
        click.echo(f"{len(summary.away)} 个站点的密钥不在这里（已运走），保持不变")
    click.echo(f"站点目录在 {out / 'sites'}；{out / 'authority'} 里是根密钥和运营密钥，请离线保管。")
