"""A frame's way and a symbol's, timed beside the bare cost of their work."""
