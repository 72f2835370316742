"""The tables of the community's registers."""
