"""The migrations of the node's tables, and the one alembic environment of all packages."""
