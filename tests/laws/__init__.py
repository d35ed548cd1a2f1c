"""Properties that hold for all inputs: hypothesis against plain, slow reckoning."""
