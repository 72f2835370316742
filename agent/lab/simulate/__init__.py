"""A day at a gate under a clock of its own, and the checker who sees pins and events only."""
