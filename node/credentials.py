"""Reading credentials files (0600) and TLS material for a line to a hub."""

import json
import ssl
from pathlib import Path

from node.bus.line import Credentials
from node.bus.nats import NatsBus
from node.config import BusConfig, ConfigError


def read_credentials(path: Path) -> Credentials:
    """The credentials in a file made by `liandong provision`; ConfigError if it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Credentials(str(found["jwt"]), str(found["seed"]))
    except FileNotFoundError:
        raise ConfigError(f"没有找到 {path}") from None
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{path} 不是凭证文件") from None


def open_bus(place: str, config: BusConfig, *, reader: str | None = None) -> NatsBus:
    """The line of `place` to the hub that `config` names; not connected yet."""
    tls = ssl.create_default_context(cafile=str(config.tls_ca)) if config.tls_ca else None
    return NatsBus(place, config.urls, read_credentials(config.credentials), reader=reader, tls=tls)
