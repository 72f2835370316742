"""What a config may say: each field with its range and unit, nothing else allowed.

Values are checked here one by one and against each other; what they mean is made of them in
``agent.app``, where config becomes domain values.
"""

from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

NAME_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
FACTORS_PATTERN = r"^(face|pass|id_document)(\+(face|pass|id_document)){0,2}$"
FUNCTION_PATTERN = r"^[A-Za-z0-9_.]+:[A-Za-z0-9_]+$"

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""A word of topics and references: 1 to 64 of ``A-Z a-z 0-9 . _ -``."""


def _without_nul(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("holds a NUL character")
    return path


FilePath = Annotated[Path, AfterValidator(_without_nul)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Table(BaseModel):
    """A TOML table: frozen, and strict about keys and types."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class KioskConfig(Table):
    """Where the kiosk stands; the three names make its topics."""

    community: Name
    grid: Name
    id: Name
    timezone: str = Field("UTC", description="IANA name, for schedules: Asia/Shanghai")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone {value!r}; use an IANA name: Asia/Shanghai") from error
        return value


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


class DoorConfig(Table):
    """One output. ``pin`` is a BCM number; polarity is always said, never guessed."""

    id: Name
    kind: Literal["gpio"]
    pin: Annotated[int, Field(ge=0, le=27)]
    active_high: bool
    pulse_s: Annotated[float, Field(ge=0.1, le=30)] = 3.0
    max_pulse_s: Annotated[float, Field(ge=0.1, le=60)] = 10.0
    pin_factory: Literal["lgpio", "mock", "simulated"] = "lgpio"
    pins_file: FilePath | None = Field(None, description="simulated only: where the pins live")

    @model_validator(mode="after")
    def _pulse_within_maximum(self) -> Self:
        if self.pulse_s > self.max_pulse_s:
            raise ValueError(f"pulse_s = {self.pulse_s} exceeds max_pulse_s = {self.max_pulse_s}")
        if (self.pin_factory == "simulated") != (self.pins_file is not None):
            raise ValueError("pins_file goes with pin_factory = 'simulated', and only with it")
        return self


class IndicatorConfig(Table):
    """Lights and a buzzer at an access point; pins are BCM numbers, each may be left out."""

    access_point: Name
    kind: Literal["gpio"]
    red_pin: Annotated[int, Field(ge=0, le=27)] | None = None
    green_pin: Annotated[int, Field(ge=0, le=27)] | None = None
    buzzer_pin: Annotated[int, Field(ge=0, le=27)] | None = None
    active_high: bool = True
    pin_factory: Literal["lgpio", "mock", "simulated"] = "lgpio"
    pins_file: FilePath | None = Field(None, description="simulated only: where the pins live")

    @model_validator(mode="after")
    def _something_to_show(self) -> Self:
        if self.red_pin is self.green_pin is self.buzzer_pin is None:
            raise ValueError("an indicator has red_pin, green_pin or buzzer_pin")
        if (self.pin_factory == "simulated") != (self.pins_file is not None):
            raise ValueError("pins_file goes with pin_factory = 'simulated', and only with it")
        return self


class AccessPointConfig(Table):
    """One door or lane in one direction."""

    id: Name
    direction: Literal["entry", "exit"]
    camera: Name
    door: Name


class ThermometerConfig(Table):
    """The IR thermometer; ``temperature_c`` is what a simulated one sees."""

    kind: Literal["none", "simulated"] = "none"
    temperature_c: Annotated[float, Field(ge=-40, le=125)] = 36.2
    interval_s: Annotated[float, Field(ge=0.05, le=10)] = 0.25


class BrokerConfig(Table):
    """The community's MQTT broker; the password is read from a file, never from here."""

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    protocol: Literal["5", "3.1.1"] = "5"
    client_id: Name | None = None
    username: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    password_file: FilePath | None = None
    ca_file: FilePath | None = None
    cert_file: FilePath | None = None
    key_file: FilePath | None = None
    keepalive_s: Annotated[int, Field(ge=5, le=600)] = 30

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file needs a username")
        if self.cert_file is not None and self.ca_file is None:
            raise ValueError("cert_file needs ca_file: TLS is on where ca_file is given")
        return self


class StoreConfig(Table):
    """What is kept and for how long."""

    key_file: FilePath | None = None
    keep_photographs: bool = False
    journal_days: Annotated[int, Field(ge=1, le=3650)] = 90


