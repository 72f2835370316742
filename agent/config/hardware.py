"""What of the config is wired to the kiosk: cameras, doors, lights, sensors, readers.

Pins are BCM numbers; polarity and pull are always said, never guessed.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from agent.config.base import FUNCTION_PATTERN, FilePath, Fraction, Name, Table
from agent.config.skin import SkinTable


class ZoneConfig(Table):
    """The approach zone: where in the frame, and how near, a face is a presentation.

    Position and size are fractions of the frame; ``min_face_px`` is a face's width in pixels and
    stands for the distance.
    """

    x: Fraction = 0.0
    y: Fraction = 0.0
    width: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    height: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    min_face_px: Annotated[int, Field(ge=40, le=1000)] = 80

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.x + self.width > 1.0 + 1e-9 or self.y + self.height > 1.0 + 1e-9:
            raise ValueError(
                "the zone reaches past the frame: x + width and y + height are 1 at most"
            )
        return self


class CameraConfig(Table):
    """One camera; ``source`` is a device (0, /dev/video0), a file, a stream, or photographs."""

    id: Name
    kind: Literal["picamera2", "opencv", "simulated"]
    source: int | str | list[str] = 0
    width: Annotated[int, Field(ge=160, le=4096)] = 640
    height: Annotated[int, Field(ge=120, le=4096)] = 480
    fps: Annotated[float, Field(gt=0, le=120)] = 15.0
    field_of_view_deg: Annotated[float, Field(ge=20, le=170)] = Field(
        66.0, description="horizontal, of the lens: a face's width stands for its distance"
    )
    loop: bool = False
    frozen: bool = Field(False, description="simulated only: no noise, as a hung camera")
    timeout_s: Annotated[float, Field(ge=0.2, le=30)] = 3.0
    zone: ZoneConfig = ZoneConfig()

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        if self.kind == "simulated" and (isinstance(self.source, int) or not self.source):
            raise ValueError('a simulated camera shows photographs: source = ["portrait.jpg"]')
        if self.kind != "simulated" and isinstance(self.source, list):
            raise ValueError("a list of photographs needs kind = 'simulated'")
        return self


Pin = Annotated[int, Field(ge=0, le=27)]
"""A BCM number."""


class PinsTable(Table):
    """Something on the header; ``simulated`` pins live in a file and outlive the agent."""

    pin_factory: Literal["lgpio", "mock", "simulated"] = "lgpio"
    pins_file: FilePath | None = Field(None, description="simulated only: where the pins live")

    @model_validator(mode="after")
    def _file_where_simulated(self) -> Self:
        if (self.pin_factory == "simulated") != (self.pins_file is not None):
            raise ValueError("pins_file goes with pin_factory = 'simulated', and only with it")
        return self


class DoorConfig(PinsTable):
    """One door with its relay, or one turnstile with a relay for each direction.

    ``lock`` says what the lock does without power; ``energised`` what an energised relay means.
    """

    id: Name
    kind: Literal["gpio", "turnstile"]
    pin: Pin = Field(description="the relay; of a turnstile the one that frees the entry")
    exit_pin: Pin | None = Field(None, description="kind = 'turnstile': frees the exit")
    active_high: bool
    lock: Literal["fail_secure", "fail_safe"] = "fail_secure"
    energised: Literal["released", "secured"] = "released"
    pull_resistor: bool = Field(False, description="the relay board holds its input at rest")
    pulse_s: Annotated[float, Field(ge=0.1, le=30)] = 3.0
    max_pulse_s: Annotated[float, Field(ge=0.1, le=60)] = 10.0
    passage_window_s: Annotated[float, Field(ge=0.5, le=120)] | None = None
    held_open_s: Annotated[float, Field(ge=1, le=3600)] = 30.0
    free_passage_schedule: Name | None = Field(None, description="of [[schedule]]: stands free")
    lockdown_schedule: Name | None = Field(None, description="of [[schedule]]: locked down")

    @model_validator(mode="after")
    def _relays_fit_the_kind(self) -> Self:
        if (self.kind == "turnstile") != (self.exit_pin is not None):
            raise ValueError("exit_pin goes with kind = 'turnstile', and only with it")
        return self

    @model_validator(mode="after")
    def _pulse_within_maximum(self) -> Self:
        if self.pulse_s > self.max_pulse_s:
            raise ValueError(f"pulse_s = {self.pulse_s} exceeds max_pulse_s = {self.max_pulse_s}")
        if self.passage_window_s is not None and self.passage_window_s < self.pulse_s:
            raise ValueError(
                f"passage_window_s = {self.passage_window_s} is less than pulse_s = {self.pulse_s}:"
                " the door would be free for longer than anybody may pass"
            )
        return self

    @model_validator(mode="after")
    def _dead_kiosk_opens_no_gate(self) -> Self:
        if self.lock == "fail_secure" and self.energised == "secured":
            raise ValueError(
                "energised = 'secured' would power a fail-secure lock's release whenever the kiosk"
                " is dead; only a lock = 'fail_safe' is wired so"
            )
        return self

    @property
    def outputs(self) -> dict[str, int]:
        """The pin of each output by its name: a turnstile has one a direction."""
        if self.exit_pin is None:
            return {self.id: self.pin}
        return {f"{self.id}.entry": self.pin, f"{self.id}.exit": self.exit_pin}

    def output_for(self, direction: str) -> str:
        """The name of the output that frees this direction."""
        return self.id if self.kind == "gpio" else f"{self.id}.{direction}"


class InputConfig(PinsTable):
    """A contact or button on a pin: ``active_high`` is the level that means active.

    Active is: the door open, the button pressed, one rotation, the housing open, the fire alarm,
    the relay releasing, duress. ``door`` is the door it belongs to; a turnstile's has a direction.
    """

    id: Name
    kind: Literal["contact", "rex", "passage", "tamper", "fire", "feedback", "duress"]
    pin: Pin
    active_high: bool
    pull: Literal["up", "down", "none"]
    door: Name | None = None
    direction: Literal["entry", "exit"] | None = None
    debounce_s: Annotated[float, Field(ge=0.001, le=0.2)] = 0.03


class IndicatorConfig(PinsTable):
    """Lights and a buzzer at an access point; each may be left out.

    ``alarm_buzzer`` says whether the buzzer sounds for as long as a door is held open or forced.
    """

    access_point: Name
    kind: Literal["gpio"]
    red_pin: Pin | None = None
    green_pin: Pin | None = None
    blue_pin: Pin | None = None
    buzzer_pin: Pin | None = None
    alarm_buzzer: bool = True
    active_high: bool = True

    @model_validator(mode="after")
    def _something_to_show(self) -> Self:
        if self.red_pin is self.green_pin is self.blue_pin is self.buzzer_pin is None:
            raise ValueError("an indicator has red_pin, green_pin, blue_pin or buzzer_pin")
        return self


_VIEWS: dict[str, tuple[int, ...]] = {"mlx90614": (5, 10, 35, 90), "mlx90640": (55, 110)}


class ThermometerConfig(SkinTable):
    """The IR thermometer; ``temperature_c`` is what a simulated one sees.

    ``field_of_view_deg`` is printed in the part's name, and decides how near one must stand.
    """

    kind: Literal["none", "simulated", "mlx90614", "mlx90640"] = "none"
    temperature_c: Annotated[float, Field(ge=-40, le=125)] = 36.2
    interval_s: Annotated[float, Field(ge=0.05, le=10)] = 0.1
    field_of_view_deg: Literal[5, 10, 35, 55, 90, 110] | None = None
    bus: Annotated[int, Field(ge=0, le=255)] = 1
    address: Annotated[int, Field(ge=0x08, le=0x77)] | None = None
    emissivity: Annotated[float, Field(ge=0.1, le=1.0)] = 0.98
    check_pec: bool = True
    refresh_hz: Literal[1, 2, 4, 8, 16, 32] = 4
    self_heating_k: Annotated[float, Field(ge=0, le=20)] = 8.0
    mirrored: bool = True
    upside_down: bool = False

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


class IdReaderConfig(Table):
    """A reader of ID documents; ``photo_decoder`` is its maker's, as ``module:function``."""

    kind: Literal["none", "ga467"] = "none"
    port: FilePath | None = None
    access_point: Name | None = None
    photo_decoder: Annotated[str, Field(pattern=FUNCTION_PATTERN)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "ga467" and (self.port is None or self.access_point is None):
            raise ValueError("kind = 'ga467' needs port and access_point")
        return self
