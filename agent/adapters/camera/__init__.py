"""Where frames come from: a Pi's camera, a USB camera, a stream, a file."""
