"""What a config means and where it is risky, in words."""
