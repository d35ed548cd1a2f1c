"""What every tier can do. Hubs add to it through the entry-point group `liandong.capabilities`."""

from collections.abc import Sequence

from node.accounts.capability import ACCOUNTS
from node.agency.capability import AGENCY
from node.capability import Capability
from node.cases.capability import CASES
from node.catalogue.capability import CATALOGUE
from node.desk.capability import DESK
from node.documents.capability import DOCUMENTS
from node.exchange.capability import EXCHANGE
from node.fees.capability import FEES
from node.figures.capability import FIGURES
from node.joint.capability import JOINT
from node.materials.capability import MATERIALS
from node.posts.capability import POSTS
from node.powers.capability import POWERS

EVERY_TIER: Sequence[Capability] = (
    ACCOUNTS,
    CASES,
    CATALOGUE,
    EXCHANGE,
    FIGURES,
    MATERIALS,
    POWERS,
    DESK,
    DOCUMENTS,
    JOINT,
    FEES,
    AGENCY,
    POSTS,
)
