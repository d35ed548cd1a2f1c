"""`liandong provision`: from a divisions file to everything each site needs, ready to be carried there.

One rule: what exists is kept. Keys, certificates and credentials already made are never made again, so running it
with a longer divisions file adds the new places and touches the others only where the roster says so. A certificate
that no longer says what the roster says, or ends within a year, is followed by a next generation for the same keys.

    OUT/authority/     the root key, the hubs' operator keys, every certificate: lock this away (0700, secrets 0600)
    OUT/network.toml   where each hub is reached; edit it, then run again
    OUT/sites/CODE/    the folder of one node, to be carried to its machine
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hub.authority import certify, grantable, place_document, root
from hub.folder import ProvisionError, alone, check_folder, plain, read_root, secret
from hub.network import Network, node_toml
from hub.provision_lines import Lines
from hub.publishing import signed_document
from protocol.certificates import Certificate, KeyRing
from protocol.dsse import sha256
from protocol.errors import ProtocolError
from protocol.keys import Keys
from protocol.messages import MAY
from protocol.places import Code, Place
from protocol.roster import Roster

__all__ = ["Provision", "ProvisionError", "Summary", "plain", "secret"]

Progress = Callable[[int, int, str], None]
"""(done, of how many, what): shown while it works."""

RENEW = timedelta(days=365)
"""A certificate that ends sooner than this is followed by a new one."""


@dataclass(slots=True)
class Summary:
    """What a run did."""

    places: int = 0
    hubs: int = 0
    made: int = 0
    changed: int = 0
    new: list[str] = field(default_factory=list)
    renewed: dict[str, str] = field(default_factory=dict)
    """Places with a next generation of their certificate, and why."""
    away: list[str] = field(default_factory=list)
    """Places whose keys are not in the output folder any more."""


class Provision:
    """One run over one output folder."""

    def __init__(self, roster: Roster, out: Path, network: Network, now: datetime) -> None:
        self._roster = roster
        self._network = network
        self._now = now
        self._out = out
        self._authority = out / "authority"
        self._sites = out / "sites"
        self._certificates: dict[Code, list[Certificate]] = {}
        self._keys: dict[Code, Keys | None] = {}
        self._places: dict[Code, bytes] = {}
        self._lines = Lines(roster, out, network, now)
        self.summary = Summary()

    def run(self, progress: Progress = lambda _done, _of, _what: None) -> Summary:
        """Make what is missing, keep what is there."""
        check_folder(self._out, self._roster.city.code)
        for folder in (self._authority, self._sites):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        with alone(self._out):
            self._make(progress)
        self.summary.places, self.summary.hubs = len(self._roster), len(self._roster.hubs)
        return self.summary

    def _make(self, progress: Progress) -> None:
        anchor = self._root()
        ring = KeyRing(anchor.line)
        order = self._roster.subtree(self._roster.city.code)
        for at, place in enumerate(order):
            progress(at, 2 * len(order), f"证书 {place.name}")
            self._certify(place, ring)
        self._sign_places()
        for at, place in enumerate(order):
            progress(len(order) + at, 2 * len(order), f"站点 {place.name}")
            self._site(place, anchor)
        progress(2 * len(order), 2 * len(order), "完成")

    def _root(self) -> Certificate:
        """The root's certificate; its key is made with it, and may be away until the city's certificate needs it."""
        key_file, cert_file = self._root_files
        if not cert_file.exists():
            keys = self._load_keys(key_file) or Keys.generate()
            secret(key_file, keys.dump())
            plain(cert_file, root(keys, self._roster, self._now).line + b"\n", lasting=True)
        loaded, anchor = self._load_keys(key_file), read_root(cert_file)
        if loaded is not None and loaded.sign_public != anchor.key:
            raise ProvisionError(f"{key_file} 与 {cert_file} 不配")
        return anchor

    @property
    def _root_files(self) -> tuple[Path, Path]:
        return self._authority / "root-keys.json", self._authority / "root.cert"

    def _root_keys(self, place: Place) -> Keys:
        found = self._load_keys(self._root_files[0])
        if found is None:
            raise ProvisionError(
                f"为 {place.name} 签发证书须用根密钥，但没有 {self._root_files[0]}：请从保管处取回，再重新运行"
            )
        return found

    def _certify(self, place: Place, ring: KeyRing) -> None:
        """Keys and certificates of one place: kept, made, or followed by a next generation."""
        key_file = self._sites / place.code / "keys.json"
        cert_file = self._authority / "certificates" / f"{place.code}.cert"
        kept = self._kept(cert_file, place, ring)
        keys = self._load_keys(key_file)
        if keys is None and not kept:
            keys = Keys.generate()
            secret(key_file, keys.dump())
        if keys is not None and kept and kept[-1].key != keys.sign_public:
            raise ProvisionError(f"{key_file} 与 {cert_file} 不配：这不是 {place.name} 的密钥")
        self._keys[place.code] = keys
        issuer = self._certificates[place.parent][-1] if place.parent else ring.root
        why = self._why_new(place, kept, issuer)
        if why:
            kept.append(self._issue(place, kept, issuer, ring))
            plain(cert_file, b"".join(one.line + b"\n" for one in kept), lasting=True)
            self._note(place, why, first=len(kept) == 1)
        if keys is None:
            self.summary.away.append(place.code)
        self._certificates[place.code] = kept

    def _note(self, place: Place, why: str, *, first: bool) -> None:
        if first:
            self.summary.made += 1
            self.summary.new.append(place.code)
        else:
            self.summary.renewed[place.code] = why

    def _kept(self, cert_file: Path, place: Place, ring: KeyRing) -> list[Certificate]:
        """Every generation so far, oldest first, each checked against those above."""
        if not cert_file.exists():
            return []
        try:
            return [ring.admit(line) for line in cert_file.read_bytes().splitlines()]
        except ProtocolError as wrong:
            raise ProvisionError(f"{cert_file}（{place.name}）不可用：{wrong}") from None

    def _load_keys(self, path: Path) -> Keys | None:
        if not path.exists():
            return None
        try:
            return Keys.load(path.read_bytes())
        except ProtocolError as wrong:
            raise ProvisionError(f"{path} 不可用：{wrong}") from None

    def _why_new(self, place: Place, kept: list[Certificate], issuer: Certificate) -> str:
        """Why this place needs a new certificate; empty if the kept one still says what the roster says."""
        if not kept:
            return "新站点"
        last = kept[-1]
        if last.issuer != issuer.place:
            return f"上级改为 {issuer.place}"
        if (last.tier, last.scope) != (place.tier, self._roster.prefixes(place.code)):
            return "管辖范围改变"
        if (last.may, last.grant) != (MAY[place.tier], grantable(place.tier)):
            return "权限改变"
        if last.not_after - self._now < RENEW and issuer.not_after > last.not_after:
            return "即将到期"
        return ""

    def _issue(
        self, place: Place, kept: list[Certificate], issuer: Certificate, ring: KeyRing
    ) -> Certificate:
        own = self._needed(place.code, f"{place.name} 须换证")
        signing = (
            self._needed(place.parent, f"为 {place.name} 签发证书")
            if place.parent
            else self._root_keys(place)
        )
        made = certify(self._roster, place.code, own, issuer, signing, self._now, kept)
        try:
            return ring.admit(made.line)
        except ProtocolError as wrong:
            raise ProvisionError(
                f"不能为 {place.name}（{place.code}）签发证书：{wrong}。信任根在创建时已写明全市的代码范围，"
                "超出的部分须另建信任根"
            ) from None

    def _needed(self, code: Code, why: str) -> Keys:
        keys = self._keys[code]
        if keys is None:
            raise ProvisionError(f"{why}，但 {self._sites / code / 'keys.json'} 不在这里：请放回再运行")
        return keys

    def _sign_places(self) -> None:
        """One signed document per place; signed anew, with the next version, only when it changed."""
        register_file = self._authority / "places.json"
        register: dict[str, dict[str, object]] = (
            json.loads(register_file.read_text()) if register_file.exists() else {}
        )
        for place in self._roster:
            doc = place_document(self._roster, place.code, self._certificates[place.code])
            file = self._authority / "places" / f"{place.code}.ndjson"
            known = register.get(place.code)
            if known is None or known["sha256"] != sha256(doc) or not file.exists():
                number = int(str(known["version"])) + 1 if known else 1
                plain(file, self._signed(place.code, number, doc))
                register[place.code] = {"version": number, "sha256": sha256(doc)}
            self._places[place.code] = file.read_bytes()
        plain(register_file, json.dumps(register, indent=1, sort_keys=True).encode())

    def _signed(self, code: Code, number: int, doc: bytes) -> bytes:
        city = self._roster.city.code
        keys, certificate = self._needed(city, "名册须由市级签发"), self._certificates[city][-1]
        return signed_document("roster.place", f"place-{code}", number, doc, keys, certificate, self._now)

    def _site(self, place: Place, anchor: Certificate) -> None:
        site = self._sites / place.code
        line = list(reversed(self._roster.line(place.code)))
        needed = (
            set(self._roster)
            if place.code in self._roster.hubs
            else {*line, *self._roster.subtree(place.code)}
        )
        chain = [certificate for one in line for certificate in self._certificates[one.code]]
        files: dict[str, bytes] = {
            "root.cert": anchor.line + b"\n",
            "chain.ndjson": b"".join(one.line + b"\n" for one in chain),
            "directory.ndjson": b"".join(self._places[one.code] for one in self._roster if one in needed),
            "node.toml": node_toml(self._roster, self._network, place.code).encode(),
        }
        files |= self._lines.authorities(place)
        if self._keys[place.code] is not None:
            self._lines.credentials(place, site)
        changed = place.code in self._roster.hubs and self._lines.server(place, site / "hub")
        for name, content in files.items():
            changed = plain(site / name, content) or changed
        self.summary.changed += changed
