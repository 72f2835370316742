"""Whose samples are whose: the thermometer's readings, by the face that stood there meanwhile.

A sample counts for a presentation where the face was seen before it was measured, and seen again
after it; so nobody's sample is ever the next person's, however late either is told. While the face
is too far for the spot none counts.

A measurement is what an access point waits for when all else is well:

    state       all else is well      reading whole             time up              other face
    none        measuring, told so    judged, or cold           -                    -
    measuring   -                     judged, second or cold    judged: SensorFault  none
    cold        -                     judged, or second         judged: SensorFault  none
    second      -                     judged                    judged: the first    judged: first

``second`` begins where a first reading was elevated and the rule asks for another one; only what is
measured after the pause counts for that, and without it the first one stands. ``cold`` begins where
it was colder than skin is: that is told, so that a hand may warm the forehead, and it is measured
once more after the pause.

Whatever faces are measured, several in a row that are warmer than skin can be are the part's fault,
until one of them is not.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from agent.controller.inputs import FaultCleared, FaultRaised
from agent.domain.access.evidence import Evidence
from agent.domain.access.part import PartKind
from agent.domain.access.policy import Decision
from agent.domain.credential.holder import HolderId
from agent.domain.hours.instant import Instant
from agent.domain.sight.track import FaceTrack
from agent.domain.skin.baseline import Baseline
from agent.domain.skin.optics import Field, Optics, Region, face_region, trouble, warmest_c
from agent.domain.skin.part_health import FACES, HotFaces
from agent.domain.skin.reading import TemperatureReading
from agent.domain.skin.skin_temperature import (
    SkinReading,
    SkinSample,
    SkinSettings,
    Unreliable,
    aggregate,
)
from agent.domain.skin.thermal_cue import AttackCue, ThermalCue, array_cue, spot_cue

_FIELDS = 8
_HOLDERS = 256
_AGAIN_S = 1800.0


@dataclass(frozen=True, slots=True)
class ThermalSettings:
    """How the kiosk measures skin.

    ``optics`` is by camera; a face before one that has none counts as near enough. ``camera`` is
    the only one beside which the thermometer is; None where there is but one. A face whose
    temperature is asked for waits ``measure_timeout_s`` for it once all else is well.
    """

    skin: SkinSettings = field(default_factory=SkinSettings)
    optics: Mapping[str, Optics] = field(default_factory=dict)
    camera: str | None = None
    measure_timeout_s: float = 3.0
    baseline_hours: float = 4.0
    attack_cue: AttackCue = AttackCue.REPORT
    attack_threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one access point waits for; times are monotonic, ``track`` the face that is measured.

    Only samples from ``since_s`` on count. ``first`` is what the first reading came to; ``cold``
    where it was too cold for skin, and was told so.
    """

    track: int | None
    ends_s: float
    since_s: float = -math.inf
    first: tuple[Evidence, Decision] | None = None
    cold: bool = False

    @property
    def may_warm(self) -> bool:
        """Whether a reading that is too cold may still be asked for again."""
        return not self.cold and self.first is None


@dataclass(slots=True)
class _Watch:
    """The face before one camera, and what was measured of it; ``hot`` None before it is known."""

    track: FaceTrack
    samples: deque[SkinSample]
    fields: deque[tuple[float, Field]] = field(default_factory=lambda: deque(maxlen=_FIELDS))
    hot: bool | None = None

    def had(self, measured_s: float) -> bool:
        """Whether this very face was seen before that moment, and again after it."""
        return self.track.first_seen_s <= measured_s <= self.track.last_seen_s


