"""The work of commands that needs open adapters."""
