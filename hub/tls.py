"""TLS for the lines (传输证书): an authority of the city's own, and a certificate for each server of a hub.

One rule: these keys protect the transport and nothing else. Messages are signed and sealed with other keys and hold
without TLS; whoever breaks TLS learns who writes to whom, and no name. Pure: callers keep the keys (0600).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.authority import NODE_YEARS, ROOT_YEARS, years_after

RENEW = timedelta(days=365)
"""A server's certificate that ends sooner than this is made anew."""

_EARLIER = timedelta(days=1)
"""Certificates begin a day early: a server whose clock is behind still takes them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM."""

    cert: bytes
    key: bytes = field(repr=False)


def make_authority(name: str, now: datetime) -> Pair:
    """A self-signed authority for the lines of one city."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"{name} 线路证书")
    made = _builder(subject, subject, key.public_key(), now, years_after(now, ROOT_YEARS), authority=True)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return _pair(made.add_extension(own, critical=False).sign(key, hashes.SHA256()), key)


def make_server(authority: Pair, name: str, hosts: Iterable[str], now: datetime) -> Pair:
    """The certificate of one server, for these host names and addresses; good for clients and for routes."""
    issuer, issuer_key = _read(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(years_after(now, NODE_YEARS), issuer.not_valid_after_utc)
    made = _builder(_name(name), issuer.subject, key.public_key(), now, end, authority=False)
    known = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    extensions: list[x509.ExtensionType] = [
        x509.SubjectAlternativeName([_host(host) for host in sorted(set(hosts))]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known),
    ]
    for one in extensions:
        made = made.add_extension(one, critical=False)
    return _pair(made.sign(issuer_key, hashes.SHA256()), key)


def still_fits(cert: bytes, authority: Pair, hosts: Iterable[str], now: datetime) -> bool:
    """Whether a kept certificate is this authority's, names exactly these hosts, and lasts another year."""
    try:
        kept, (issuer, _) = x509.load_pem_x509_certificate(cert), _read(authority)
        kept.verify_directly_issued_by(issuer)
        names = kept.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 - a file that cannot be read or was made by somebody else does not fit
        return False
    return set(names) == {_host(host) for host in hosts} and kept.not_valid_after_utc > now + RENEW


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    end: datetime,
    *,
    authority: bool,
) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=not authority, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(authority, 0 if authority else None), critical=True)
        .add_extension(usage, critical=True)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pair(cert: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        cert.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def _read(pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = serialization.load_pem_private_key(pair.key, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("线路证书的密钥应为 EC 密钥")
    return x509.load_pem_x509_certificate(pair.cert), key
