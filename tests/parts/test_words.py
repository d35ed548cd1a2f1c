"""What screens say of events and of what was set aside: every kind has a word, every family of rules its advice."""

import ast

from hub.capabilities import capabilities
from node.capabilities import EVERY_TIER
from node.desk.journal import ACTS
from node.desk.quarantine import todo
from protocol.lifecycle import VERBS
from protocol.messages import SUBMISSIONS
from tests.parts.test_navigation import hub_config
from tests.test_house import parts


def test_every_kind_that_is_heard_has_a_chinese_word() -> None:
    heard = {kind for one in (*EVERY_TIER, *capabilities(hub_config())) for kind in one.handlers}
    assert {"fee.bill", "agency.money", "joint.opinion", "authorisation.update", *SUBMISSIONS} <= heard
    assert {kind for kind in heard if not VERBS.get(kind, "")} == set()


def test_every_family_of_rules_has_its_own_advice() -> None:
    advice = {family: todo(f"{family}-1") for family in "PLRBFGN"}
    assert len(set(advice.values())) == len(advice)
    assert todo("X-1") not in advice.values()


def recorded() -> set[str]:
    """The acts that our code writes into the audit log under a name of its own."""
    found = set()
    for _, part in parts():
        if isinstance(part, ast.Call) and ast.unparse(part.func).endswith("audit.record"):
            found |= {one.value for one in part.args[2:3] if isinstance(one, ast.Constant)}
    return {str(one) for one in found}


def test_every_act_in_the_audit_log_has_a_chinese_word() -> None:
    assert {"seal.register", "user_created", "post.leave"} <= recorded()
    assert recorded() - ACTS.keys() == set()
