"""Where the hubs of a city are reached: `network.toml`, written with defaults first and then edited by hand.

    [hubs.640200000000]
    name = "石嘴山市"                           # for the reader only
    embedded = false                            # true: the node starts its own server; false: a service runs it
    urls = ["nats://10.1.2.3:4222", …]          # how the places below, and its own node, reach it
    listen = "0.0.0.0"
    port = 4222                                 # of a single server; members take the ports of their urls
    monitor_port = 8222                         # on 127.0.0.1 only
    members = ["10.1.2.3:6222", …]              # none, or a cluster of three: one address for each url
    store = "/var/lib/liandong/nats"            # on the servers' machines
    etc = "/etc/liandong/nats"                  # where their configuration and keys are carried to
    tls = "own"                                 # "": none; "own": provision makes the keys; "given": see below
    tls_ca = "tls/ca.pem"                       # given: in the output folder, carried to every client
    tls_cert, tls_key                           # given: files on the server's machine

    [web]                                       # where every node's pages listen; one machine's own address
    host = "127.0.0.1"                          # stands in its local.toml
    port = 8080

    [handling]                                  # parameters of handling, the same on every node: protocol/rules.py
    correction_silence_days = 60

One rule: it is the operator's file. Provision writes it once, adds hubs that are missing, and changes nothing in it.
"""

import dataclasses
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from hub.operator import Trust
from hub.server_conf import Cluster, ServerConfig, TlsFiles
from node.config import ConfigError
from protocol.places import Code
from protocol.roster import Roster
from protocol.rules import read_rules
from protocol.subjects import upper_hub

MEMBERS = 3
"""A cluster that survives the loss of any one server."""

_HOST = "0.0.0.0"  # noqa: S104 - a hub is there for other machines


class NetworkError(ConfigError):
    """network.toml cannot be used; says what is wrong where."""


@dataclass(frozen=True, slots=True)
class HubAddress:
    """One hub: how to reach it and how its servers listen."""

    urls: tuple[str, ...]
    embedded: bool = True
    listen: str = "127.0.0.1"
    port: int = 4222
    monitor_port: int = 8222
    members: tuple[str, ...] = ()
    store: str = "/var/lib/liandong/nats"
    etc: str = "/etc/liandong/nats"
    tls: str = ""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""

    @property
    def reach(self) -> list[str]:
        """The urls as clients are told them."""
        if not self.tls:
            return list(self.urls)
        return [f"tls://{url.partition('://')[2]}" for url in self.urls]

    @property
    def hosts(self) -> frozenset[str]:
        """Every name under which a server of this hub is spoken to."""
        named = [*self.urls, *(f"nats://{member}" for member in self.members)]
        return frozenset(urlsplit(one).hostname or "" for one in named)

    def server_names(self, name: str) -> list[str]:
        """The names of the hub's servers: one, or its members'."""
        return [f"{name}-{at}" for at in range(1, len(self.members) + 1)] or [name]

    def server_configs(self, name: str, trusted: Trust, password: str) -> list[ServerConfig]:
        """Configurations for servers that run as services; `password` is for the routes of a cluster."""
        return [
            self._server(at, server, name, trusted, password)
            for at, server in enumerate(self.server_names(name))
        ]

    def _server(self, at: int, server: str, hub: str, trusted: Trust, password: str) -> ServerConfig:
        cluster = self._cluster(at, server, hub, password) if self.members else None
        return ServerConfig(
            name=server,
            trust=trusted,
            store=Path(self.store, server),
            listen=self.listen,
            port=(urlsplit(self.urls[at]).port or self.port) if self.members else self.port,
            monitor_port=self._monitor_port(at),
            tls=self._tls_files(server),
            cluster=cluster,
        )

    def _cluster(self, at: int, server: str, hub: str, password: str) -> Cluster:
        files = self._tls_files(server)
        both_ways = TlsFiles(files.cert, files.key, Path(self.etc, "ca.pem")) if files else None
        port = self.members[at].rpartition(":")[2]
        routes = tuple(f"nats://{member}" for member in self.members)
        return Cluster(hub, f"{self.listen}:{port}", routes, both_ways, password)

    def _monitor_port(self, at: int) -> int:
        """Members that share a machine must not share the port."""
        if not self.members or self.monitor_port < 0:
            return self.monitor_port
        machines = [member.rpartition(":")[0] for member in self.members]
        return self.monitor_port + machines[:at].count(machines[at])

    def _tls_files(self, server: str) -> TlsFiles | None:
        match self.tls:
            case "own":
                return TlsFiles(Path(self.etc, f"{server}.crt"), Path(self.etc, f"{server}.key"))
            case "given":
                return TlsFiles(Path(self.tls_cert), Path(self.tls_key))
            case _:
                return None


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
    handling: dict[str, Any] = field(default_factory=dict)


def default_network(roster: Roster) -> Network:
    """One embedded server per hub, reached under a name made of its code."""
    return Network(
        {code: HubAddress((f"nats://hub-{code}:4222",), listen=_HOST) for code in sorted(roster.hubs)}
    )


def load_network(path: Path, roster: Roster) -> Network:
    """The addresses in network.toml; hubs it does not name get the default. NetworkError if it is wrong."""
    tables = _read(path)
    web = _values(f"{path} [web]", Web, tables.get("web", {}))
    pages = dict.fromkeys((place.code for place in roster), Web(**web)) if web else {}
    handling = tables.get("handling", {})
    try:
        read_rules(handling)
    except (ValueError, TypeError, AttributeError) as wrong:
        raise NetworkError(f"{path} [handling]：{wrong}") from None
    return Network({**default_network(roster).hubs, **named_hubs(path, roster)}, pages, handling=handling)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise NetworkError(f"{path} 读不懂：{wrong}") from None


