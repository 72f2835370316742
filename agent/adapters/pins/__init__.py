"""What hangs on the GPIO header: outputs, contacts and buttons, lights and buzzers."""