class FaceConfig(Table):
    """How a face is recognised and how sure the gate must be."""

    pack: Name = "dlib"
    threads: Annotated[int, Field(ge=1, le=8)] = 1
    accept_no_pad: bool = False
    accept_licences: tuple[str, ...] = ()
    max_false_grant_rate: Annotated[float, Field(gt=0, le=0.1)] = 0.01
    margin: Annotated[float, Field(ge=0, le=1)] = 0.03
    agreement_frames: Annotated[int, Field(ge=3, le=20)] = 3
    agreement_span_s: Annotated[float, Field(ge=0.2, le=5)] = 0.2
    freshness_s: Annotated[float, Field(ge=0.1, le=0.5)] = 0.5
    attempt_timeout_s: Annotated[float, Field(ge=0.5, le=10)] = 1.5
    attempt_interval_s: Annotated[float, Field(ge=0.5, le=60)] = 2.0
    attempt_interval_max_s: Annotated[float, Field(ge=0.5, le=600)] = 16.0
    track_gap_s: Annotated[float, Field(ge=0.2, le=5)] = 1.0


class ScheduleSpan(Table):
    """A weekly span in the kiosk's time zone; ``until`` before ``from`` runs past midnight."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True
    )

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    from_: Annotated[time, Field(alias="from")]
    until: time


FactorSet = Annotated[
    str,
    Field(
        pattern=FACTORS_PATTERN,
        description="face, pass, id_document; those joined by + are shown together",
    ),
]


class RuleConfig(Table):
    """Who may pass where, when and by what; a category without a rule is refused.

    One of ``factors`` is enough; the parts of one come in any order within ``factor_window_s``.
    """

    categories: Annotated[tuple[Name, ...], Field(min_length=1)]
    access_points: tuple[Name, ...] = Field((), description="empty: all of them")
    factors: Annotated[tuple[FactorSet, ...], Field(min_length=1, max_length=8)] = (
        "face",
        "pass+face",
    )
    factor_window_s: Annotated[float, Field(ge=1, le=120)] = 15.0
    health_certificate: bool = False
    schedule: tuple[ScheduleSpan, ...] = Field((), description="empty: at any time")
    temperature_limit_c: Annotated[float, Field(ge=34.0, le=42.0)] | None = None


class PassConfig(Table):
    """Gate passes; ``community_key_file`` opens the templates on them."""

    community_key_file: FilePath | None = None
    max_false_match_rate: Annotated[float, Field(gt=0, le=0.01)] = 1e-3
    accept_unknown_holders: bool = True


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


class HealthConfig(Table):
    """Health certificates; an older trust list counts as none."""

    trust_max_age_days: Annotated[int, Field(ge=1, le=3650)] = 30
    rules: Literal["stated", "eu-travel"] = "stated"


class ControlConfig(Table):
    """The local socket for commands; without ``socket`` it lies in the runtime or state folder."""

    socket: FilePath | None = None


class ClockConfig(Table):
    """Whose time counts.

    ``trust_system_clock`` vouches for a clock that no NTP client keeps (a battery clock). While no
    clock is trusted, ``untrusted`` denies what depends on dates, or judges them by the latest time
    that surely was. ``time_key_file`` is the public key of whoever signs the time for kiosks, and
    asks them by way of the broker.
    """

    trust_system_clock: bool = False
    time_key_file: FilePath | None = None
    untrusted: Literal["deny", "lower_bound"] = "deny"


class GateConfig(Table):
    """The whole config of one kiosk."""

    kiosk: KioskConfig
    camera: Annotated[tuple[CameraConfig, ...], Field(min_length=1)]
    door: Annotated[tuple[DoorConfig, ...], Field(min_length=1)]
    access_point: Annotated[tuple[AccessPointConfig, ...], Field(min_length=1)]
    indicator: tuple[IndicatorConfig, ...] = ()
    rule: tuple[RuleConfig, ...] = ()
    thermometer: ThermometerConfig = ThermometerConfig()
    broker: BrokerConfig | None = None
    store: StoreConfig = StoreConfig()
    face: FaceConfig = FaceConfig()
    pass_: Annotated[PassConfig, Field(alias="pass")] = PassConfig()
    id_reader: IdReaderConfig = IdReaderConfig()
    health: HealthConfig = HealthConfig()
    control: ControlConfig = ControlConfig()
    clock: ClockConfig = ClockConfig()
