"""What the tests of the config share."""

from collections.abc import Collection
from typing import Any, get_args

from pydantic import BaseModel

from agent.config import ConfigFile
from agent.operations.config.describe import risks

GOOD = """\
[kiosk]
community = "lakeside"
grid = "g3"
id = "north-1"

[[camera]]
id = "front"
kind = "opencv"
source = "/dev/video0"

[[camera]]
id = "back"
kind = "simulated"
source = ["a.jpg", "b.jpg"]
[camera.zone]
x = 0.25
width = 0.5

[[door]]
id = "in"
kind = "gpio"
pin = 17
active_high = true

[[door]]
id = "out"
kind = "gpio"
pin = 5
active_high = false
pin_factory = "simulated"
pins_file = "pins.bin"

[[access_point]]
id = "north-entry"
direction = "entry"
camera = "front"
door = "in"

[[access_point]]
id = "north-exit"
direction = "exit"
camera = "back"
door = "out"

[[rule]]
categories = ["resident", "staff"]
temperature_limit_c = 37.3
schedule = [{ days = ["mon"], from = "22:00", until = "06:00" }]

[[rule]]
categories = ["guest"]
access_points = ["north-entry"]

[thermometer]
kind = "simulated"

[face]
accept_no_pad = true

[broker]
host = "broker.lakeside.example"

[[indicator]]
access_point = "north-entry"
kind = "gpio"
green_pin = 24

[[input]]
id = "contact"
kind = "contact"
pin = 6
active_high = true
pull = "up"
door = "in"

[[area]]
id = "garden"

[[schedule]]
id = "office-hours"
spans = [{ days = ["mon", "holiday"], from = "08:00", until = "18:00" }]
holidays = ["public"]
exceptions = [{ date = "2026-12-24", open = false, from = "12:00" }]

[[holiday]]
id = "public"
dates = ["05-01"]
"""

VOICE = """
[voice]
kind = "aplay"
access_point = "north-entry"
quiet = { from = "23:00", until = "07:00" }
"""

COMMANDER = """
[[command_key]]
id = "office"
file = "office.pem.pub"
verbs = ["unlock", "health"]
"""
MEASURED = """
[face.operating_point]
pack = "retail"
version = "1"
measured_on = 2026-11-27
persons = 40
impostor_pairs = 780
measured_to = 0.0064
curve = [{ fmr = 1e-2, threshold = 0.40 }, { fmr = 1e-4, threshold = 0.52 }]
"""


def warnings(file: ConfigFile, pad: Collection[str] | None = None) -> list[str]:
    """What a config is warned of, without the keys."""
    return [finding[1] for finding in risks(file, pad)]


def nested(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [nested(argument) for argument in get_args(annotation)]
    return next((model for model in found if model is not None), None)
