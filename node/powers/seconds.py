"""Authorisations and the custody of seals as proposals: what the second person is told, and who can be the second."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from node.accounts.views import names
from node.pages.words import day
from node.powers import actions, seals, views
from node.proposals import Second
from node.work import Work
from protocol.powers import EVERY_ITEM


def _day(text: str) -> str:
    return day(date.fromisoformat(text))


def _authorisation(work: Work, content: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    known = names(work.session)
    place = work.know.roster.get(content["place"])
    catalogue = work.know.catalogue
    items = [catalogue[one].name if catalogue and one in catalogue else one for one in content["items"]]
    found = [
        ("被授权人", known.get(content["person"], content["person"])),
        ("事项", "全部事项" if EVERY_ITEM in content["items"] else "、".join(items)),
        ("权限", f"{'、'.join(content['powers'])}（{content['rank']}）"),
        ("期间", f"{_day(content['since'])} 至 {_day(content['until'])}"),
    ]
    if place is not None and place.code != work.me:
        found.insert(1, ("单位", place.name))
    if content["substitutes"]:
        found.insert(0, ("临时代理", f"代 {known.get(content['substitutes'], content['substitutes'])}"))
    elif content["why"]:
        found.append(("事由", str(content["why"])))
    return found


def _custody(work: Work, content: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    known = names(work.session)
    seal = next((one.name for one in views.seals(work.session) if one.id == content["seal"]), "")
    found = [
        ("印章", f"{seal}（{content['seal']}）"),
        ("移交人", known.get(content["giver"], content["giver"])),
        ("接管人", known.get(content["taker"], content["taker"])),
    ]
    return [*found, ("事由", str(content["why"]))] if content["why"] else found


SECONDS: Mapping[str, Second] = MappingProxyType(
    {
        actions.KIND: Second("授权", actions.approve, _authorisation, actions.admits),
        seals.CUSTODY: Second("印章交接", seals.take_over, _custody, seals.admits),
    }
)
