"""签发: the chain of certificates of a city, and the documents that make its roster.

One rule: powers shrink on the way down. The root key signs the city's own certificate and is then locked away; each
place is certified by its parent in the roster, for its own subtree and no more. Pure: callers keep the keys.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from protocol.certificates import Certificate, issue
from protocol.keys import Keys
from protocol.messages import MAY
from protocol.places import Code, Tier
from protocol.roster import Roster

ROOT_YEARS = 20
NODE_YEARS = 5
WITNESSES = 3
"""How many earlier certificates sign a new one: a line carries at most four signatures (P-2)."""


def years_after(moment: datetime, years: int) -> datetime:
    """The same day some years on; 28 February for a leap day."""
    day = min(moment.day, 28) if moment.month == 2 else moment.day
    return moment.replace(year=moment.year + years, day=day)


def root(keys: Keys, roster: Roster, now: datetime) -> Certificate:
    """The city's self-signed root: trusted because it is carried to each site by hand. It may grant every power (P-6)."""
    return issue(
        issuer=None,
        issuer_keys=keys,
        keys=keys,
        place=roster.city.code,
        name=f"{roster.city.name}信任根",
        tier=Tier.CITY,
        scope=roster.prefixes(roster.city.code),
        may=(),
        grant=(),
        not_before=now,
        not_after=years_after(now, ROOT_YEARS),
    )


def certify(
    roster: Roster,
    place: Code,
    keys: Keys,
    issuer: Certificate,
    issuer_keys: Keys,
    now: datetime,
    earlier: Sequence[Certificate] = (),
) -> Certificate:
    """The certificate of one place, signed by its parent's key (the city's by the root).

    `earlier`: its certificates until now, oldest first, all for the same keys. The new one is the next generation
    and is signed under the last three of them too, so that whoever trusts one of these trusts it.
    """
    found = roster[place]
    return issue(
        issuer=issuer,
        issuer_keys=issuer_keys,
        keys=keys,
        place=place,
        name=found.name,
        tier=found.tier,
        scope=roster.prefixes(place),
        may=MAY[found.tier],
        grant=grantable(found.tier),
        not_before=max(now, issuer.not_before),
        not_after=min(years_after(now, NODE_YEARS), issuer.not_after),
        generation=earlier[-1].generation + 1 if earlier else 1,
        also=[(one, keys) for one in earlier[-WITNESSES:]],
    )


def grantable(tier: Tier) -> frozenset[str]:
    """The powers a place of this tier may hand to those below it."""
    return frozenset().union(*(MAY[below] for below in Tier if below > tier))


def certify_all(
    roster: Roster, keys: Mapping[Code, Keys], anchor: Certificate, root_keys: Keys, now: datetime
) -> dict[Code, Certificate]:
    """A certificate for every place of the roster, parents before children."""
    found: dict[Code, Certificate] = {}
    for place in roster.subtree(roster.city.code):
        if place.parent is None:
            found[place.code] = certify(roster, place.code, keys[place.code], anchor, root_keys, now)
        else:
            parent = place.parent
            found[place.code] = certify(
                roster, place.code, keys[place.code], found[parent], keys[parent], now
            )
    return found


def place_document(roster: Roster, place: Code, certificates: list[Certificate]) -> bytes:
    """The roster's document about one place: who it is, under whom, whether a hub, and its certificates."""
    found = roster[place]
    return orjson.dumps(
        {
            "code": found.code,
            "name": found.name,
            "tier": int(found.tier),
            "parent": found.parent,
            "hub": found.code in roster.hubs,
            "certificates": [one.line.decode() for one in certificates],
        },
        option=orjson.OPT_SORT_KEYS,
    )
