"""The running agent: its composition, its loop, its end."""
