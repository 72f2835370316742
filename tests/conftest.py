"""What all tests share."""

from hypothesis import settings

# A slow machine is no failure: what is timed is timed by ``gate-agent bench``.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")

pytest_plugins = [
    "collected",
    "mosquitto",
    "brokers",
    "byte_broker",
    "outbox_fixtures",
    "pack_parts",
    "store_parts",
]
