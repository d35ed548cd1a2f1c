"""The embedded nats-server: starts, is alone on its store, comes back, stops, and dies with its parent."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.operator import HubKeys, Role, account_jwt, hub_user, made_at, node_user, trust, user_of
from hub.server import (
    Cluster,
    EmbeddedServer,
    ServerConfig,
    ServerError,
    TlsFiles,
    find_server,
    push_account,
    render,
    write_private,
)
from hub.streams import Streams
from node.bus import Mail
from node.bus.line import Credentials
from node.bus.nats import NatsBus
from node.bus.nkeys import Kind, decode_seed, encode_seed, is_public, new_seed, public_key, sign
from protocol.subjects import MAIL, Lane, mail
from tests.hubs import CITY, COUNTY, QUICK, TOWN, VILLAGE, offline, online, small_city, streams_made

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def keys() -> HubKeys:
    return HubKeys.generate()


def config(keys: HubKeys, folder: Path, name: str = "h640221") -> ServerConfig:
    return ServerConfig(name, trust(keys, name, NOW), folder, port=-1, monitor_port=-1)


async def connected(keys: HubKeys, *urls: str, place: str = COUNTY) -> NatsBus:
    seed = new_seed(Kind.USER)
    made = Credentials(hub_user(keys, place, public_key(seed), datetime.now(UTC)), seed)
    bus = NatsBus(place, urls, made, pace=QUICK)
    await bus.connect()
    await online(bus)
    return bus


async def test_it_starts_ready_and_stops_cleanly(keys: HubKeys, tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "hub", config(keys, tmp_path))
    async with server:
        assert server.port > 0
        bus = await connected(keys, server.url)
        await streams_made(Streams(bus.line, small_city(), COUNTY), bus)
        await bus.close()
        pid = server.pid
        assert pid is not None
    assert server.pid is None
    assert not Path(f"/proc/{pid}").exists()
    assert "Server Exiting" in (tmp_path / "hub" / "server.log").read_text()


async def test_what_it_writes_is_for_us_alone_and_holds_no_seed(keys: HubKeys, tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    async with EmbeddedServer(folder, config(keys, tmp_path)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "server.conf").stat().st_mode) == 0o600
    seeds = list(json.loads(keys.to_json()).values())
    for file in folder.rglob("*"):
        if file.is_file():
            text = file.read_bytes()
            assert not any(seed.encode() in text for seed in seeds), file
    assert not any(seed in repr(keys) for seed in seeds)


async def test_a_second_server_on_the_same_store_is_refused(keys: HubKeys, tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path, config(keys, tmp_path)):
        second = EmbeddedServer(tmp_path, config(keys, tmp_path), lock_s=0)
        with pytest.raises(ServerError, match="正在使用"):
            await second.start()
    async with EmbeddedServer(tmp_path, config(keys, tmp_path)) as third:
        assert third.pid


async def test_it_is_started_again_on_the_same_port(keys: HubKeys, tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path, config(keys, tmp_path)) as server:
        bus = await connected(keys, server.url)
        for round_ in (1, 2):
            url = server.url
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            await offline(bus)
            await online(bus)
            assert server.url == url
            assert server.restarts == round_
        await bus.close()


async def test_a_server_that_cannot_start_says_why(keys: HubKeys, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = replace(config(keys, tmp_path), port=taken.getsockname()[1])
        with pytest.raises(ServerError, match="address already in use"):
            await EmbeddedServer(tmp_path, wanted).start()


async def test_a_missing_program_is_said(keys: HubKeys, tmp_path: Path) -> None:
    with pytest.raises(ServerError):
        await EmbeddedServer(tmp_path, config(keys, tmp_path), tmp_path / "no-such-program").start()
    assert find_server({"NATS_SERVER_BIN": "/opt/nats"}) == Path("/opt/nats")


PARENT = """
import asyncio, os, pathlib, sys
from datetime import UTC, datetime
from hub.operator import HubKeys, trust
from hub.server import EmbeddedServer, ServerConfig

