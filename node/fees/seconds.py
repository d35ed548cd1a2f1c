"""Reduced, reckoned and refunded bills as proposals: what the second person is told, and who can be the second."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from node.fees import actions
from node.proposals import Second
from node.work import Work
from protocol.fees import yuan


def _bill(_work: Work, content: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    full, amount = int(content["full"]), int(content["amount"])
    reckoning = "；".join(one["reckoning"] for one in content["lines"] if one["reckoning"])
    found = [("收费项目", str(content["name"])), ("标准应收", yuan(full))]
    if amount < full:
        found += [("减免后应缴", yuan(amount)), ("减免依据", str(content["clause"]))]
    if reckoning:
        found.append(("核定依据", reckoning))
    return found


def _refund(_work: Work, content: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return (("缴款通知书", str(content["bill"])), ("理由", str(content["why"])))


SECONDS: Mapping[str, Second] = MappingProxyType(
    {
        "fee.bill": Second("减免（核定）收费", actions.approve_bill, _bill, actions.admits),
        "fee.refund": Second("退费（作废通知书）", actions.approve_refund, _refund, actions.admits),
    }
)
