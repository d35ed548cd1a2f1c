"""The desks (办事台): the pages of a node at their addresses. They look through views, act through actions, and draw
with `node.pages`; nothing is decided here.
"""