async def main():
    folder = pathlib.Path(sys.argv[1])
    config = ServerConfig("h", trust(HubKeys.generate(), "h", datetime.now(UTC)), folder, port=-1, monitor_port=-1)
    server = EmbeddedServer(folder, config)
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_it_dies_with_its_parent(keys: HubKeys, tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert Path(f"/proc/{pid}").exists()
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(10), EmbeddedServer(tmp_path, config(keys, tmp_path)) as heir:
        assert heir.pid  # the lock is free only when the orphan is gone


def test_the_server_accepts_every_configuration_we_write(keys: HubKeys, tmp_path: Path) -> None:
    plain = ServerConfig("h640200", trust(keys, "石嘴山市", NOW), tmp_path / "store", listen="0.0.0.0")
    cert, key = _certificate(tmp_path)
    tls = TlsFiles(cert, key, cert)
    routes = ("nats://10.0.0.1:6222", "nats://10.0.0.2:6222", "nats://10.0.0.3:6222")
    member = replace(plain, tls=tls, cluster=Cluster("city640200", "0.0.0.0:6222", routes, tls))
    for wanted in (plain, replace(plain, tls=TlsFiles(cert, key)), member):
        path = tmp_path / "server.conf"
        write_private(path, render(wanted))
        ran = subprocess.run([find_server(), "-t", "-c", path], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr


def _certificate(folder: Path) -> tuple[Path, Path]:
    from datetime import timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_path, key_path


async def test_tls_comes_before_the_first_byte(keys: HubKeys, tmp_path: Path) -> None:
    import ssl

    cert, key = _certificate(tmp_path)
    wanted = replace(config(keys, tmp_path), tls=TlsFiles(cert, key))
    async with EmbeddedServer(tmp_path / "hub", wanted) as server:
        trusted = ssl.create_default_context(cafile=str(cert))
        seed = new_seed(Kind.USER)
        made = Credentials(hub_user(keys, COUNTY, public_key(seed), datetime.now(UTC)), seed)
        bus = NatsBus(COUNTY, [server.url], made, tls=trusted, pace=QUICK)
        await bus.connect()
        await online(bus)
        await streams_made(Streams(bus.line, small_city(), COUNTY), bus)
        assert await bus.publish([Mail(mail(Lane.CASE, TOWN, VILLAGE), b"x", "1")]) == [True]
        await bus.close()
        careless = NatsBus(COUNTY, [server.url], made, tls=ssl.create_default_context(), pace=QUICK)
        await careless.connect()
        async with asyncio.timeout(10):
            while "certificate verify failed" not in (careless.trouble or "").lower():
                await asyncio.sleep(0.02)
        assert not careless.connected
        await careless.close()


async def test_three_members_keep_mail_when_one_dies(keys: HubKeys, tmp_path: Path) -> None:
    ports = _free_ports(3)
    routes = tuple(f"nats://127.0.0.1:{port}" for port in ports)
    servers = [
        EmbeddedServer(
            tmp_path / f"m{i}",
            replace(
                config(keys, tmp_path, f"city-{i}"),
                trust=trust(keys, "city", NOW),
                cluster=Cluster("city640200", f"127.0.0.1:{port}", routes),
            ),
        )
        for i, port in enumerate(ports)
    ]
    try:
        await asyncio.gather(*(server.start() for server in servers))
        bus = await connected(keys, *(server.url for server in servers), place=CITY)
        streams = Streams(bus.line, small_city(), CITY, replicas=3)
        await _formed(streams)
        letters = [Mail(mail(Lane.CASE, CITY, VILLAGE), b"%d" % i, f"l{i}") for i in range(50)]
        assert all(await bus.publish(letters))
        await servers[0].stop()
        await _formed(streams)
        assert all(await bus.publish(letters[:1]))
        got = []
        async with asyncio.timeout(20):
            while len(got) < 50:
                got += await bus.fetch(MAIL, 100, 1)
        assert sorted({int(one.data) for one in got}) == list(range(50))
        await bus.close()
    finally:
        for server in servers:
            await server.stop()


async def _formed(streams: Streams) -> None:
    """Until the members have found each other and chosen leaders."""
    from hub.streams import HubSilent, StreamError

    async with asyncio.timeout(60):
        while True:
            try:
                await streams.ensure()
            except (HubSilent, StreamError):
                await asyncio.sleep(0.1)
            else:
                return


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


async def test_a_new_account_is_taken_at_once_and_kept(keys: HubKeys, tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path, config(keys, tmp_path)) as server:
        later = datetime.now(UTC)
        assert await server.retrust(keys, trust(keys, "h640221", later))
        assert account_jwt(keys, later) in (tmp_path / "server.conf").read_text()
        strangers = HubKeys.generate()
        assert not await push_account([server.url], strangers, account_jwt(strangers, later), wait_s=0.3)


def test_nkeys_spell_what_every_nats_tool_spells() -> None:
    # The pair printed in the NATS manual.
    seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
    assert public_key(seed) == "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
    kind, key = decode_seed(seed)
    assert kind == Kind.USER
    assert encode_seed(kind, key.private_bytes_raw()) == seed
    assert is_public(public_key(seed), Kind.USER)
    assert not is_public(public_key(seed), Kind.ACCOUNT)
    key.public_key().verify(sign(seed, b"nonce"), b"nonce")


@pytest.mark.parametrize("kind", list(Kind))
def test_nkeys_say_what_they_are_and_notice_a_slip(kind: Kind) -> None:
    seed = new_seed(kind)
    letter = {Kind.USER: "U", Kind.ACCOUNT: "A", Kind.OPERATOR: "O"}[kind]
    assert seed.startswith("S" + letter)
    public = public_key(seed)
    assert public.startswith(letter)
    slip = public[:10] + ("A" if public[10] != "A" else "B") + public[11:]
    assert not is_public(slip, kind)
    wrong = seed[:10] + ("A" if seed[10] != "A" else "B") + seed[11:]
    with pytest.raises(ValueError, match="校验和") as refusal:
        decode_seed(wrong)
    assert wrong not in str(refusal.value)


def test_keys_survive_their_file(keys: HubKeys) -> None:
    assert HubKeys.from_json(keys.to_json()) == keys
    with pytest.raises(ValueError, match="密钥文件"):
        HubKeys.from_json("{}")
    assert {role.value for role in Role} == {"node", "relay", "hub"}


def test_credentials_name_their_owner(keys: HubKeys) -> None:
    user = public_key(new_seed(Kind.USER))
    jwt = node_user(keys, VILLAGE, user, NOW)
    assert user_of(jwt) == user
    assert made_at(jwt) == int(NOW.timestamp())
    assert jwt == node_user(keys, VILLAGE, user, NOW)
    with pytest.raises(ValueError, match="用户公钥"):
        node_user(keys, VILLAGE, keys.account, NOW)
