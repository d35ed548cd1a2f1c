"""Machines of a provisioned city: sites carried out of the output folder, each run by a process of its own."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner

from node.cli import assembled
from node.config import ConfigError
from node.errors import NodeError
from tests.deploy.sites import COMMAND, Program, node, until

PASSWORD = "Ping-Luo-2026"
FIRST = "Erst-Mals-2026"
LOCAL = """[web]
port = {port}
[pace]
outbox_poll_s = 0.5
receipt_s = 0.2
resend_first_s = 2.0
housekeeping_s = 1.0
"""
RESIDENT = {
    "name": "王小明",
    "phone": "13895021234",
    "agent": True,
    "entrusted": True,
    "entrust_scope": ["交件", "领件"],
    "entrust_until": "2035-12-31",
}


def liandong(*words: str | Path, typed: str = "", fails: bool = False) -> str:
    """What a command prints, run in this process (a new one takes a second to import); it must succeed, or fail."""
    with ThreadPoolExecutor(1) as apart:  # commands have an event loop of their own
        ran = apart.submit(CliRunner().invoke, assembled(), list(map(str, words)), input=typed).result(60)
    told = ran.output
    if isinstance(ran.exception, ConfigError | NodeError):
        told += str(ran.exception)
    elif ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    assert (ran.exit_code != 0) == fails, told
    return told


def program(*words: str | Path, typed: str = "", fails: bool = False) -> str:
    """The same in a process of its own, as an operator types it."""
    ran = subprocess.run(
        [COMMAND, *words], input=typed, capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode != 0) == fails, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.stdout + ran.stderr


@dataclass
class Desk:
    """Somebody logged in at a node, over HTTP."""

    client: httpx.AsyncClient
    csrf: str

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = await self.client.post(path, json=body, headers={"X-CSRF-Token": self.csrf})
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def get(self, path: str, *, status: int = 200) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()


@dataclass
class Machine:
    """One site on its machine: carried there, run, killed, run again."""

    code: str
    site: Path
    port: int
    program: Program | None = None
    desks: list[httpx.AsyncClient] = field(default_factory=list)

    @classmethod
    def carry(cls, out: Path, code: str, floor: Path, port: int, database: str) -> "Machine":
        """Copy the site folder from the output folder, as a USB stick would; `database` goes into local.toml."""
        site = floor / code
        shutil.copytree(out / "sites" / code, site)
        (site / "local.toml").write_text(database + LOCAL.format(port=port))
        return cls(code, site, port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.program = node(self.site)

    def kill(self) -> None:
        assert self.program
        self.program.kill()

    async def up(self) -> None:
        """Until its pages answer."""
        await until(self.answers, f"{self.code} answers")

    async def answers(self) -> bool:
        return bool(await self.about())

    async def about(self) -> dict[str, Any]:
        """What the node says of itself to everybody; nothing while it is down."""
        assert self.program
        assert self.program.ended is None, self.program.log.read_text()[-3000:]
        if not self.desks:
            self.desks.append(self._client())
        try:
            return dict((await self.desks[0].get("/api/node")).json())
        except httpx.TransportError:
            return {}

    def _client(self) -> httpx.AsyncClient:
        """A client of its own cookies; without TLS, whose set-up costs more than all the rest."""
        return httpx.AsyncClient(
            base_url=self.url, headers={"Origin": self.url}, timeout=20, verify=False, trust_env=False
        )

    async def edition(self) -> int:
        return int((await self.about()).get("edition", 0))

    def administrator(self) -> None:
        """The first administrator, made on the machine; the password comes by standard input."""
        words = ["--login", "keeper", "--name", "王芳", "--staff-no", f"S{self.code[4:9]}-09"]
        told = liandong("user", "add", "--site", self.site, *words, typed=PASSWORD + "\n")
        assert PASSWORD not in told

    async def login(self, login: str, password: str = PASSWORD) -> Desk:
        client = self._client()
        self.desks.append(client)
        answer = await client.post("/api/session", json={"login": login, "password": password})
        assert answer.status_code == 200, answer.text
        return Desk(client, answer.json()["csrf"])

    async def officers(self, **roles: list[str]) -> dict[str, Desk]:
        """Officers made by the administrator over HTTP, each with a password changed at the first login."""
        keeper = await self.login("keeper")
        found = {"keeper": keeper}
        for login, own in roles.items():
            form = {"login": login, "name": "张蕾", "staff_no": f"S-{login}", "roles": own}
            first = (await keeper.post("/api/users", form, status=201))["first_password"]
            desk = await self.login(login, first)
            assert (await desk.client.get("/api/cases")).status_code == 403  # first the password
            await desk.post("/api/session/password", {"old": first, "new": PASSWORD}, status=204)
            found[login] = desk
        return found

    async def close(self) -> None:
        for one in self.desks:
            await one.aclose()
        if self.program is not None and self.program.ended is None:
            self.program.kill()


def items_for(counties: set[str], source: Path, target: Path) -> Path:
    """The items file with the deeds of these counties only: the rest of the city is not in this roster."""
    body = json.loads(source.read_text(encoding="utf-8"))
    for item in body["items"]:
        item["devolved_counties_synthetic"] = [
            one for one in item["devolved_counties_synthetic"] if one in counties
        ]
    target.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
    return target


def required(source: Path, item: str) -> list[str]:
    """The materials an item cannot do without."""
    body = json.loads(source.read_text(encoding="utf-8"))
    (found,) = [one for one in body["items"] if one["id"] == item]
    return [one["name"] for one in found["materials"] if one["need"] == "必要"]


def id_no(number: int) -> str:
    """A resident's number that keeps the rules (GB 11643): another person each time."""
    digits = f"64022119700101{number:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(one) * by for one, by in zip(digits, weights, strict=True)) % 11]
