"""The catalogue replica as a capability of every tier."""

from node.capability import Capability
from node.catalogue import loop
from node.catalogue.routes import router

CATALOGUE = Capability(name="catalogue", loops=(loop.run,), routers=(router,))
