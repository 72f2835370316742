"""A kiosk looked over: what is asked of it, and the checks that come of it."""
