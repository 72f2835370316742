"""What all tests share."""

from hypothesis import settings

# A slow machine is no failure: what is timed is timed by ``gate-agent bench``. The long form of all
# properties: scripts/test --hypothesis-profile long
settings.register_profile("short", deadline=None, print_blob=True, max_examples=25)
settings.register_profile("long", deadline=None, print_blob=True, max_examples=500)
settings.load_profile("short")

pytest_plugins = [
    "collected",
    "mosquitto",
    "brokers",
    "byte_broker",
    "outbox_fixtures",
    "pack_parts",
    "store_parts",
]
