"""The benchmarks (测速): what the network costs, measured beside its own bounds and beside simpler ways."""
