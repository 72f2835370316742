"""What lies in the state folder, opened: stores, keys, and whether each is the one it was."""
