"""What touches the world: a room a part of the kiosk, each with its simulator."""
