"""`python -m node`: the same as `liandong`."""

from node.cli import main

main()
