"""From nothing to a gate that runs, and watching it."""
