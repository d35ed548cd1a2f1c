"""`liandong provision`: from a divisions file to everything each site needs, ready to be carried there.

One rule: what exists is kept. Keys, certificates and credentials already made are never made again, so running it
with a longer divisions file adds the new places and touches the others only where the roster says so.

    OUT/authority/     the root key and the hubs' operator keys: lock this away (0700, files 0600)
    OUT/network.toml   where each hub is reached; edit it, then run again
    OUT/sites/CODE/    the folder of one node, to be carried to its machine
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from hub.authority import certify, place_document, root
from hub.network import HubAddress, Network, node_toml
from hub.operator import HubKeys, Trust, hub_user, node_user, relay_user, trust
from hub.publishing import signed_document
from hub.server import ServerConfig, render
from node.bus.nkeys import Kind, new_seed, public_key
from protocol.certificates import Certificate, KeyRing
from protocol.dsse import sha256
from protocol.errors import ProtocolError
from protocol.keys import Keys
from protocol.places import Code, Place
from protocol.roster import Roster
from protocol.subjects import upper_hub

Progress = Callable[[int, int, str], None]
"""(done, of how many, what): shown while it works."""


class ProvisionError(Exception):
    """What is in the output folder does not belong to this city, or cannot be read."""


@dataclass(slots=True)
class Summary:
    """What a run did."""

    places: int = 0
    hubs: int = 0
    made: int = 0
    changed: int = 0
    new: list[str] = field(default_factory=list)


def secret(path: Path, content: bytes) -> None:
    """Write a secret so that it is never readable by others, not for a moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)


def plain(path: Path, content: bytes) -> bool:
    """Write a file unless it is there with the same content; whether it changed."""
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return True


