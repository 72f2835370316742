"""Error rates of a pack on somebody's photographs, and of skin readings on simulated scenes."""
