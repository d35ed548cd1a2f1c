"""Provisioning: everything each site needs, made once, kept for ever, never shown to anybody."""

import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.folder import ProvisionError, alone
from hub.network import default_network
from hub.provision import Provision
from hub.provision_cli import provision
from node.bus.memory import MemoryBus, MemoryHub
from node.capabilities import EVERY_TIER
from node.config import ConfigError, load
from node.exchange.model import PeerRow
from node.site import open_node, read_directory, read_identity
from protocol.certificates import KeyRing
from protocol.divisions import read_divisions
from protocol.envelope import read_event
from protocol.places import Code
from protocol.rules import read_rules
from protocol.subjects import Lane
from tests.federation import ROOT

COMMAND = Path(sys.executable).with_name("liandong")
CITY, COUNTY, TOWN, VILLAGE = "640200000000", "640221000000", "640221100000", "640221100001"
REAL = f"""code,name,level,parent
{CITY},石嘴山市,city,
{COUNTY},平罗县,county,{CITY}
640202000000,大武口区,county,{CITY}
{TOWN},城关镇,township,{COUNTY}
640221101000,黄渠桥镇,township,{COUNTY}
{VILLAGE},古城居委会,village,{TOWN}
640221100002,东苑居委会,village,{TOWN}
640221101200,黄渠桥村,village,640221101000
640202001000,长胜街道,township,640202000000
"""
LATER = "640221100201,新丰村,village,640221100000\n"

WITHOUT_COUNTIES = """code,name,level,parent
442000000000,岭南市,city,
442000001000,石岐街道,township,442000000000
442000001001,太平社区,village,442000001000
442000100000,小榄镇,township,442000000000
442000100200,绩东村,village,442000100000
"""
"""A made-up city whose townships stand directly under it."""

BEFORE_THE_ZONE = """code,name,level,parent
150900000000,云州市,city,
150902000000,云中区,county,150900000000
150902001000,北街街道,township,150902000000
150902001001,和平社区,village,150902001000
"""
WITH_THE_ZONE = (
    BEFORE_THE_ZONE
    + """150902400000,云州经济开发区,county,150900000000
150902400400,开发区社区,village,150902400000
150921100000,外来镇,township,150902000000
"""
)
"""A development zone (开发区) beside the district whose digits it bears, and a township with quite other digits."""


def run(divisions: str | Path, out: Path, folder: Path) -> Result:
    """`liandong provision`, as typed."""
    path = divisions
    if isinstance(divisions, str):
        path = folder / "divisions.csv"
        path.write_text(divisions, encoding="utf-8")
    return CliRunner().invoke(provision, [str(path), "--out", str(out)], catch_exceptions=True)


def provisioned(divisions: str, folder: Path) -> Path:
    """An output folder for this city."""
    out = folder / "out"
    found = run(divisions, out, folder)
    assert found.exit_code == 0, found.output
    return out


