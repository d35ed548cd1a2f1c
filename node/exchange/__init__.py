"""Exchange (收发): how acts leave a node and how others' acts come in.

`outbox` signs and sends what was committed, until the reader's receipt covers it; `inbox` verifies, drops
repeats and applies in one transaction; `receipts` tells the senders. One rule: the broker is never trusted;
an act is done when its reader says so.
"""
