"""Access points, their inputs, modes and anti-passback."""
