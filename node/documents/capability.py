"""Documents as a capability of every tier."""

from node.capability import Capability
from node.documents import pdf
from node.documents.pages import router

DOCUMENTS = Capability(name="documents", routers=(router,), dress=lambda: pdf.dress)
