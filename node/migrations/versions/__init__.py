"""One file a migration, numbered in the order they were made."""
