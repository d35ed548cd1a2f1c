"""The demonstration (演示): a small real city on this machine, everything as in production but the distances."""
