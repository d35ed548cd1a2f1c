"""授权与用章: who may decide here, and what the seals were used for."""
