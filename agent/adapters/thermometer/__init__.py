"""IR thermometers on the I2C bus."""