class ThermalMonitor:
    """The samples of whoever stands before each camera now; nobody else's are kept."""

    def __init__(self, settings: ThermalSettings, baseline: Baseline | None = None) -> None:
        self.settings = settings
        self.baseline = baseline or Baseline()
        self._watches: dict[str, _Watch] = {}
        self._heard = False
        self._hot_faces = HotFaces()
        self._told: list[FaultRaised | FaultCleared] = []
        self._counted: OrderedDict[HolderId, float] = OrderedDict()

    def observe(self, camera: str, track: FaceTrack | None) -> None:
        """The newest picture of the presentation before ``camera``."""
        watch = self._watches.get(camera)
        if track is None or self.settings.camera not in (None, camera):
            self._watches.pop(camera, None)
        elif watch is None or watch.track.id != track.id:
            most = 3 * self.settings.skin.samples_min
            self._watches[camera] = _Watch(track, deque(maxlen=most))
        else:
            watch.track = track

    def read(self, reading: TemperatureReading) -> None:
        """One sample, for each face that is near enough."""
        self._heard = True
        for camera, watch in self._watches.items():
            if self._trouble(camera, watch) is None:
                self._keep(camera, watch, reading)

    @property
    def implausible(self) -> bool:
        """Whether it is in fault for what it says, so that only what it says can end that."""
        return self._hot_faces.implausible

    def told(self) -> list[FaultRaised | FaultCleared]:
        """What its readings say of the part itself, each word once."""
        told, self._told = self._told, []
        return told

    def failed(self) -> None:
        """The thermometer answers no more; what it said last is worth nothing."""
        self._heard = False
        for watch in self._watches.values():
            watch.samples.clear()
            watch.fields.clear()

    def skin(self, camera: str, now: Instant, since_s: float = -math.inf) -> SkinReading | None:
        """The reading of the face before ``camera``; None where there is none, or no sensor."""
        watch = self._watches.get(camera)
        if watch is None or not self._heard:
            return None
        own = [
            one for one in watch.samples if one.measured_s >= since_s and watch.had(one.measured_s)
        ]
        found = aggregate(own, self.settings.skin, now.monotonic_s, self._trouble(camera, watch))
        utc_s, hours = now.utc.timestamp(), self.settings.baseline_hours
        return replace(
            found,
            baseline_c=self.baseline.value_c(utc_s, hours),
            drifting=self.baseline.drifting(utc_s, hours),
        )

    def cue(self, camera: str, reading: SkinReading | None) -> ThermalCue:
        """Whether the face before ``camera`` is as warm as one."""
        watch, optics = self._watches.get(camera), self.settings.optics.get(camera)
        if watch is None or optics is None:
            return spot_cue(reading)
        own = [seen for measured_s, seen in watch.fields if watch.had(measured_s)]
        if not own:
            return spot_cue(reading)
        mean: Field = np.asarray(np.mean(np.stack(own), axis=0), dtype=np.float32)
        return array_cue(reading, mean, face_region(_outline(watch.track), optics, mean))

    def accepted(self, holder: HolderId, reading: SkinReading | None, now: Instant) -> None:
        """Somebody was granted without a warning: part of what most people have here."""
        if reading is None or reading.unreliable is not None or reading.temperature_c is None:
            return
        last_s = self._counted.get(holder)
        if last_s is not None and now.monotonic_s - last_s < _AGAIN_S:
            return
        self._counted[holder] = now.monotonic_s
        self._counted.move_to_end(holder)
        while len(self._counted) > _HOLDERS:
            self._counted.popitem(last=False)
        self.baseline = self.baseline.add(reading.temperature_c, now.utc.timestamp())

    def _trouble(self, camera: str, watch: _Watch) -> Unreliable | None:
        optics = self.settings.optics.get(camera)
        return None if optics is None else trouble(watch.track.box.width, optics)

    def _keep(self, camera: str, watch: _Watch, reading: TemperatureReading) -> None:
        temperature_c, optics = reading.temperature_c, self.settings.optics.get(camera)
        if reading.field is not None and optics is not None:
            region = face_region(_outline(watch.track), optics, reading.field)
            if region is None:
                return  # the face is beside the thermal image; what is warm in it is something else
            if watch.fields and watch.fields[-1][1].shape != reading.field.shape:
                watch.fields.clear()
            watch.fields.append((reading.measured_s, reading.field))
            temperature_c = warmest_c(reading.field, region)
        watch.samples.append(SkinSample(reading.measured_s, temperature_c, reading.ambient_c))
        self._look_at_part(watch)

    def _look_at_part(self, watch: _Watch) -> None:
        """A face counts once as hot, and once as one that is not."""
        skin = self.settings.skin
        newest = [one.temperature_c for one in [*watch.samples][-skin.samples_min :]]
        if len(newest) < skin.samples_min:
            return
        middle_c = median(newest)
        hot = middle_c > skin.skin_max_c
        if hot is watch.hot or math.isnan(middle_c):
            return
        watch.hot = hot
        if not self._hot_faces.add(hot=hot):
            return
        part = PartKind.THERMOMETER.part()
        detail = f"{FACES} faces in a row have more than skin can, now {middle_c:.1f} C"
        self._told.append(FaultRaised(part, detail) if hot else FaultCleared(part, "agent"))


def _outline(track: FaceTrack) -> Region:
    box = track.box
    return Region.spanning(box.x, box.y, box.width, box.height)
