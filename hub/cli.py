"""What hubs add to the command line: provisioning a city, its catalogue, the demo, the benchmarks."""

from node.commands import Commands

HUB = (
    ("provision", "hub.provision_cli:provision", "为一座城市的每个站点生成密钥、证书和配置"),
    ("catalogue", "hub.catalogue_cli:catalogue", "事项目录：检查、公布、查看"),
    ("demo", "hub.demo.cli:demo", "在本机演示一座城市"),
    ("demo-line", "hub.demo.cli:demo_line", "拔掉或接回演示中的线路"),
    ("demo-date", "hub.demo.cli:demo_date", "把演示的日历往后拨"),
    ("bench", "hub.bench.cli:bench", "测速"),
)
"""Name, where it lives, what it is for."""


def add_commands(cli: Commands) -> None:
    """Entry point `liandong.commands`."""
    for name, home, about in HUB:
        cli.later(name, home, about)
