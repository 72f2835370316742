"""What the community signs for its kiosks."""
