"""Roles (角色) of an officer and which of them exclude each other.

One rule: who runs the system, who checks it and who works with it are three people (GB/T 22239-2019,
separation of 系统管理, 审计管理 and business).
"""

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What an officer may be."""

    AGENT = "agent"
    CLERK = "clerk"
    REVIEWER = "reviewer"
    CHIEF_REPRESENTATIVE = "chief_representative"
    CENTRE_HEAD = "centre_head"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"

    @property
    def label(self) -> str:
        """The role's name on pages and documents."""
        return {
            "agent": "代办员",
            "clerk": "经办人",
            "reviewer": "审核人",
            "chief_representative": "首席代表",
            "centre_head": "中心主任",
            "administrator": "管理员",
            "auditor": "审计员",
        }[self.value]


ALONE = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Roles that go with no other."""


AT_WORK = frozenset(Role) - ALONE
"""Who works on cases, and so may see whom they are about."""


def write_roles(roles: Iterable[Role]) -> str:
    """Roles as stored: sorted, with commas; ValueError if they exclude each other or there are none."""
    chosen = sorted(set(roles))
    if not chosen:
        raise ValueError("至少要有一个角色")
    if len(chosen) > 1 and (alone := ALONE & set(chosen)):
        raise ValueError(f"{'、'.join(sorted(role.label for role in alone))}不得兼任其他角色")
    return ",".join(chosen)


def read_roles(text: str) -> frozenset[Role]:
    """Roles as stored, as a set."""
    return frozenset(Role(name) for name in text.split(",") if name)
