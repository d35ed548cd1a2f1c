"""Posts as a capability of every tier."""

from node.capability import Capability, NavEntry
from node.pages import links
from node.posts.pages import router

_WHO = frozenset(("agent", "clerk", "reviewer", "chief_representative", "centre_head", "administrator"))

POSTS = Capability(
    name="posts", routers=(router,), nav=(NavEntry("在岗", links.POSTS, "user", roles=_WHO, order=66),)
)
