"""What a technician may see of the senses: the newest of each, and a frame only while they look.

    nobody looks  --asked--> looked at: the frame that vision has just seen is kept, one at a time
    looked at     --not asked for 3 s--> nobody looks: the next frame drops the one that is kept

Whoever perceives puts down what it has already; nobody waits, copies or counts for it. Nothing is
stored, and whoever is recognised is not among what is kept here for others to read.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.controller.inputs import Input, InputChanged, TemperatureRead
from agent.domain.sight.image import Frame
from agent.domain.sight.track import Box, Observation
from agent.domain.skin.reading import TemperatureReading
from agent.vision.face.quality import Quality
from agent.vision.face.zone import Zone

LOOKED_S = 3.0
_OLD_S = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A frame, and what vision made of it."""

    frame: Frame
    seen: Observation
    quality: Quality | None


class Glimpse:
    """One camera's; its watcher shows, the control socket's thread looks."""

    def __init__(self, zone: Zone, quality: Callable[[], Quality | None]) -> None:
        """``quality`` is that of the face in the frame that was looked at last."""
        self.zone = zone
        self._quality = quality
        self._wanted_until_s = float("-inf")
        self._newest: Sight | None = None
        self._codes: dict[str, tuple[float, tuple[Box, ...], tuple[Box, ...]]] = {}

    def show(self, frame: Frame, seen: Observation) -> None:
        """Vision has looked at ``frame``."""
        wanted = time.monotonic() < self._wanted_until_s
        self._newest = Sight(frame, seen, self._quality()) if wanted else None

    def outline(self, access_point: str, read: Iterable[Box], unread: Iterable[Box]) -> None:
        """Where codes lie, those that were read and those that could not be; not what they say."""
        self._codes[access_point] = time.monotonic(), tuple(read), tuple(unread)

    @property
    def looked_at(self) -> bool:
        """Whether somebody looks."""
        return time.monotonic() < self._wanted_until_s

    def look(self) -> Sight | None:
        """The newest frame; None where there is none of the last two seconds, or not yet."""
        now_s = time.monotonic()
        self._wanted_until_s = now_s + LOOKED_S
        newest = self._newest
        late = newest is None or now_s - newest.frame.captured_s > _OLD_S
        return None if late else newest

    def codes(self) -> tuple[Sequence[Box], Sequence[Box]]:
        """Where codes lay in the last two seconds: read ones, unread ones."""
        since_s = time.monotonic() - _OLD_S
        fresh = [one for one in self._codes.copy().values() if one[0] >= since_s]
        return [box for one in fresh for box in one[1]], [box for one in fresh for box in one[2]]


class Newest:
    """The newest word of thermometer and inputs, noted as it passes."""

    def __init__(self, post: Callable[[Input], None]) -> None:
        self._post = post
        self._reading: TemperatureReading | None = None
        self._inputs: dict[str, bool] = {}
        self.glimpses: dict[str, Glimpse] = {}
        """By camera."""

    def post(self, told: Input) -> None:
        """Pass on what a sense tells."""
        if isinstance(told, TemperatureRead):
            self._reading = told.reading
        elif isinstance(told, InputChanged):
            self._inputs[told.change.input] = told.change.active
        self._post(told)

    def as_json(self) -> Mapping[str, Any]:
        """Thermometer and inputs as JSON values; null where it has said nothing yet."""
        reading = self._reading
        return {
            "thermometer": None
            if reading is None
            else {
                "temperature_c": round(reading.temperature_c, 2),
                "ambient_c": None if reading.ambient_c is None else round(reading.ambient_c, 2),
                "age_s": round(time.monotonic() - reading.measured_s, 1),
            },
            "inputs": self._inputs.copy(),
        }
