"""What the community seals to one kiosk's key, and how it travels in pieces."""
