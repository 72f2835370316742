"""[thermometer]: which part measures skin, and how a temperature is made of its samples."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from agent.config.base import Name, Table
from agent.config.tables.access_point import ids_of_points
from agent.config.tables.rule import ElevatedWord, PauseS, RuleConfig, UnreliableWord
from agent.config.whole import UNREAD, Finding, Whole, known

_TABLE = "thermometer"
_VIEWS: dict[str, tuple[int, ...]] = {"mlx90614": (5, 10, 35, 90), "mlx90640": (55, 110)}
_SUBPAGES = 2
_I2C_PARTS = tuple(_VIEWS)
_KEYS_OF_PARTS = {
    "temperature_c": ("simulated",),
    "stuck": ("simulated",),
    "bus": _I2C_PARTS,
    "address": _I2C_PARTS,
    "emissivity": _I2C_PARTS,
    "check_pec": ("mlx90614",),
    "refresh_hz": ("mlx90640",),
    "self_heating_k": ("mlx90640",),
    "mirrored": ("mlx90640",),
    "upside_down": ("mlx90640",),
}


class SkinTable(Table):
    """The part of ``[thermometer]`` that is alike whatever part measures.

    ``access_point`` is the one beside whose camera it is. ``skin_min_c`` to ``skin_max_c`` is what
    living skin can have; any other reading is unreliable. A rule may say otherwise in ``elevated``,
    ``second_reading_after_s`` and ``unreliable``.
    """

    access_point: Annotated[
        Name | None, Field(description="of [[access_point]]: beside whose camera it is")
    ] = None
    samples_min: Annotated[int, Field(ge=10, le=100, description="so many make a reading")] = 10
    measure_timeout_s: Annotated[
        float, Field(ge=0.5, le=10, description="a face that is known waits so long for them")
    ] = 3.0
    spread_max_c: Annotated[
        float,
        Field(
            ge=0.05, le=3, description="a standard deviation; samples further apart are unreliable"
        ),
    ] = 0.5
    skin_min_c: Annotated[
        float, Field(ge=15, le=34, description="colder is told as cold and measured again")
    ] = 28.0
    skin_max_c: Annotated[float, Field(ge=38, le=50, description="warmer is no skin")] = 43.0
    ambient_min_c: Annotated[
        float, Field(ge=-40, le=40, description="in colder air a reading is unreliable")
    ] = 10.0
    ambient_max_c: Annotated[
        float, Field(ge=0, le=60, description="in warmer air a reading is unreliable")
    ] = 40.0
    ambient_reference_c: Annotated[
        float, Field(ge=0, le=40, description="of the air, at which nothing is corrected")
    ] = 23.0
    ambient_correction: Annotated[
        float,
        Field(
            ge=-0.5, le=0.5, description="added for each degree that the air is colder than that"
        ),
    ] = 0.0
    baseline_hours: Annotated[
        float, Field(ge=0.5, le=24, description="what most people had lately: how lately")
    ] = 4.0
    elevated: Annotated[
        ElevatedWord, Field(description="what follows an elevated temperature; a rule may differ")
    ] = "deny"
    second_reading_after_s: Annotated[
        PauseS, Field(description="before a second reading decides")
    ] = 5.0
    unreliable: Annotated[
        UnreliableWord, Field(description="what follows where no reading can be relied on")
    ] = "deny"
    attack_cue: Annotated[
        Literal["off", "report", "deny"], Field(description="what is not as warm as a face")
    ] = "report"
    attack_threshold: Annotated[float, Field(ge=0.05, le=0.95, description="of its score")] = 0.5
    aim_x_deg: Annotated[
        float, Field(ge=-45, le=45, description="how far it looks to the right of the camera")
    ] = 0.0
    aim_y_deg: Annotated[
        float, Field(ge=-45, le=45, description="how far it looks below the camera")
    ] = 0.0


class ThermometerConfig(SkinTable):
    """The IR thermometer; ``temperature_c`` is what a simulated one sees, ``stuck`` for ever.

    ``field_of_view_deg`` is printed in the part's name, and decides how near one must stand.
    """

    kind: Annotated[
        Literal["none", "simulated", "mlx90614", "mlx90640"],
        Field(description="mlx90614: one spot; mlx90640: an image"),
    ] = "none"
    temperature_c: Annotated[
        float, Field(ge=-70, le=380, description="simulated only: what it sees")
    ] = 36.2
    stuck: Annotated[bool, Field(description="simulated only: the same value for ever")] = False
    interval_s: Annotated[float, Field(ge=0.05, le=10, description="between two readings")] = 0.1
    field_of_view_deg: Annotated[
        Literal[5, 10, 35, 55, 90, 110] | None,
        Field(description="as its name says: how near one must stand"),
    ] = None
    bus: Annotated[int, Field(ge=0, le=255, description="of I2C; 1 is the one on the header")] = 1
    address: Annotated[
        Annotated[int, Field(ge=0x08, le=0x77)] | None,
        Field(description="on the bus; default 0x5A (mlx90614), 0x33 (mlx90640)"),
    ] = None
    emissivity: Annotated[
        float, Field(ge=0.1, le=1.0, description="of skin; an mlx90614 must be set to the same")
    ] = 0.98
    check_pec: Annotated[
        bool, Field(description="mlx90614: refuse answers whose check byte is wrong")
    ] = True
    refresh_hz: Annotated[
        Literal[1, 2, 4, 8, 16, 32], Field(description="mlx90640: half images a second")
    ] = 4
    self_heating_k: Annotated[
        float, Field(ge=0, le=20, description="mlx90640: how much warmer than the air it is itself")
    ] = 8.0
    mirrored: Annotated[
        bool, Field(description="mlx90640: its columns run from the camera's right to its left")
    ] = True
    upside_down: Annotated[bool, Field(description="mlx90640: mounted on its head")] = False

    @property
    def on_i2c(self) -> bool:
        """Whether it is a real part, which hangs on the I2C bus."""
        return self.kind in _VIEWS

    @model_validator(mode="after")
    def _view_fits_the_part(self) -> Self:
        views = _VIEWS.get(self.kind)
        if views is not None and self.field_of_view_deg not in views:
            words = ", ".join(map(str, views[:-1])) + f" or {views[-1]}"
            raise ValueError(
                f"kind = {self.kind!r} needs field_of_view_deg = {words}, as its name says:"
                " it decides how near one must stand"
            )
        return self

    @property
    def reserved_pins(self) -> dict[int, str]:
        """The pins that it needs for itself, and for what."""
        if not self.on_i2c or self.bus != 1:
            return {}
        return dict.fromkeys((2, 3), "the thermometer's I2C bus 1")

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Every temperature that could never be measured in time, or nowhere."""
        part = whole.one(cls)
        unsure = whole.unsure(_TABLE, "kind")
        limits = [
            ("rule", i, "temperature_limit_c")
            for i, rule in enumerate(whole.rows(RuleConfig))
            if rule.temperature_limit_c is not None
        ]
        if part.kind == "none" and not unsure:
            for path in limits:
                yield path, "needs a [thermometer] to measure with"
        yield from _place(whole)
        if part.attack_cue == "deny" and part.kind == "none":
            yield (_TABLE, "attack_cue"), "needs a kind of thermometer to look with"
        for path in limits:
            limit_c = whole.rows(RuleConfig)[path[1]].temperature_limit_c
            if limit_c is not None and limit_c >= part.skin_max_c:
                yield path, "is not below [thermometer] skin_max_c: nothing would be elevated"
        if part.ambient_min_c >= part.ambient_max_c:
            yield (_TABLE, "ambient_min_c"), "is not below ambient_max_c: nothing would be reliable"
        if part.kind != "none" and not unsure and (limits or part.attack_cue == "deny"):
            yield from _in_time(part)

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """A part that measures nobody, and keys of another part."""
        part = whole.one(cls)
        if part.kind == "simulated":
            yield (_TABLE, "kind"), "the thermometer is simulated: it measures nobody"
        for key, kinds in _KEYS_OF_PARTS.items():
            if key in part.model_fields_set and part.kind not in ("none", *kinds):
                only = kinds[0]
                said = f"[thermometer] {key} says nothing to kind = {part.kind!r}, only to {only!r}"
                yield (_TABLE, key), said

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Its kind."""
        return {"thermometer": whole.one(cls).kind}


def _place(whole: Whole) -> Iterator[Finding]:
    part, points = whole.one(ThermometerConfig), ids_of_points(whole)
    path = (_TABLE, "access_point")
    if part.access_point is None:
        if part.on_i2c and len(points) > 1:
            message = f"there are {len(points)} access points: say beside which camera it is"
            yield path, message, f"add access_point, one of {', '.join(points)}"
        return
    if part.access_point not in points and UNREAD not in points:
        yield from known(path, part.access_point, points)
        return
    for i, rule in enumerate(whole.rows(RuleConfig)):
        elsewhere = [point for point in rule.access_points or points if point != part.access_point]
        unreliable = rule.unreliable or part.unreliable
        if rule.temperature_limit_c is not None and elsewhere and unreliable == "deny":
            message = (
                f"asks at {elsewhere[0]!r} too, where the thermometer is not, and would refuse"
                " everybody there"
            )
            fix = f"say access_points = [{part.access_point!r}]"
            yield ("rule", i, "temperature_limit_c"), message, fix


def _in_time(part: ThermometerConfig) -> Iterator[Finding]:
    # An image is two half images, and the reader pauses between two.
    takes_s = _SUBPAGES / part.refresh_hz if part.kind == "mlx90640" else 0.0
    needed_s = part.samples_min * (part.interval_s + takes_s)
    if needed_s > part.measure_timeout_s:
        more = ", or refresh_hz higher" if part.kind == "mlx90640" else ", or interval_s lower"
        message = (
            f"{part.samples_min} samples take {needed_s:g} s, so that nobody would be measured in"
            " time"
        )
        yield (_TABLE, "measure_timeout_s"), message, f"set it to {needed_s:.1f} or more{more}"
