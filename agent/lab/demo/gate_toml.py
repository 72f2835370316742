"""The demo's gate; its pins, port and model pack are filled in."""

CONFIG = """
[kiosk]
community = "demo"
grid = "g1"
id = "north-1"
[[camera]]
id = "front"
kind = "simulated"
source = ["unused"]
fps = 15.0
[[door]]
id = "turnstile"
kind = "gpio"
pin = {pin}
active_high = true
pulse_s = 1.0
pin_factory = "simulated"
pins_file = "pins.bin"
[[input]]
id = "button"
kind = "rex"
pin = {button}
active_high = true
pull = "down"
door = "turnstile"
pin_factory = "simulated"
pins_file = "pins.bin"
[[input]]
id = "contact"
kind = "contact"
pin = {contact}
active_high = true
pull = "down"
door = "turnstile"
pin_factory = "simulated"
pins_file = "pins.bin"
[[reader]]
id = "pillar"
kind = "wiegand"
access_point = "north-entry"
d0_pin = 5
d1_pin = 6
pin_factory = "simulated"
pins_file = "pins.bin"
[[access_point]]
id = "north-entry"
direction = "entry"
camera = "front"
door = "turnstile"
[[rule]]
categories = ["resident"]
temperature_limit_c = 37.3
[[rule]]
categories = ["staff"]
factors = ["card"]
[[rule]]
categories = ["visitor"]
factors = ["pass+face"]
[thermometer]
kind = "simulated"
interval_s = 0.1
[pass]
community_key_file = "community.key"
[face]
pack = "{pack}"
accept_no_pad = true
attempt_interval_s = 0.5
attempt_interval_max_s = 1.0
track_gap_s = 0.4
[clock]
trust_system_clock = true
[events]
trace = "full"
[broker]
host = "127.0.0.1"
port = {port}
[[command_key]]
id = "office"
file = "office.key.pub"
verbs = ["unlock", "range"]
"""
