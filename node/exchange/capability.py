"""The exchange as seen from outside: line, quarantine, mail by other roads."""

from node import ferry
from node.capability import Capability
from node.exchange.routes import router

EXCHANGE = Capability(name="exchange", routers=(router,), takes={"/api/parcels": 2 * ferry.LARGEST})
