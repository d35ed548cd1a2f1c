"""The catalogue replica as a capability of every tier."""

from node.capability import Capability
from node.catalogue import loop

CATALOGUE = Capability(name="catalogue", loops=(loop.run,))
