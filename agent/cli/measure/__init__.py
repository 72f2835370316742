"""How well and how fast it decides."""
