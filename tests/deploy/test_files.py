"""compose.yaml, the units and their examples: every path, command, option and port in them exists in the product."""

import configparser
import csv
import inspect
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml

from hub.network import HubAddress
from node.cli import assembled
from node.config import load
from node.documents import pdf
from tests.deploy.sites import provisioned

TOP = Path(__file__).parents[2]
DEPLOY = TOP / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


class Unit(configparser.RawConfigParser):
    """A systemd unit: keys keep their case and may stand more than once."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#", ";"))
        self.optionxform = str  # type: ignore[assignment,method-assign]
        self.read_string(path.read_text(encoding="utf-8"))
        self.text = path.read_text(encoding="utf-8")


def options(command: click.Command) -> set[str]:
    return {text for parameter in command.params for text in parameter.opts}


def check_command(words: list[str]) -> None:
    """A command line of ours names commands and options that exist; of nats-server, those it has."""
    program, *rest = words
    if Path(program).name == "nats-server":
        assert set(rest[:-1]) <= {"-t", "-c"}
        return
    assert Path(program).name == "liandong"
    command: click.Command = assembled()
    for word in rest:
        if word.startswith("-"):
            assert word.split("=")[0] in options(command), words
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            assert found is not None, words
            command = found


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_what_is_installed(path: Path) -> None:
    unit = Unit(path)
    for name in ("ExecStartPre", "ExecStart"):
        for line in re.findall(rf"^{name}=(.+)$", unit.text, re.MULTILINE):
            program = Path(line.split()[0])
            assert program.is_relative_to("/opt/liandong")
            assert (TOP / program.relative_to("/opt/liandong")).exists() or not (TOP / ".venv").exists()
            check_command(line.split())
    for document in re.findall(r"file:///opt/liandong/(\S+)", unit.text):
        assert (TOP / document).exists()
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert int(unit["Service"]["LimitNOFILE"]) >= 65536
    example = DEPLOY / "env" / f"{Path(unit['Service']['EnvironmentFile'].lstrip('-')).name}.example"
    assert example.exists()


def test_the_server_unit_and_the_configuration_agree() -> None:
    unit = Unit(DEPLOY / "systemd/nats-hub@.service")
    defaults = HubAddress(urls=())
    assert f"-c {defaults.etc}/%i.conf" in unit["Service"]["ExecStart"]
    assert f"-t -c {defaults.etc}/%i.conf" in unit["Service"]["ExecStartPre"]
    assert f"/var/lib/{unit['Service']['StateDirectory']}" == f"{defaults.store}/%i"
    assert unit["Service"]["KillSignal"] == "SIGUSR2"
    assert int(unit["Service"]["TimeoutStopSec"]) == 90


def test_the_node_unit_writes_only_its_site() -> None:
    unit = Unit(DEPLOY / "systemd/liandong@.service")
    site = unit["Service"]["ReadWritePaths"]
    assert unit["Service"]["ExecStart"].endswith(f" serve {site}")
    assert unit["Service"]["ProtectSystem"] == "strict"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_understands_every_line(path: Path, tmp_path: Path) -> None:
    text = re.sub(
        r"^(Exec\w+=)\S*/(liandong|nats-server)", r"\1/bin/true", path.read_text(), flags=re.MULTILINE
    )
    text = text.replace("User=liandong", "User=root").replace("Group=liandong", "Group=root")
    copy = tmp_path / path.name.replace("@", "@640221101201")
    copy.write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE))
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in ran.stderr.splitlines() if copy.name in line]
    assert not complaints


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What deploy/README.md has an operator provision for compose."""
    folder = tmp_path_factory.mktemp("compose")
    return provisioned(
        (DEPLOY / "compose/divisions.csv").read_text(encoding="utf-8"),
        folder / "out",
        (DEPLOY / "compose/network.toml").read_text(encoding="utf-8"),
    )


def mounts(service: dict[str, Any], out: Path) -> dict[str, Path]:
    """Where in the container which folder of the output is."""
    found = {}
    for text in service["volumes"]:
        source, target = re.fullmatch(r"\$\{LIANDONG_OUT:-[^}]+\}(/[^:]+):([^:]+)(?::ro)?", text).groups()  # type: ignore[union-attr]
        found[target] = out / source.lstrip("/")
    return found


