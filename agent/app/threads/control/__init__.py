"""The control socket of the running agent."""
