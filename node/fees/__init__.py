"""Fees (收费): bills from the published standard, money only through a payment adapter, refunds by two persons."""
