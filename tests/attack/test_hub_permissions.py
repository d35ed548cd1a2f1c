"""What the server itself refuses, whoever asks: the first fence, before any signature is looked at."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.operator import HubKeys, node_user, user_of
from node.bus import Mail
from node.bus.line import Credentials
from node.bus.nats import NatsBus
from node.bus.nkeys import Kind, new_seed, public_key
from protocol.subjects import CAT, MAIL, Lane, catalogue, consumer, directory, inbox, mail
from tests.hubs import (
    CITY,
    COUNTY,
    COUNTY_2,
    QUICK,
    SIBLING,
    TOWN,
    VILLAGE,
    VILLAGE_2,
    RealHub,
    offline,
    real_hub,
)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RealHub]:
    async with real_hub(tmp_path) as hub:
        yield hub


def letter(dst: str, src: str, number: int = 0) -> Mail:
    return Mail(mail(Lane.CASE, dst, src), b"x", f"{src}-{dst}-{number}")


async def is_refused(bus: NatsBus, subject: str) -> bool:
    """Whether the server forbids a request on `subject` outright (and did not merely leave it unanswered)."""
    bus.line.trouble = None
    answer = await bus.line.ask(subject, b"{}", 2)
    trouble = bus.line.trouble or ""
    return answer is None and "permissions violation" in trouble and subject.lower() in trouble


async def may_listen(bus: NatsBus, subject: str) -> bool:
    """Whether the server lets this client subscribe to `subject`."""
    bus.line.trouble = None
    client = bus.line._client
    assert client is not None
    subscription = await client.subscribe(subject)
    await client.flush()  # the ping of the first may overtake the subscription
    await client.flush()
    await subscription.unsubscribe()
    return bus.line.trouble is None


async def test_an_enrolled_village_can_work(hub: RealHub) -> None:
    village, town = await hub.node(VILLAGE), await hub.node(TOWN)
    assert await village.publish([letter(TOWN, VILLAGE), letter(CITY, VILLAGE)]) == [True, True]
    got = await town.fetch(MAIL, 10, 1)
    assert len(got) == 1
    await town.ack(got)
    assert await town.backlog(MAIL) == 0
    assert await hub.own.publish([Mail(directory(TOWN), b"d", "d")]) == [True]
    assert len(await village.fetch(CAT, 10, 1)) == 1
    assert village.trouble is None


async def test_nobody_writes_in_anothers_name(hub: RealHub) -> None:
    village = await hub.node(VILLAGE)
    sources = [SIBLING, TOWN, COUNTY, CITY, VILLAGE_2]
    assert await village.publish([letter(TOWN, src) for src in sources]) == [False] * len(sources)
    assert "permissions violation" in (village.trouble or "")


def forbidden() -> list[str]:
    """What a village might try."""
    return [
        catalogue(CITY, "item-1"),
        catalogue(VILLAGE, "item-1"),
        directory(VILLAGE),
        "mail.case.64.02.21.101.000",
        f"{inbox(SIBLING)}.guess.1",
        "$SYS.REQ.CLAIMS.UPDATE",
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.LIST",
        "$JS.API.STREAM.CREATE.MINE",
        *(
            f"$JS.API.{operation}.{stream}"
            for stream in (MAIL, CAT)
            for operation in (
                "STREAM.INFO",
                "STREAM.PURGE",
                "STREAM.DELETE",
                "STREAM.UPDATE",
                "STREAM.MSG.GET",
                "STREAM.MSG.DELETE",
                "STREAM.SNAPSHOT",
                "DIRECT.GET",
                "CONSUMER.LIST",
                "CONSUMER.NAMES",
                "CONSUMER.CREATE",
            )
        ),
        *(
            f"$JS.API.CONSUMER.{operation}.{stream}.{consumer(whose)}"
            for stream in (MAIL, CAT)
            for whose, operations in {
                VILLAGE: ("CREATE", "DURABLE.CREATE", "DELETE", "PAUSE", "LEADER.STEPDOWN"),
                SIBLING: ("MSG.NEXT", "INFO", "RESET", "DELETE", "CREATE"),
            }.items()
            for operation in operations
        ),
        f"$JS.ACK.MAIL.{consumer(SIBLING)}.1.1.1.1.0",
        f"$JS.ACK._.x.MAIL.{consumer(SIBLING)}.1.1.1.1.0",
        "$JS.API.CONSUMER.MSG.NEXT.MAIL.up",
    ]


async def test_a_village_administers_nothing_and_reads_nobody_else(hub: RealHub) -> None:
    village = await hub.node(VILLAGE)
    assert [subject for subject in forbidden() if not await is_refused(village, subject)] == []


async def test_a_village_may_listen_only_to_its_own_inbox(hub: RealHub) -> None:
    village = await hub.node(VILLAGE)
    assert await may_listen(village, f"{inbox(VILLAGE)}.anything.>")
    for subject in (
        ">",
        "*.>",
        "mail.>",
        mail(Lane.CASE, VILLAGE, TOWN),
        "cat.>",
        "dir.>",
        "_INBOX.>",
        f"{inbox(SIBLING)}.>",
        f"{inbox(COUNTY)}.>",
        "$JS.>",
        "$SYS.>",
    ):
        assert not await may_listen(village, subject), subject


async def test_a_lower_hub_writes_only_for_its_own_subtree(tmp_path: Path) -> None:
    async with real_hub(tmp_path, CITY) as city:
        county = await city.lower_hub(COUNTY)
        assert await county.publish(
            [letter(CITY, VILLAGE), letter(COUNTY_2, COUNTY), letter(CITY, VILLAGE_2), letter(COUNTY, CITY)]
        ) == [True, True, False, False]
        assert await is_refused(county, f"$JS.API.CONSUMER.MSG.NEXT.MAIL.{consumer(COUNTY_2)}")
        assert await is_refused(county, f"$JS.API.CONSUMER.MSG.NEXT.MAIL.{consumer(CITY)}")
        assert await is_refused(county, "$JS.API.STREAM.PURGE.MAIL")
        assert await is_refused(county, catalogue(COUNTY, "item-1"))
        assert not await may_listen(county, f"{inbox(COUNTY_2)}.>")
        city_own = await city.hub_node()
        assert await city_own.publish([letter(VILLAGE, CITY), letter(COUNTY, CITY), letter(COUNTY_2, CITY)])
        got = await county.fetch(MAIL, 10, 1)
        assert {delivery.subject for delivery in got} == {
            letter(VILLAGE, CITY).subject,
            letter(COUNTY, CITY).subject,
        }


async def test_a_revoked_village_is_dropped_and_stays_out_through_a_restart(hub: RealHub) -> None:
    village, town = await hub.node(VILLAGE), await hub.node(TOWN)
    credentials = village.line._credentials
    assert credentials is not None
    assert await hub.push_revoked(user_of(credentials.jwt))
    await offline(village)
    await hub.server.stop()
    await offline(town)
    await hub.server.start()  # its configuration still carries the account from before the revocation
    await asyncio.wait_for(_connected(town), 10)
    await _turned_away(village)
    assert not village.connected
    fresh = hub.credentials(VILLAGE, lambda user: node_user(hub.keys, VILLAGE, user, hub.now))
    again = await hub.connect(VILLAGE, fresh)
    assert await again.publish([letter(TOWN, VILLAGE)]) == [True]


async def test_credentials_of_another_operator_are_worthless(hub: RealHub) -> None:
    strangers = HubKeys.generate()
    made = hub.credentials(VILLAGE, lambda user: node_user(strangers, VILLAGE, user, hub.now))
    await _never_gets_in(hub, made)


async def test_a_credential_without_its_key_is_worthless(hub: RealHub) -> None:
    made = hub.credentials(VILLAGE, lambda user: node_user(hub.keys, VILLAGE, user, hub.now))
    await _never_gets_in(hub, Credentials(made.jwt, new_seed(Kind.USER)))


async def test_no_credential_is_worthless(hub: RealHub) -> None:
    await _never_gets_in(hub, None)


async def test_an_altered_credential_is_worthless(hub: RealHub) -> None:
    made = hub.credentials(VILLAGE, lambda user: node_user(hub.keys, VILLAGE, user, hub.now))
    other = node_user(hub.keys, SIBLING, public_key(made.seed), hub.now)
    head, _, signature = made.jwt.split(".")
    mixed = ".".join([head, other.split(".")[1], signature])
    await _never_gets_in(hub, Credentials(mixed, made.seed))


async def test_a_role_key_makes_only_its_role(hub: RealHub) -> None:
    """A stolen key for plain nodes cannot make a hub: the template is the account's, not the client's."""
    from hub.operator import _mint

    claims = {
        "type": "user",
        "version": 2,
        "issuer_account": public_key(hub.keys.account),
        "pub": {"allow": [">"]},
        "sub": {"allow": [">"]},
        "subs": -1,
        "data": -1,
        "payload": -1,
    }
    made = hub.credentials(COUNTY, lambda user: _mint(hub.keys.node, user, consumer(COUNTY), claims, hub.now))
    await _never_gets_in(hub, made)


async def _connected(bus: NatsBus) -> None:
    while not bus.connected:
        await bus.changed.wait()


async def _turned_away(bus: NatsBus) -> None:
    """Wait until the server has said no to this client."""
    async with asyncio.timeout(10):
        while "凭证" not in (bus.trouble or ""):
            await asyncio.sleep(0.02)


async def _never_gets_in(hub: RealHub, made: Credentials | None) -> None:
    bus = NatsBus(VILLAGE, [hub.server.url], made, pace=QUICK)
    hub.buses.append(bus)
    await bus.connect()
    await _turned_away(bus)
    assert not bus.connected
    assert await bus.publish([letter(TOWN, VILLAGE)]) == [False]
