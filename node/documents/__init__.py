"""Documents (文书): numbered, printable, drawn from the signed steps of a case and from nothing else."""
