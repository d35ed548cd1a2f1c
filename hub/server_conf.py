"""What a hub's nats-server is told (nats-server.conf): one text for every way of running it.

One rule: the embedded server, a server run as a service and a member of the city's cluster differ only in
addresses, TLS files and the list of members. A configuration with a cluster holds the password of its
routes and is a secret (0600).
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from hub.operator import Trust
from node.bus import MAX_BYTES

ROUTE_USER = "route"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificate and key of a listener; with `ca`, peers must show a certificate of that authority."""

    cert: Path
    key: Path
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A member's view of its cluster (集群); `routes` name every member, itself too."""

    name: str
    listen: str
    routes: tuple[str, ...]
    tls: TlsFiles | None = None
    password: str = field(default="", repr=False)
    """What the members show each other; without it, or TLS, whoever reaches the port is a member."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Everything a server of a hub is told. Port -1 takes a free one."""

    name: str
    trust: Trust
    store: Path
    """Streams and account JWTs, on a disk of this machine."""
    listen: str = "127.0.0.1"
    port: int = 4222
    monitor_port: int = 8222
    log_file: Path | None = None
    """None: to standard error, for the journal of a service."""
    ports_dir: Path | None = None
    tls: TlsFiles | None = None
    cluster: Cluster | None = None
    max_file: str = "20GB"


def render(config: ServerConfig) -> str:
    """The text of nats-server.conf."""
    lines = [
        f"server_name: {_quoted(config.name)}",
        f"listen: {_quoted(f'{config.listen}:{config.port}')}",
        f"http: {_quoted(f'127.0.0.1:{config.monitor_port}')}",
        'ping_interval: "15s"',
        "ping_max: 2",
        'write_deadline: "10s"',
        "# SIGUSR2 (lame duck): clients are sent to the other members, then it ends, within a unit's 90 s.",
        'lame_duck_grace_period: "5s"',
        'lame_duck_duration: "30s"',
        f"max_payload: {MAX_BYTES}",
        "# A lower hub's credentials name its whole subtree; they must fit into one CONNECT line.",
        "max_control_line: 64KB",
    ]
    if config.ports_dir:
        lines.append(f"ports_file_dir: {_quoted(config.ports_dir)}")
    if config.log_file:
        lines += [f"log_file: {_quoted(config.log_file)}", "logfile_size_limit: 8MB", "logfile_max_num: 3"]
    if config.tls:
        lines += ["tls {", *_tls(config.tls), "  handshake_first: true", "}"]
    lines += [
        "jetstream {",
        f"  store_dir: {_quoted(config.store / 'js')}",
        "  # An acknowledged message is on the disk: a power cut takes nothing.",
        "  sync_interval: always",
        "  max_mem: 64MB",
        f"  max_file: {config.max_file}",
        "}",
    ]
    if config.cluster:
        lines += _cluster(config.cluster)
    return "\n".join(lines + _resolver(config)) + "\n"


def _tls(files: TlsFiles) -> list[str]:
    lines = [f"  cert_file: {_quoted(files.cert)}", f"  key_file: {_quoted(files.key)}"]
    if files.ca:
        lines += [f"  ca_file: {_quoted(files.ca)}", "  verify: true"]
    return lines


def _cluster(cluster: Cluster) -> list[str]:
    routes = ", ".join(_quoted(_with_password(route, cluster.password)) for route in cluster.routes)
    lines = ["cluster {", f"  name: {_quoted(cluster.name)}", f"  listen: {_quoted(cluster.listen)}"]
    lines += ["  no_advertise: true", f"  routes: [{routes}]"]
    if cluster.password:
        lines.append(f"  authorization {{ user: {ROUTE_USER}, password: {_quoted(cluster.password)} }}")
    if cluster.tls:
        lines += ["  tls {", *("  " + line for line in _tls(cluster.tls)), "  }"]
    return [*lines, "}"]


def _with_password(route: str, password: str) -> str:
    scheme, _, address = route.partition("://")
    return f"{scheme}://{ROUTE_USER}:{password}@{address}" if password else route


def _resolver(config: ServerConfig) -> list[str]:
    trust = config.trust
    return [
        f"operator: {_quoted(trust.operator_jwt)}",
        f"system_account: {trust.system}",
        "# interval: a member that was down when a revocation was pushed learns of it this soon.",
        f'resolver {{ type: full, dir: {_quoted(config.store / "jwt")}, allow_delete: false, interval: "10s" }}',
        "resolver_preload {",
        f"  {trust.system}: {_quoted(trust.system_jwt)}",
        f"  {trust.account}: {_quoted(trust.account_jwt)}",
        "}",
    ]


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def write_private(path: Path, text: str) -> None:
    """Write a file that only we may read, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
