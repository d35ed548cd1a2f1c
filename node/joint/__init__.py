"""联审联办: one acceptance copied to all, answers by a limit, silence on record, and the lead decides as usual."""
