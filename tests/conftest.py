"""What all tests share."""

pytest_plugins = ["collected", "mosquitto"]
