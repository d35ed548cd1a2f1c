"""What one node is told from outside: frozen, read once in the command line, passed down.

A site folder (made by `liandong provision`) holds `node.toml` and, beside it, the keys and certificates. What only
this machine's keeper decides (pages' address, database) stands in `local.toml`: provision never writes it.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.materials.rules import MaterialRules
from protocol.places import Code, is_code
from protocol.rules import Rules, read_rules


class ConfigError(Exception):
    """A site folder cannot be used as it is; the message says which file and why."""


@dataclass(frozen=True, slots=True)
class BusConfig:
    """Where the parent's hub is and how to be let in."""

    urls: tuple[str, ...]
    credentials: Path
    tls_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class HubConfig:
    """What a hub adds: its own server (embedded or run by others) and the hub above."""

    embedded: bool
    directory: Path
    """Server configuration, JWTs and store."""
    port: int
    listen: str = "127.0.0.1"
    monitor_port: int = -1
    upper: BusConfig | None = None
    replicas: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the loops look, all in seconds. Tests shorten them; nobody else needs to."""

    outbox_poll_s: float = 10.0
    """What was due at some moment goes out so much later at most; what happens here is sent at once."""
    materials_poll_s: float = 5.0
    receipt_s: float = 1.0
    resend_first_s: float = 15.0
    resend_last_s: float = 3600.0
    housekeeping_s: float = 60.0
    fetch_s: float = 5.0


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """One node of the network."""

    place: Code
    site: Path
    database: str
    host: str = "127.0.0.1"
    port: int = 8080
    origins: tuple[str, ...] = ()
    """Addresses under which people open the pages, for the origin check; empty: the bound address."""
    bus: BusConfig | None = None
    hub: HubConfig | None = None
    pace: Pace = field(default_factory=Pace)
    rules: Rules = field(default_factory=Rules)
    """Parameters of handling: the table `handling`, the same on every node of a city."""
    materials: MaterialRules = field(default_factory=MaterialRules)
    secure_cookies: bool = False


def load(site: Path) -> NodeConfig:
    """The configuration of a site; ConfigError in the operator's words if something is wrong."""
    path, local = site / "node.toml", site / "local.toml"
    if not path.exists():
        raise ConfigError(f"没有找到 {path}：这不是站点目录（先运行 liandong provision）")
    fields, own = _read(path), _read(local) if local.exists() else {}
    if "place" in own:
        raise ConfigError(f"{local}：站点的代码不能改，它由证书决定")
    try:
        return _config(_over(fields, own), site)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise ConfigError(f"{site} 的 node.toml 或 local.toml 有误：{wrong}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ConfigError(f"{path} 读不懂：{wrong}") from None


def _over(fields: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`fields` with what `own` says laid over it, table by table."""
    found = dict(fields)
    for name, value in own.items():
        known = found.get(name)
        found[name] = _over(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return found


def _config(fields: dict[str, Any], site: Path) -> NodeConfig:
    place = fields["place"]
    if not is_code(place):
        raise ValueError(f"place 不是 12 位区划代码：{place}")
    web = fields.get("web", {})
    hub = fields.get("hub")
    return NodeConfig(
        place=Code(place),
        site=site,
        database=fields.get("database") or f"sqlite:///{site / 'node.db'}",
        host=web.get("host", "127.0.0.1"),
        port=int(web.get("port", 8080)),
        origins=tuple(web.get("origins", ())),
        bus=_bus(fields["bus"], site) if "bus" in fields else None,
        hub=_hub(hub, site) if hub else None,
        pace=Pace(**fields.get("pace", {})),
        materials=MaterialRules(**fields.get("materials", {})),
        rules=read_rules(fields.get("handling", {})),
        secure_cookies=bool(web.get("https", False)),
    )


def _bus(fields: dict[str, Any], site: Path) -> BusConfig:
    ca = fields.get("tls_ca")
    return BusConfig(tuple(fields["urls"]), site / fields["credentials"], site / ca if ca else None)


def _hub(fields: dict[str, Any], site: Path) -> HubConfig:
    cert, key = fields.get("tls_cert"), fields.get("tls_key")
    return HubConfig(
        embedded=bool(fields.get("embedded", True)),
        directory=site / fields.get("directory", "hub"),
        port=int(fields.get("port", 4222)),
        listen=str(fields.get("listen", "127.0.0.1")),
        monitor_port=int(fields.get("monitor_port", -1)),
        upper=_bus(fields["upper"], site) if "upper" in fields else None,
        replicas=int(fields.get("replicas", 1)),
        tls_cert=site / cert if cert else None,
        tls_key=site / key if key else None,
    )
