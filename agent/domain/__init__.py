"""What the gate knows and decides, pure: no file, pin, socket or clock."""
