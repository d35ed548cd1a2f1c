"""Figures (统计): small cubes kept in the transaction that applies a step, and each node's own daily report."""
