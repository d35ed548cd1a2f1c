"""Where the hubs of a city are reached: `network.toml`, written with defaults first and then edited by hand.

[hubs.640221000000]
name = "平罗县"
embedded = true                             # the node starts its own server; false: a service runs it
urls = ["nats://10.1.2.3:4222"]             # how the places below, and its own node, reach it
listen = "0.0.0.0"
port = 4222
members = []                                # ["a.example:6222", …]: a cluster of three
"""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.operator import Trust
from hub.server import Cluster, ServerConfig
from protocol.places import Code
from protocol.roster import Roster
from protocol.subjects import upper_hub


class NetworkError(Exception):
    """network.toml cannot be used; says what is wrong where."""


@dataclass(frozen=True, slots=True)
class HubAddress:
    """One hub: how to reach it and how its server listens."""

    urls: tuple[str, ...]
    embedded: bool = True
    listen: str = "127.0.0.1"
    port: int = 4222
    monitor_port: int = 8222
    members: tuple[str, ...] = ()
    store: str = "/var/lib/liandong/nats"

    def server_configs(self, name: str, trusted: Trust) -> list[ServerConfig]:
        """Configurations for servers that run as services: one, or one per member of the cluster."""

        def config(server: str, cluster: Cluster | None) -> ServerConfig:
            return ServerConfig(
                name=server,
                trust=trusted,
                store=Path(self.store),
                listen=self.listen,
                port=self.port,
                monitor_port=self.monitor_port,
                cluster=cluster,
            )

        if not self.members:
            return [config(name, None)]
        routes = tuple(f"nats://{member}" for member in self.members)
        port = self.members[0].rpartition(":")[2]
        return [
            config(f"{name}-{at}", Cluster(name, f"0.0.0.0:{port}", routes))
            for at in range(1, len(self.members) + 1)
        ]


@dataclass(frozen=True, slots=True)
class Web:
    """Where a node's pages listen."""

    host: str = "127.0.0.1"
    port: int = 8080


@dataclass(frozen=True, slots=True)
class Network:
    """Addresses of all hubs, and of pages where they are not the default."""

    hubs: dict[Code, HubAddress]
    web: dict[Code, Web] = field(default_factory=dict)
    pace: dict[str, float] = field(default_factory=dict)


def default_network(roster: Roster) -> Network:
    """One embedded server per hub, reached under a name made of its code."""
    return Network(
        {code: HubAddress((f"nats://hub-{code}:4222",), listen="0.0.0.0") for code in sorted(roster.hubs)}  # noqa: S104
    )


def load_network(path: Path, roster: Roster) -> Network:
    """The addresses in network.toml; hubs it does not name get the default. NetworkError if it is wrong."""
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
        given = {code: _address(found) for code, found in fields.get("hubs", {}).items()}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as wrong:
        raise NetworkError(f"{path} 有误：{wrong}") from None
    strangers = sorted(set(given) - set(roster.hubs))
    if strangers:
        raise NetworkError(f"{path} 中的 {strangers[0]} 不是本市的枢纽")
    return Network({**default_network(roster).hubs, **given})


def _address(found: dict[str, Any]) -> HubAddress:
    known = {key: value for key, value in found.items() if key != "name"}
    members = tuple(known.pop("members", ()))
    if members and len(members) != 3:
        raise ValueError("集群应有三个成员")
    return HubAddress(urls=tuple(known.pop("urls")), members=members, **known)


def network_toml(network: Network, roster: Roster) -> str:
    """network.toml with every hub in it."""
    lines = ["# 各级枢纽的地址。修改后重新运行 liandong provision 即可，已发出的密钥和证书不变。", ""]
    for code, hub in network.hubs.items():
        lines += [
            f"[hubs.{code}]",
            f"name = {json.dumps(roster[code].name, ensure_ascii=False)}",
            f"embedded = {str(hub.embedded).lower()}",
            f"urls = {json.dumps(list(hub.urls))}",
            f"listen = {json.dumps(hub.listen)}",
            f"port = {hub.port}",
            f"monitor_port = {hub.monitor_port}",
            f"members = {json.dumps(list(hub.members))}",
            "",
        ]
    return "\n".join(lines)


def node_toml(roster: Roster, network: Network, code: Code) -> str:
    """The node.toml of one place."""
    place = roster[code]
    hub = network.hubs.get(code)
    upper = upper_hub(roster, code)
    web = network.web.get(code, Web())
    lines = [
        f"# {place.tier.label} {place.name}",
        f'place = "{code}"',
        "",
        "[web]",
        f'host = "{web.host}"',
        f"port = {web.port}",
        "",
        "[bus]",
    ]
    reach = hub if hub is not None else network.hubs[upper] if upper else None
    assert reach is not None
    lines += [f"urls = {json.dumps(list(reach.urls))}", 'credentials = "hub.creds"', ""]
    if network.pace:
        lines += ["[pace]", *(f"{name} = {value}" for name, value in network.pace.items()), ""]
    if hub is not None:
        lines += [
            "[hub]",
            f"embedded = {str(hub.embedded).lower()}",
            'directory = "hub"',
            f'listen = "{hub.listen}"',
            f"port = {hub.port}",
            f"monitor_port = {hub.monitor_port}",
            f"replicas = {3 if hub.members else 1}",
            "",
        ]
        if upper:
            lines += [
                "[hub.upper]",
                f"urls = {json.dumps(list(network.hubs[upper].urls))}",
                'credentials = "upper.creds"',
                "",
            ]
    return "\n".join(lines)
