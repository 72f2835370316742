"""The kiosk as state machines: an input and the time in, effects out; no input or output."""
