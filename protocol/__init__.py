"""The wire and the law: pure code that any node, tool or verifier can import.

One rule: nothing in here does I/O, reads a clock or keeps global state. `docs/protocol.md` numbers
the rules (P-…), and the code cites them.
"""
