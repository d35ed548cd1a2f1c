"""Accounts (账户): who the officers are, how they prove it, and what their roles let them do.

One rule: an account belongs to one person and is never shared or deleted, only disabled (停用), so that
every signature on paper still leads to its hand.
"""
