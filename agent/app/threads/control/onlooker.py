"""What a technician sees of the senses, over the control socket; asked for, never sent.

    {"command": "look"}                       -> {"look": {"thermometer": ..., "inputs": {...}}}
    {"command": "look", "camera": "front"}    -> the same, and "camera": the picture, zone, face ...
    ... "figures": true}                      -> instead of the picture what it is like, in figures

A picture is for root and the agent's own user: whoever may open a door need not see who stands
there; its figures show nobody. It is the newest frame that vision holds, made small here, four
times a second at most; the first look of somebody is logged.
"""

import base64
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import cv2
import structlog

from agent.app.open.control import user_name
from agent.app.threads.control.socket import CommandHandler
from agent.app.threads.senses.glimpse import Glimpse, Newest, Sight
from agent.domain.access.registry import Registry
from agent.domain.sight.image import Image
from agent.domain.sight.track import Box
from agent.domain.skin.optics import Optics, spot_in_picture
from agent.errors import RefusedError
from agent.vision.frames.figures import figures_of

_WIDTH_PX = 480
_QUALITY = 70
_EVERY_S = 0.25

_log = structlog.get_logger(__name__)


class Onlooker:
    """Answers ``look``; called by the control socket's thread."""

    def __init__(
        self, newest: Newest, registry: Callable[[], Registry], optics: Mapping[str, Optics]
    ) -> None:
        """``optics`` are the thermometer's, by camera."""
        self._newest = newest
        self._registry = registry
        self._optics = optics
        self._made: dict[str, tuple[float, dict[str, Any]]] = {}

    def commands(self) -> Mapping[str, CommandHandler]:
        """The command by name, as ``socket.ControlServer`` takes it."""
        return {"look": self._look}

    def _look(self, request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        found = {**self._newest.as_json(), "cameras": list(self._newest.glimpses)}
        name = request.get("camera")
        if name is None:
            return {"look": found}
        glimpse = self._newest.glimpses.get(name) if isinstance(name, str) else None
        if glimpse is None:
            raise ValueError(f"there are the cameras {', '.join(self._newest.glimpses)}")
        if request.get("figures") is True:
            return {"look": {**found, "figures": _figures(glimpse)}}
        if caller not in {user_name(0), user_name(os.geteuid())}:
            raise RefusedError(
                "not_permitted",
                "a picture is for root and the agent's own user: sudo -u gate-agent",
            )
        if not glimpse.looked_at:
            self._made.pop(name, None)
            _log.warning("camera_looked_at", camera=name, by=caller)
        return {"look": {**found, "camera": self._camera(name, glimpse)}}

    def _camera(self, name: str, glimpse: Glimpse) -> dict[str, Any] | None:
        now_s = time.monotonic()
        sight = glimpse.look()
        if sight is None:
            self._made.pop(name, None)
            return None
        made = self._made.get(name)
        if made is None or now_s - made[0] >= _EVERY_S:
            made = self._made[name] = now_s, self._drawn(name, glimpse, sight)
        return made[1]

    def _drawn(self, name: str, glimpse: Glimpse, sight: Sight) -> dict[str, Any]:
        height, width = sight.frame.image.shape[:2]
        zone, optics = asdict(glimpse.zone), self._optics.get(name)
        read, unread = glimpse.codes()
        spot = None if optics is None else spot_in_picture(optics)
        return {
            "width": width,
            "height": height,
            "jpeg": base64.b64encode(_small(sight.frame.image)).decode(),
            "zone": zone,
            "face": self._face(sight),
            "hindrance": None if sight.seen.hindrance is None else sight.seen.hindrance.value,
            "thermometer_spot": None if spot is None else asdict(spot),
            "codes": {"read": [*map(_box, read)], "unread": [*map(_box, unread)]},
        }

    def _face(self, sight: Sight) -> dict[str, Any] | None:
        """The face that is followed; how near it comes to anybody, and not to whom."""
        track, quality = sight.seen.track, sight.quality
        if track is None:
            return None
        sample = track.samples[-1] if track.samples else None
        best = None if sample is None else sample.best
        return {
            "box": _box(track.box),
            "size_px": track.box.width,
            "quality": None if quality is None else quality.as_figures(),
            "score": None if best is None else round(best.score, 4),
            "threshold": round(self._registry().operating.threshold, 4),
            "pad_score": None
            if sample is None or sample.pad_score is None
            else round(sample.pad_score, 3),
        }


def _figures(glimpse: Glimpse) -> dict[str, Any] | None:
    """What the newest frame is like, and its number; None where there is none yet."""
    sight = glimpse.look()
    if sight is None:
        return None
    track = sight.seen.track
    face = None if track is None else track.box
    return {
        "frame": sight.frame.number,
        **asdict(figures_of(sight.frame.image, glimpse.zone, face)),
    }


def _box(box: Box) -> dict[str, int]:
    return asdict(box)


def _small(image: Image) -> bytes:
    height, width = image.shape[:2]
    share = min(1.0, _WIDTH_PX / width)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if share < 1.0 else image
    made, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes() if made else b""
