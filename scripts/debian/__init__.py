"""The agent as a Debian package: its wheels, its tree, its control files, its signature."""
