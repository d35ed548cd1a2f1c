"""Cases (办件): filing, handling and following them. A case is the fold of its signed steps."""