def test_compose_runs_the_whole_of_its_city(out: Path) -> None:
    sites = {path.name for path in (out / "sites").iterdir()}
    services = compose()["services"]
    nodes = {name: one for name, one in services.items() if one["command"][0] == "liandong"}
    mounted = {mounts(one, out)["/site"].name for one in nodes.values()}
    assert mounted == sites
    assert len(sites) == 7
    assert len(services) - len(nodes) == 3
    for one in services.values():
        check_command(one["command"])


def test_compose_servers_find_their_configuration_keys_and_store(out: Path) -> None:
    for name, service in compose()["services"].items():
        if service["command"][0] != "nats-server":
            continue
        folders = mounts(service, out)
        conf = Path(service["command"][-1])
        text = (folders[str(conf.parent)] / conf.name).read_text()
        for path in re.findall(r'(?:cert_file|key_file|ca_file): "([^"]+)"', text):
            assert (folders[str(Path(path).parent)] / Path(path).name).exists()
        (store,) = re.findall(r'store_dir: "([^"]+)"', text)
        assert any(Path(store).is_relative_to(target) for target in folders)
        assert f'server_name: "{conf.stem}"' in text
        assert service["stop_signal"] == "SIGUSR2"
        (monitor,) = re.findall(r'^http: "127.0.0.1:(\d+)"', text, re.MULTILINE)
        assert f"127.0.0.1:{monitor}/healthz" in service["healthcheck"]["test"][-1]
        assert f"nats://{name}:6222" in re.sub(r"route:[0-9a-f]+@", "", text)


def test_compose_names_are_where_nodes_look(out: Path) -> None:
    services = compose()["services"]
    for site in (out / "sites").iterdir():
        config = load(site)
        upper = config.hub.upper if config.hub else None
        for bus in (config.bus, upper):
            for url in bus.urls if bus else ():
                assert urlsplit(url).hostname in services
                assert urlsplit(url).scheme == "tls"
                assert bus
                assert bus.tls_ca
                assert bus.tls_ca.exists()
        service = next(one for one in services.values() if mounts(one, out).get("/site") == site)
        (published,) = service["ports"]
        assert published.endswith(f":{config.port}")
        assert config.host == "0.0.0.0"
        assert f":{config.port}/api/node" in service["healthcheck"]["test"][-1]


def test_every_variable_of_compose_is_in_the_example() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"\$\{(\w+)", text))
    given = dict(
        line.split("=", 1)
        for line in (DEPLOY / "compose/example.env").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    assert named == set(given)
    for name, default in re.findall(r"\$\{(\w+):-([^}]*)\}", text):
        assert given[name] == default


def test_the_image_holds_what_it_runs() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (TOP / source).exists(), source
    packages = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"][
        "include"
    ]
    assert {one.rstrip("*") for one in packages} <= set(re.findall(r"^COPY (\w+) \w+$", text, re.MULTILINE))
    (extras,) = re.findall(r"--editable '\.\[([a-z,]+)\]'", text)
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    assert set(extras.split(",")) == {"pdf", "postgres"} <= set(project["optional-dependencies"])
    wanted = re.search(r"apt-get install ([\w. -]+?)）", inspect.getsource(pdf.lacking))
    assert wanted is not None
    last = text.rpartition("FROM ")[2]
    assert set(wanted[1].split()) <= set(last.split()), "what a page asks for is in the image that runs"
    (command,) = re.findall(r"^CMD (\[.+\])$", text, re.MULTILINE)
    check_command(yaml.safe_load(command))


def test_the_compose_city_is_part_of_the_real_one() -> None:
    real = (TOP / "data/divisions-640200-shizuishan.csv").read_text(encoding="utf-8").splitlines()
    small = (DEPLOY / "compose/divisions.csv").read_text(encoding="utf-8").splitlines()
    assert set(small) <= set(real)
    levels = [row["level"] for row in csv.DictReader(small)]
    assert [levels.count(one) for one in ("city", "county", "township", "village")] == [1, 1, 2, 3]