class Provision:
    """One run over one output folder."""

    def __init__(self, roster: Roster, out: Path, network: Network, now: datetime) -> None:
        self._roster = roster
        self._network = network
        self._now = now
        self._authority = out / "authority"
        self._sites = out / "sites"
        self._certificates: dict[Code, Certificate] = {}
        self._keys: dict[Code, Keys] = {}
        self._hub_keys: dict[Code, HubKeys] = {}
        self._places: dict[Code, bytes] = {}
        self.summary = Summary()

    def run(self, progress: Progress = lambda _done, _of, _what: None) -> Summary:
        """Make what is missing, keep what is there."""
        self._authority.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sites.mkdir(mode=0o700, parents=True, exist_ok=True)
        anchor, root_keys = self._root()
        order = self._roster.subtree(self._roster.city.code)
        for at, place in enumerate(order):
            progress(at, 2 * len(order), f"证书 {place.name}")
            self._certify(place, anchor, root_keys)
        self._sign_places()
        for at, place in enumerate(order):
            progress(len(order) + at, 2 * len(order), f"站点 {place.name}")
            self._site(place, anchor)
        progress(2 * len(order), 2 * len(order), "完成")
        self.summary.places, self.summary.hubs = len(self._roster), len(self._roster.hubs)
        return self.summary

    def _root(self) -> tuple[Certificate, Keys]:
        key_file, cert_file = self._authority / "root-keys.json", self._authority / "root.cert"
        if not key_file.exists():
            keys = Keys.generate()
            secret(key_file, keys.dump())
            cert_file.write_bytes(root(keys, self._roster, self._now).line + b"\n")
        try:
            anchor = KeyRing(cert_file.read_bytes().strip()).root
        except (OSError, ProtocolError) as wrong:
            raise ProvisionError(f"{cert_file} 不可用：{wrong}") from None
        if anchor.place != self._roster.city.code:
            raise ProvisionError(f"输出目录属于 {anchor.place}，不是 {self._roster.city.code}")
        return anchor, Keys.load(key_file.read_bytes())

    def _certify(self, place: Place, anchor: Certificate, root_keys: Keys) -> None:
        site = self._sites / place.code
        site.mkdir(mode=0o700, exist_ok=True)
        key_file, cert_file = site / "keys.json", self._authority / "certificates" / f"{place.code}.cert"
        if key_file.exists() and cert_file.exists():
            keys = Keys.load(key_file.read_bytes())
            ring = KeyRing(anchor.line)
            for above in reversed(self._roster.ancestors(place.code)):
                ring.admit(self._certificates[above.code].line)
            certificate = ring.admit(cert_file.read_bytes().strip())
        else:
            keys = Keys.generate()
            parent = place.parent
            issuer = self._certificates[parent] if parent else anchor
            certificate = certify(
                self._roster, place.code, keys, issuer, self._keys[parent] if parent else root_keys, self._now
            )
            secret(key_file, keys.dump())
            plain(cert_file, certificate.line + b"\n")
            self.summary.made += 1
            self.summary.new.append(place.code)
        self._keys[place.code], self._certificates[place.code] = keys, certificate

    def _sign_places(self) -> None:
        """One signed document per place; signed anew, with the next version, only when it changed."""
        register_file = self._authority / "places.json"
        register: dict[str, dict[str, object]] = (
            json.loads(register_file.read_text()) if register_file.exists() else {}
        )
        city = self._roster.city.code
        for place in self._roster:
            doc = place_document(self._roster, place.code, [self._certificates[place.code]])
            file = self._authority / "places" / f"{place.code}.ndjson"
            known = register.get(place.code)
            if known is None or known["sha256"] != sha256(doc) or not file.exists():
                number = int(str(known["version"])) + 1 if known else 1
                parcel = signed_document(
                    "roster.place", f"place-{place.code}", number, doc, self._keys[city], self._certificates[city], self._now
                )  # fmt: skip
                plain(file, parcel)
                register[place.code] = {"version": number, "sha256": sha256(doc)}
            self._places[place.code] = file.read_bytes()
        plain(register_file, json.dumps(register, indent=1, sort_keys=True).encode())

    def _site(self, place: Place, anchor: Certificate) -> None:
        site = self._sites / place.code
        line = list(reversed(self._roster.line(place.code)))
        needed = (
            set(self._roster)
            if place.code in self._roster.hubs
            else {*line, *self._roster.subtree(place.code)}
        )
        directory = b"".join(self._places[one.code] for one in self._roster if one in needed)
        files: dict[str, bytes] = {
            "root.cert": anchor.line + b"\n",
            "chain.ndjson": b"".join(self._certificates[one.code].line + b"\n" for one in line),
            "directory.ndjson": directory,
            "node.toml": node_toml(self._roster, self._network, place.code).encode(),
        }
        self._credentials(place, site)
        if place.code in self._roster.hubs:
            files |= self._server(place)
        changed = [plain(site / name, content) for name, content in files.items()]
        self.summary.changed += any(changed)

    def _credentials(self, place: Place, site: Path) -> None:
        if place.code in self._roster.hubs:
            keys = self._operator(place.code)
            self._user(site / "hub.creds", lambda user: hub_user(keys, place.code, user, self._now))
        upper = upper_hub(self._roster, place.code)
        if upper is None:
            return
        above = self._operator(upper)
        if place.code in self._roster.hubs:
            prefixes = self._roster.prefixes(place.code)
            self._user(
                site / "upper.creds",
                lambda user: relay_user(above, place.code, prefixes, user, self._now),
                fits=",".join(prefixes),
            )
        else:
            self._user(site / "hub.creds", lambda user: node_user(above, place.code, user, self._now))

    def _user(self, path: Path, mint: Callable[[str], str], fits: str = "") -> None:
        """Credentials: the seed is kept for ever, the JWT as long as it still fits what it is for."""
        known = json.loads(path.read_text()) if path.exists() else None
        if known and known.get("for", "") == fits:
            return
        seed = known["seed"] if known else new_seed(Kind.USER)
        content = {"jwt": mint(public_key(seed)), "seed": seed, "for": fits}
        secret(path, json.dumps(content).encode())

    def _operator(self, hub: Code) -> HubKeys:
        if hub not in self._hub_keys:
            path = self._authority / "hubs" / f"{hub}.json"
            if not path.exists():
                secret(path, HubKeys.generate().to_json().encode())
            self._hub_keys[hub] = HubKeys.from_json(path.read_text())
        return self._hub_keys[hub]

    def _server(self, place: Place) -> Mapping[str, bytes]:
        """What the hub's server trusts, and the configuration for servers run as services."""
        site = self._sites / place.code
        file = site / "hub" / "trust.json"
        if file.exists():
            trusted = Trust(**json.loads(file.read_text()))
        else:
            trusted = trust(self._operator(place.code), place.name, self._now)
        address = self._network.hubs[place.code]
        files = {"hub/trust.json": json.dumps(asdict(trusted), indent=1).encode()}
        for config in server_configs(place, address, trusted):
            files[f"hub/{config.name}.conf"] = render(config).encode()
        return files


def server_configs(place: Place, address: HubAddress, trusted: Trust) -> list[ServerConfig]:
    """The configuration of every server of a hub: one, or the members of its cluster."""
    return address.server_configs(f"hub-{place.code}", trusted)
