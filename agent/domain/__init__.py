"""What a gate is about, as values and pure functions: the standard library and numpy only."""
