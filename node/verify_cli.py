"""`liandong verify`: evidence proved on any machine, without a network or a node."""

import json
from pathlib import Path

import click

from node.cases import evidence as case_evidence
from protocol import evidence
from protocol.certificates import read as read_certificate


@click.command()
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
