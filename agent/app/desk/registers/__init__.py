"""What the desk does with the community's registers."""
