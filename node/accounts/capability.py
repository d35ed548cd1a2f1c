"""Accounts as a capability of every tier."""

from node.accounts.routes import router
from node.capability import Capability

ACCOUNTS = Capability(name="accounts", routers=(router,))
