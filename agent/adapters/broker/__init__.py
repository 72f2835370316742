"""The link to the community's MQTT broker."""