def named_hubs(path: Path, roster: Roster) -> dict[Code, HubAddress]:
    """The hubs that network.toml names; NetworkError if it is wrong."""
    found = {}
    for code, given in _read(path).get("hubs", {}).items():
        where = f"{path} [hubs.{code}]"
        if code not in roster.hubs:
            raise NetworkError(f"{where}：不是本市的枢纽")
        found[Code(code)] = _address(where, given)
    return found


_TYPES: Mapping[type, tuple[type, str]] = MappingProxyType(
    {bool: (bool, "true 或 false"), int: (int, "整数"), str: (str, "文字"), tuple: (list, "文字的列表")}
)


def _address(where: str, given: Any) -> HubAddress:
    values = _values(where, HubAddress, given)
    if "urls" not in values:
        raise NetworkError(f"{where}：缺少 urls")
    address = HubAddress(**values)
    for reason in _reasons(address):
        raise NetworkError(f"{where}：{reason}")
    return address


def _values(where: str, model: type[HubAddress | Web], given: Any) -> dict[str, Any]:
    """The fields of a table, each of the type its default has; NetworkError naming the one that is not."""
    kinds = {
        one.name: tuple if one.default is dataclasses.MISSING else type(one.default) for one in fields(model)
    }
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key == "name":
            continue
        if key not in kinds:
            raise NetworkError(f"{where}：不认识的 {key}（可写 {'、'.join(kinds)}）")
        wanted, words = _TYPES[kinds[key]]
        texts = value if type(value) is list else []
        if type(value) is not wanted or not all(type(one) is str for one in texts):
            raise NetworkError(f"{where}：{key} 应为{words}")
        values[key] = tuple(texts) if wanted is list else value
    return values


def _reasons(address: HubAddress) -> Iterable[str]:
    """Why this hub cannot work; nothing if it can."""
    if not address.urls:
        yield "urls 是空的"
    for url in address.urls:
        parts = urlsplit(url)
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            yield f"地址应写作 nats://主机:端口，却是 {url}"
    if address.members and len(address.members) != MEMBERS:
        yield f"集群应有 {MEMBERS} 个成员，却有 {len(address.members)} 个"
    if address.members and len(address.urls) != len(address.members):
        yield "集群的每个成员应各有一个 urls 里的地址"
    if address.members and address.embedded:
        yield "集群由系统服务运行，embedded 应为 false"
    if any(not member.rpartition(":")[2].isdigit() for member in address.members):
        yield "members 应写作 主机:端口"
    if address.tls not in ("", "own", "given"):
        yield f'tls 应为 ""、"own" 或 "given"，却是 {address.tls!r}'
    if address.tls == "given" and not (address.tls_ca and address.tls_cert and address.tls_key):
        yield "tls 为 given 时须写明 tls_ca、tls_cert 和 tls_key"


HEAD = (
    "# 各级枢纽的地址。按实际修改后重新运行 liandong provision 即可，已发出的密钥和证书不变。\n"
    "# 每一项的含义见 docs/operations.md「网络」一节。\n"
)


def network_toml(network: Network, roster: Roster, codes: Iterable[Code] | None = None) -> str:
    """The sections of these hubs (all of them by default)."""
    return "".join(
        _section(network.hubs[code], code, roster[code].name)
        for code in (network.hubs if codes is None else codes)
    )


def _section(hub: HubAddress, code: Code, name: str) -> str:
    lines = [f"\n[hubs.{code}]", f"name = {_text(name)}"]
    for one in fields(HubAddress):
        value = getattr(hub, one.name)
        if value != "" or one.name == "tls":
            lines.append(f"{one.name} = {_text(list(value) if isinstance(value, tuple) else value)}")
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def node_toml(roster: Roster, network: Network, code: Code) -> str:
    """The node.toml of one place."""
    place = roster[code]
    hub = network.hubs.get(code)
    upper = upper_hub(roster, code)
    web = network.web.get(code, Web())
    reach = hub if hub is not None else network.hubs[upper] if upper else None
    assert reach is not None
    lines = [
        f"# {place.tier.label} {place.name}。本文件由 liandong provision 生成；本机的设置写在 local.toml 里。",
        f"place = {_text(code)}",
        "",
        "[web]",
        f"host = {_text(web.host)}",
        f"port = {web.port}",
        "",
        "[bus]",
        *_client(reach, "hub"),
        "",
    ]
    if network.pace:
        lines += ["[pace]", *(f"{name} = {value}" for name, value in network.pace.items()), ""]
    if network.handling:
        lines += ["[handling]", *(f"{name} = {_text(value)}" for name, value in network.handling.items()), ""]
    if hub is not None:
        lines += ["[hub]", *_own_server(hub, code), ""]
        if upper:
            lines += ["[hub.upper]", *_client(network.hubs[upper], "upper"), ""]
    return "\n".join(lines)


def _client(hub: HubAddress, role: str) -> list[str]:
    lines = [f"urls = {_text(hub.reach)}", f'credentials = "{role}.creds"']
    return [*lines, f'tls_ca = "{role}-ca.pem"'] if hub.tls else lines


def _own_server(hub: HubAddress, code: Code) -> list[str]:
    lines = [
        f"embedded = {_text(hub.embedded)}",
        'directory = "hub"',
        f"listen = {_text(hub.listen)}",
        f"port = {hub.port}",
        f"monitor_port = {hub.monitor_port}",
        f"replicas = {len(hub.members) or 1}",
    ]
    if hub.embedded and hub.tls:
        own = hub.tls == "own"
        lines.append(f"tls_cert = {_text(f'hub/hub-{code}.crt' if own else hub.tls_cert)}")
        lines.append(f"tls_key = {_text(f'hub/hub-{code}.key' if own else hub.tls_key)}")
    return lines
