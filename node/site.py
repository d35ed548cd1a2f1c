"""A site (站点): the folder that makes a machine one node of the network, and opening it.

One rule: everything here was made by `liandong provision` and carried by hand: the root is trusted because of
that, and everything else because the root leads to it. Opening twice, or with a newer directory, is safe.

    node.toml          what this node is told (see config.py)
    keys.json          its message keys, 0600
    root.cert          the city's root certificate
    chain.ndjson       certificates from the city down to this place
    directory.ndjson   the signed roster, as far as this place needs it
    hub.creds          its credentials at its hub, 0600
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select

from node.bus import Bus
from node.capability import Capability
from node.catalogue.replica import learn_roster, newest_edition, take_documents
from node.config import ConfigError, NodeConfig
from node.db import Database, Workers, table_of
from node.exchange.arrivals import Incoming, examine
from node.exchange.carried import messages, whole
from node.exchange.model import CertificateRow
from node.library import Library
from node.node import Node
from node.work import Knowledge, Work, utc_now
from protocol.certificates import KeyRing
from protocol.errors import ProtocolError
from protocol.keys import Keys
from protocol.places import Place
from protocol.roster import Roster

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this node is, read from its site folder and checked."""

    keys: Keys
    ring: KeyRing


def read_identity(config: NodeConfig) -> Identity:
    """Keys and chain of the site; ConfigError naming the file that is missing or wrong."""
    site = config.site
    try:
        keys = Keys.load(_read(site / "keys.json"))
        ring = KeyRing(_read(site / "root.cert").strip())
        for line in _read(site / "chain.ndjson").splitlines():
            ring.admit(line)
    except ProtocolError as wrong:
        raise ConfigError(f"{site} 的密钥或证书有误：{wrong}") from None
    own = ring.current(config.place)
    if own is None:
        raise ConfigError(f"{site / 'chain.ndjson'} 里没有 {config.place} 的证书")
    if own.key != keys.sign_public:
        raise ConfigError(f"{site / 'keys.json'} 与证书不配：这不是 {config.place} 的密钥")
    return Identity(keys, ring)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"没有找到 {path}") from None


def bootstrap_roster(ring: KeyRing, place: str) -> Roster:
    """The line above a place as its certificates tell it: enough until the signed roster is read."""
    chain = ring.chain(place)
    hubs = {one.place for one in chain if one.tier <= 4}
    return Roster(
        [
            Place(one.place, one.name, one.tier, one.issuer if one.issuer != one.place else None)
            for one in chain
        ],
        hubs,
    )


def open_node(
    config: NodeConfig,
    bus: Bus,
    capabilities: Sequence[Capability],
    *,
    workers: Workers | None = None,
    library: Library | None = None,
    identity: Identity | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Node:
    """The node of a site, its database brought up to date, its roster and catalogue read; not running yet."""
    found = identity or read_identity(config)
    own = found.ring.current(config.place)
    assert own is not None
    db = Database(config.database, workers)
    db.upgrade()
    know = Knowledge(
        place=config.place,
        keys=found.keys,
        certificate=own,
        ring=found.ring,
        roster=bootstrap_roster(found.ring, config.place),
        library=Library() if library is None else library,
        rules=config.rules,
    )
    restore_ring(db, found.ring)
    node = Node(config, know, db, bus, capabilities, clock)
    read_directory(node)
    node.do_now(_remember)
    return node


def restore_ring(db: Database, ring: KeyRing) -> None:
    """Trust again what was trusted before, in the same order."""
    table = table_of(CertificateRow).c
    for line in db.read(
        lambda session: list(session.execute(select(table.line).order_by(table.id)).scalars())
    ):
        try:
            ring.admit(line)
        except ProtocolError as wrong:
            log.warning("a kept certificate does not hold any more: %s", wrong)


def _remember(work: Work) -> None:
    """Roster and catalogue as the database has them."""
    learn_roster(work)
    catalogue = newest_edition(work.session, work.know)
    if catalogue is not None:
        work.learn(catalogue=catalogue)


def read_directory(node: Node) -> bool:
    """Take in the site's directory file if it has changed; whether it had."""
    path = node.config.site / "directory.ndjson"
    raw = path.read_bytes() if path.exists() else b""
    name = sha256(raw).hexdigest()
    if not raw or node.do_now(lambda work: work.meta("directory")) == name:
        return False
    batch = examine([Incoming("", whole(one)) for one in messages(raw)], node.know, node.clock())
    node.do_now(take_documents, batch)
    if batch.unbelievable:  # say, this machine's clock is wrong: look again when it is mended
        log.warning(
            "%s: %d documents refused: %s", path, len(batch.unbelievable), batch.unbelievable[0].reason
        )
    else:
        node.do_now(lambda work: work.set_meta("directory", name))
    return True
