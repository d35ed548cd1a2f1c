"""The command `liandong serve`."""

import asyncio
from pathlib import Path

import click

from node.config import load
from node.serve import serve as serve_sites

EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
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
