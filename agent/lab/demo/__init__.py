"""A gate on simulated hardware with a real broker, shown step by step."""
