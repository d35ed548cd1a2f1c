"""Agency (代办): the ledger of what a station did for its residents."""
