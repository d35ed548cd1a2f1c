"""隔离区: bytes that cannot be believed are kept with the rule they broke, and whoever the transport named is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import insert, update

from node.db import table_of
from node.exchange.model import QuarantineRow
from node.work import Work

KEEP_RAW = 64 * 1024
"""How much of an unbelievable message is kept."""


@dataclass(slots=True)
class Unbelievable:
    """Bytes that are not genuine, with whom the transport named."""

    raw: bytes
    source: str
    subject: str
    rule: str
    reason: str
    answered: bool = True
    """Whether its source is told. A receipt is never answered, else two strangers would argue for ever."""


def set_aside(work: Work, found: Sequence[Unbelievable]) -> None:
    """Keep what cannot be believed, once, with how often and when it came."""
    quarantine = table_of(QuarantineRow)
    for one in found:
        name = sha256(one.raw).hexdigest()
        again = work.session.connection().execute(
            update(quarantine)
            .where(quarantine.c.sha == name)
            .values(times=quarantine.c.times + 1, last_at=work.now, told=not one.answered)
        )
        if not again.rowcount:
            work.session.execute(
                insert(quarantine).values(
                    sha=name,
                    source=one.source,
                    subject=one.subject[:200],
                    rule=one.rule,
                    reason=one.reason[:500],
                    raw=one.raw[:KEEP_RAW],
                    times=1,
                    first_at=work.now,
                    last_at=work.now,
                    told=not one.answered,
                )
            )
