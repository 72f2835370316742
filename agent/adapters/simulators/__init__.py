"""Parts that behave like the real ones and record what was done to them; only where config asks."""
