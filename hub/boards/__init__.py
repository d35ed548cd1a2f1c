"""Boards (看板): what a hub sees of the nodes below it, in numbers only. No name of a resident reaches them."""
