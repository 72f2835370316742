"""What the kiosk keeps: the journal of what happened, the registry of who may pass, their key."""