def files(out: Path) -> dict[str, bytes]:
    """Every file of the folder with its bytes."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def certificates(out: Path, code: str) -> list[bytes]:
    return (out / "authority/certificates" / f"{code}.cert").read_bytes().splitlines()


def test_the_whole_real_city_opens(tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = run(ROOT / "data/divisions-640200-shizuishan.csv", out, tmp_path)
    assert found.exit_code == 0
    assert "366 个站点（4 个枢纽）：新增 366，更新 366" in found.output
    for site in (out / "sites").iterdir():
        config = load(site)
        identity = read_identity(config)
        assert identity.ring.current(config.place)
        assert config.bus
        assert config.bus.credentials.exists()
        assert (config.hub is not None) == (config.place in {CITY, "640202000000", "640205000000", COUNTY})


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    out = provisioned(REAL, tmp_path)
    before = files(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    again = run(REAL, out, tmp_path)
    assert "新增 0，更新 0" in again.output
    assert files(out) == before
    assert times == {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}


def test_a_village_added_later_disturbs_nobody(tmp_path: Path) -> None:
    out = provisioned(REAL, tmp_path)
    before = files(out)
    assert "新增 1" in run(REAL + LATER, out, tmp_path).output
    new = LATER[:12]
    above_and_hubs = {TOWN, COUNTY, CITY, "640202000000"}
    assert changed(before, files(out)) == {
        *(name for name in files(out) if name.startswith(f"sites/{new}/")),
        *(f"sites/{code}/directory.ndjson" for code in above_and_hubs),
        f"authority/certificates/{new}.cert",
        f"authority/places/{new}.ndjson",
        "authority/places.json",
    }
    assert read_identity(load(out / "sites" / new)).ring.chain(new)[-1].issuer == TOWN


def test_secrets_are_for_their_owner_alone_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "divisions.csv").write_text(REAL, encoding="utf-8")
    out = tmp_path / "out"
    old = os.umask(0)
    try:
        ran = subprocess.run(
            [COMMAND, "-v", "provision", tmp_path / "divisions.csv", "--out", out],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        os.umask(old)
    secrets = secret_texts(out)
    assert len(secrets) > 30
    said = ran.stdout + ran.stderr
    assert not [one for one in secrets if one in said]
    for path in out.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_file() and any(one.encode() in path.read_bytes() for one in secrets):
            assert mode == 0o600, path
    assert stat.S_IMODE((out / "authority").stat().st_mode) == 0o700
    assert stat.S_IMODE((out / "sites").stat().st_mode) == 0o700


def secret_texts(out: Path) -> set[str]:
    """Every private key, seed and password that was made."""
    found: set[str] = set()
    for path in out.rglob("*.json"):
        fields = json.loads(path.read_bytes())
        if path.name.endswith("keys.json"):
            found |= {fields["sign"], fields["seal"]}
        elif path.parent.name == "hubs":
            found |= set(fields.values())
    found |= {json.loads(path.read_text())["seed"] for path in out.rglob("*.creds")}
    found |= {path.read_text() for path in out.rglob("*.route")}
    return found


@pytest.mark.parametrize(
    ("rows", "line", "reason"),
    [
        ("640221100203,无主村,village,640221199000\n", 11, "不在表中"),
        (f"{VILLAGE},又一个,village,{TOWN}\n", 11, "重复"),
        (f"640221100203,错级村,hamlet,{TOWN}\n", 11, "不认识"),
        (f"6.4E+11,表格村,village,{TOWN}\n", 11, "文本"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_reason(
    tmp_path: Path, rows: str, line: int, reason: str
) -> None:
    out = tmp_path / "out"
    found = run(REAL + rows, out, tmp_path)
    assert found.exit_code == 2
    assert f"第 {line} 行" in found.output
    assert reason in found.output
    assert not out.exists()


def test_a_file_in_another_encoding_or_without_a_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes(REAL.encode("gb18030"))
    found = run(path, tmp_path / "out", tmp_path)
    assert found.exit_code == 2
    assert "UTF-8" in found.output
    found = run(REAL.replace(",parent", "", 1), tmp_path / "out", tmp_path)
    assert found.exit_code == 2
    assert "缺少列 parent" in found.output


def test_a_foreign_folder_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "letters.txt").write_text("dear")
    found = run(REAL, home, tmp_path)
    assert isinstance(found.exception, ProvisionError)
    assert "letters.txt" in str(found.exception)
    assert [path.name for path in home.iterdir()] == ["letters.txt"]

    other = provisioned(WITHOUT_COUNTIES, tmp_path)
    before = files(other)
    found = run(REAL, other, tmp_path)
    assert "岭南市" in str(found.exception)
    assert files(other) == before


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    out = provisioned(REAL, tmp_path)
    with alone(out):
        assert "另一个" in str(run(REAL, out, tmp_path).exception)


@pytest.mark.parametrize("divisions", [WITHOUT_COUNTIES, WITH_THE_ZONE])
def test_any_city_of_the_same_form(tmp_path: Path, divisions: str) -> None:
    out = provisioned(divisions, tmp_path)
    roster = read_divisions(divisions.encode())
    for place in roster:
        identity = read_identity(load(out / "sites" / place.code))
        own = identity.ring.current(place.code)
        assert own
        covered = {one.code for one in roster if own.covers(one.code)}
        assert covered == {one.code for one in roster.subtree(place.code)}, place


def test_a_changed_scope_brings_a_next_generation(tmp_path: Path) -> None:
    """A zone takes digits out of a district, a strange township brings others in: the district is certified anew."""
    out = provisioned(BEFORE_THE_ZONE, tmp_path)
    district = "150902000000"
    shutil.copytree(out / "sites", tmp_path / "carried")
    found = run(WITH_THE_ZONE, out, tmp_path)
    assert found.exit_code == 0, found.exception
    assert "换发证书 150902000000：管辖范围改变" in found.output
    assert [len(certificates(out, code)) for code in (district, "150900000000", "150902001000")] == [2, 1, 1]
    assert (out / "sites" / district / "keys.json").read_bytes() == (
        tmp_path / "carried" / district / "keys.json"
    ).read_bytes()

    old = read_identity(load(tmp_path / "carried" / "150902001001")).ring
    new = old.admit(certificates(out, district)[1])
    assert new.generation == 2
    assert not new.covers("150902400400")
    assert new.covers("150921100000")
    again = run(WITH_THE_ZONE, out, tmp_path)
    assert "换发" not in again.output
    assert "新增 0，更新 0" in again.output


def test_a_running_node_takes_its_next_generation_from_the_directory(tmp_path: Path) -> None:
    out = provisioned(BEFORE_THE_ZONE, tmp_path)
    site = tmp_path / "carried"
    shutil.copytree(out / "sites/150902000000", site)
    config = load(site)
    node = open_node(config, MemoryBus(MemoryHub(lambda: datetime.now(UTC)), config.place), EVERY_TIER)
    try:
        node.do_now(lambda work: work.send("report.daily", {}, {"150900000000": Lane.SUP}))
        run(WITH_THE_ZONE, out, tmp_path)
        shutil.copy(out / "sites/150902000000/directory.ndjson", site)
        assert node.know.certificate.generation == 1
        assert read_directory(node)
        assert node.know.certificate.generation == 2
        assert "150902400400" in node.know.roster
        assert not node.read(lambda session: session.get(PeerRow, "150900000000")).knows_us
    finally:
        node.db.close()


def test_a_hubs_keys_are_asked_for_rather_than_made_again(tmp_path: Path) -> None:
    roster = read_divisions(REAL.encode())
    out, now = tmp_path / "out", datetime.now(UTC)
    Provision(roster, out, default_network(roster), now).run()
    away = out / "authority" / "hubs" / f"{COUNTY}.json"
    kept = away.read_bytes()
    away.unlink()
    with pytest.raises(ProvisionError, match="请从保管处取回"):
        Provision(roster, out, default_network(roster), now).run()
    assert not away.exists()
    away.write_bytes(kept)
    trusted = (out / "sites" / COUNTY / "hub" / "trust.json").read_bytes()
    Provision(roster, out, default_network(roster), now).run()
    assert (out / "sites" / COUNTY / "hub" / "trust.json").read_bytes() == trusted
    # lost for good: everybody at that hub is enrolled anew
    away.unlink()
    (out / "sites" / COUNTY / "hub" / "trust.json").unlink()
    for site in ((COUNTY, "hub"), (TOWN, "hub"), (VILLAGE, "hub")):
        (out / "sites" / site[0] / f"{site[1]}.creds").unlink()
    Provision(roster, out, default_network(roster), now).run()
    assert (out / "sites" / COUNTY / "hub" / "trust.json").read_bytes() != trusted


def test_a_certificate_that_ends_soon_is_renewed_for_the_same_keys(tmp_path: Path) -> None:
    roster = read_divisions(REAL.encode())
    out, now = tmp_path / "out", datetime.now(UTC)
    Provision(roster, out, default_network(roster), now).run()
    later = now + timedelta(days=365 * 4 + 30)
    summary = Provision(roster, out, default_network(roster), later).run()
    assert set(summary.renewed.values()) == {"即将到期"}
    assert len(summary.renewed) == len(roster)
    assert not Provision(roster, out, default_network(roster), later).run().renewed
    ring = read_identity(load(out / "sites" / VILLAGE)).ring
    own = ring.current(VILLAGE)
    assert own
    assert own.not_after > later + timedelta(days=365 * 4)
    # whoever trusts the first generation only, trusts the last as well
    stranger = KeyRing(ring.root.line)
    for code in (CITY, COUNTY, TOWN, VILLAGE):
        for line in certificates(out, code):
            stranger.admit(line)


def test_documents_of_a_renewed_city_open_for_who_knows_the_old_one(
    tmp_path: Path, database_url: str
) -> None:
    roster = read_divisions(REAL.encode())
    out, now = tmp_path / "out", datetime.now(UTC)
    Provision(roster, out, default_network(roster), now - timedelta(days=365 * 4 + 30)).run()
    site = tmp_path / "carried"
    shutil.copytree(out / "sites" / VILLAGE, site)
    Provision(roster, out, default_network(roster), now).run()
    shutil.copy(out / "sites" / VILLAGE / "directory.ndjson", site)
    config = load(site)
    node = open_node(
        replace(config, database=database_url), MemoryBus(MemoryHub(lambda: now), config.place), EVERY_TIER
    )
    try:
        city = node.know.ring.current(CITY)
        assert city
        assert city.generation == 2
        assert node.know.certificate.generation == 2
    finally:
        node.db.close()


def test_keys_carried_away_are_never_made_again(tmp_path: Path) -> None:
    out = provisioned(REAL, tmp_path)
    shutil.rmtree(out / "sites" / VILLAGE)
    before = certificates(out, VILLAGE)
    found = run(REAL + LATER, out, tmp_path)
    assert "1 个站点的密钥不在这里" in found.output
    assert certificates(out, VILLAGE) == before
    assert not (out / "sites" / VILLAGE / "keys.json").exists()
    assert not (out / "sites" / VILLAGE / "hub.creds").exists()

    shutil.move(out / "sites" / TOWN / "keys.json", tmp_path / "elsewhere")
    found = run(REAL + LATER + f"640221100202,再新村,village,{TOWN}\n", out, tmp_path)
    assert "放回" in str(found.exception)


def test_the_root_key_may_be_away_until_the_city_needs_it(tmp_path: Path) -> None:
    out = provisioned(REAL, tmp_path)
    shutil.move(out / "authority/root-keys.json", tmp_path / "safe")
    found = run(REAL + LATER, out, tmp_path)
    assert found.exit_code == 0, found.output
    assert len(certificates(out, CITY)) == 1
    assert not (out / "authority/root-keys.json").exists()

    roster, later = read_divisions(REAL.encode()), datetime.now(UTC) + timedelta(days=365 * 4 + 30)
    with pytest.raises(ConfigError, match="根密钥"):
        Provision(roster, out, default_network(roster), later).run()
    shutil.move(tmp_path / "safe", out / "authority/root-keys.json")
    assert CITY in Provision(roster, out, default_network(roster), later).run().renewed


def test_keys_that_do_not_belong_are_refused(tmp_path: Path) -> None:
    out = provisioned(REAL, tmp_path)
    shutil.copy(out / "sites" / COUNTY / "keys.json", out / "sites" / VILLAGE / "keys.json")
    assert "不配" in str(run(REAL, out, tmp_path).exception)
    with pytest.raises(ConfigError, match="不配"):
        read_identity(load(out / "sites" / VILLAGE))


def test_the_operators_network_file_is_his(tmp_path: Path) -> None:
    out = provisioned(WITHOUT_COUNTIES, tmp_path)
    path = out / "network.toml"
    mine = "# 2026 年机房搬迁\n" + path.read_text().replace("hub-442000000000:4222", "10.0.0.5:4222")
    path.write_text(mine)
    run(WITHOUT_COUNTIES, out, tmp_path)
    assert path.read_text() == mine
    assert 'urls = ["nats://10.0.0.5:4222"]' in (out / "sites/442000001001/node.toml").read_text()


def test_routes_get_the_authority_that_the_operator_gives(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "tls").mkdir(parents=True)
    (out / "tls/ca.pem").write_bytes(b"the office's own authority")
    members = [f"nats-{at}.example" for at in (1, 2, 3)]
    lines = {
        "embedded": False, "urls": [f"tls://{one}:4222" for one in members], "members": [f"{one}:6222" for one in members],
        "tls": "given", "tls_ca": "tls/ca.pem", "tls_cert": "/etc/ssl/nats.crt", "tls_key": "/etc/ssl/nats.key",
    }  # fmt: skip
    told = "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())
    (out / "network.toml").write_text(f"[hubs.{CITY}]\n{told}")
    provisioned(REAL, tmp_path)
    hub = out / "sites" / CITY / "hub"
    routes = (hub / f"hub-{CITY}-1.conf").read_text().partition("cluster {")[2]
    assert '"/etc/liandong/nats/ca.pem"' in routes
    assert (hub / "ca.pem").read_bytes() == b"the office's own authority"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("portt = 4222", "不认识的 portt"),
        ('port = "4222"', "port 应为整数"),
        ('members = ["a:6222", "b:6222"]', "应有 3 个成员"),
        ('tls = "yes"', "tls 应为"),
        ("urls = [", "读不懂"),
    ],
)
def test_a_wrong_network_file_is_refused_in_plain_words(tmp_path: Path, line: str, reason: str) -> None:
    out = provisioned(WITHOUT_COUNTIES, tmp_path)
    before = files(out / "sites")
    key = line.partition(" ")[0]
    text = (out / "network.toml").read_text()
    kept = [one for one in text.splitlines() if not one.startswith(f"{key} ")]
    (out / "network.toml").write_text("\n".join([*kept, line]) + "\n")
    found = run(WITHOUT_COUNTIES, out, tmp_path)
    assert isinstance(found.exception, ConfigError)
    assert reason in str(found.exception)
    assert files(out / "sites") == before


def test_parameters_of_handling_reach_every_node(tmp_path: Path) -> None:
    out = provisioned(WITHOUT_COUNTIES, tmp_path)
    path = out / "network.toml"
    given = path.read_text()
    path.write_text(given + "\n[handling]\ncorrection_silence_days = 45\n")
    assert run(WITHOUT_COUNTIES, out, tmp_path).exit_code == 0
    found = {load(site).rules for site in (out / "sites").iterdir()}
    assert len(found) == 1
    assert found.pop() == read_rules({"correction_silence_days": 45})
    path.write_text(given + "\n[handling]\ncorrection_silence = 45\n")
    assert "correction_silence" in str(run(WITHOUT_COUNTIES, out, tmp_path).exception)


def test_what_a_machine_decides_for_itself_survives(tmp_path: Path) -> None:
    out = provisioned(REAL, tmp_path)
    site = out / "sites" / VILLAGE
    (site / "local.toml").write_text('database = "sqlite:////srv/node.db"\n[web]\nport = 9001\n')
    run(REAL + LATER, out, tmp_path)
    config = load(site)
    assert (config.port, config.host) == (9001, "127.0.0.1")
    assert config.database == "sqlite:////srv/node.db"
    (site / "local.toml").write_text(f'place = "{TOWN}"\n')
    with pytest.raises(ConfigError, match="不能改"):
        load(site)


def test_every_place_document_names_its_place(tmp_path: Path) -> None:
    out = provisioned(REAL, tmp_path)
    lines = (out / "sites" / CITY / "directory.ndjson").read_bytes().splitlines()
    events = [read_event(line) for line in lines if b'"kind":"roster.place"' in line]
    codes = {json.loads(event.body["doc"])["code"] for event in events}
    assert codes == {place.code for place in read_divisions(REAL.encode())}
    assert Code(VILLAGE) in codes
