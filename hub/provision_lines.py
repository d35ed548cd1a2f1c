"""The lines of a city: operators, credentials, servers' configuration and their TLS keys, made for one output folder.

One rule: a seed is made once and kept for ever; what is minted from it is minted anew only when it no longer fits.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from hub.folder import ProvisionError, plain, secret
from hub.network import HubAddress, Network
from hub.operator import HubKeys, Trust, hub_user, node_user, relay_user, renewed, trust
from hub.server_conf import render
from hub.tls import Pair, make_authority, make_server, still_fits
from node.bus.nkeys import Kind, new_seed, public_key
from protocol.places import Code, Place
from protocol.roster import Roster
from protocol.subjects import upper_hub


class Lines:
    """What one run makes for the transport, place by place."""

    def __init__(self, roster: Roster, out: Path, network: Network, now: datetime) -> None:
        self._roster = roster
        self._network = network
        self._now = now
        self._out = out
        self._authority = out / "authority"
        self._hub_keys: dict[Code, HubKeys] = {}
        self._line_authority: Pair | None = None

    def credentials(self, place: Place, site: Path) -> None:
        """What lets the place in at its hubs."""
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
                fits=f"{upper}:{','.join(prefixes)}",
            )
        else:
            self._user(
                site / "hub.creds",
                lambda user: node_user(above, place.code, user, self._now),
                fits=upper,
            )

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
                self._never_made(hub, path)
                secret(path, HubKeys.generate().to_json().encode())
            self._hub_keys[hub] = HubKeys.from_json(path.read_text())
        return self._hub_keys[hub]

    def _never_made(self, hub: Code, path: Path) -> None:
        """ProvisionError if the hub's servers trust an operator already: another would shut out everybody enrolled."""
        trusted = self._out / "sites" / hub / "hub" / "trust.json"
        if trusted.exists():
            raise ProvisionError(
                f"没有 {path}：请从保管处取回 {self._roster[hub].name} 枢纽的密钥，再重新运行。"
                f"确已遗失的，删去 {trusted} 和接在该枢纽上各站的 hub.creds、upper.creds，全部重新签发、重新送达"
            )

    def server(self, place: Place, folder: Path) -> bool:
        """What the hub's servers trust, their TLS keys, and configurations for those run as services; whether any changed."""
        address = self._network.hubs[place.code]
        trusted = self._trust(place, folder / "trust.json")
        changed = plain(folder / "trust.json", json.dumps(asdict(trusted), indent=1).encode())
        name = f"hub-{place.code}"
        if address.tls == "own":
            changed = self._server_keys(folder, address, name) or changed
        elif (
            address.tls and address.members
        ):  # whose routes ask each other for certificates of this authority
            changed = plain(folder / "ca.pem", self._authority_of(address)) or changed
        configs: dict[str, bytes] = {}
        if not address.embedded:
            password = self._route_password(place.code) if address.members else ""
            made = address.server_configs(name, trusted, password)
            configs = {f"{one.name}.conf": render(one).encode() for one in made}
        for stale in [path for path in folder.glob("hub-*.conf") if path.name not in configs]:
            stale.unlink()
        for file, content in configs.items():
            if not (folder / file).exists() or (folder / file).read_bytes() != content:
                secret(folder / file, content)
                changed = True
        return changed

    def _trust(self, place: Place, file: Path) -> Trust:
        keys = self._operator(place.code)
        if not file.exists():
            return trust(keys, place.name, self._now)
        return renewed(Trust(**json.loads(file.read_text())), keys, place.name, self._now)

    def _route_password(self, hub: Code) -> str:
        path = self._authority / "hubs" / f"{hub}.route"
        if not path.exists():
            secret(path, os.urandom(24).hex().encode())
        return path.read_text()

    def _server_keys(self, folder: Path, address: HubAddress, name: str) -> bool:
        """A certificate for each server of the hub; whether one was made."""
        authority, changed = self._line_keys(), plain(folder / "ca.pem", self._line_keys().cert)
        for server in address.server_names(name):
            cert, key = folder / f"{server}.crt", folder / f"{server}.key"
            kept = cert.read_bytes() if cert.exists() and key.exists() else b""
            if not kept or not still_fits(kept, authority, address.hosts, self._now):
                made = make_server(authority, server, address.hosts, self._now)
                secret(key, made.key)
                plain(cert, made.cert)
                changed = True
        return changed

    def _line_keys(self) -> Pair:
        """The authority of the lines, made when it is first needed."""
        if self._line_authority is None:
            cert, key = self._authority / "line-ca.pem", self._authority / "line-ca.key"
            if not (cert.exists() and key.exists()):
                made = make_authority(self._roster.city.name, self._now)
                secret(key, made.key)
                plain(cert, made.cert)
            self._line_authority = Pair(cert.read_bytes(), key.read_bytes())
        return self._line_authority

    def authorities(self, place: Place) -> Mapping[str, bytes]:
        """For each hub this place is a client of and that speaks TLS: whose certificates to believe."""
        roles = {"upper" if place.code in self._roster.hubs else "hub": upper_hub(self._roster, place.code)}
        if place.code in self._roster.hubs:
            roles["hub"] = place.code
        found: dict[str, bytes] = {}
        for role, hub in roles.items():
            address = self._network.hubs[hub] if hub else None
            if address is not None and address.tls:
                found[f"{role}-ca.pem"] = self._authority_of(address)
        return found

    def _authority_of(self, address: HubAddress) -> bytes:
        if address.tls == "own":
            return self._line_keys().cert
        path = self._out / address.tls_ca
        try:
            return path.read_bytes()
        except OSError as wrong:
            raise ProvisionError(f"network.toml 的 tls_ca {path} 读不到：{wrong.strerror}") from None
