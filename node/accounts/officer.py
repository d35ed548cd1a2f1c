"""The officer (经办人): who acts, as actions see him."""

from dataclasses import dataclass

from node.accounts.roles import Role
from protocol.places import Code


@dataclass(frozen=True, slots=True)
class Officer:
    """A person logged in at this node; `staff_no` (工号) is what documents and signed steps show."""

    id: int
    login: str
    name: str
    staff_no: str
    roles: frozenset[Role]
    place: Code
    department: str = ""
    """Code of the department (部门) he speaks for in joint handling; "" for none."""
