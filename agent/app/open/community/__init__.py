"""What the community is to this kiosk: its broker, its registry, whose commands count."""
