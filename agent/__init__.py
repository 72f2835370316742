"""The gate agent: a headless daemon that guards one kiosk of a community."""

__version__ = "0.1.0"
