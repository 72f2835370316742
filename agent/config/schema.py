"""The whole config of one kiosk: each field with its range and unit, nothing else allowed.

Values are checked here one by one and against each other; what they mean is made of them in
``agent.app``, where config becomes domain values.
"""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from agent.config.base import FilePath, Name, Table
from agent.config.hardware import (
    CameraConfig,
    DoorConfig,
    IdReaderConfig,
    IndicatorConfig,
    InputConfig,
    ThermometerConfig,
)
from agent.config.rules import AreaConfig, RuleConfig
from agent.config.schedules import HolidayConfig, ScheduleConfig
from agent.config.voice import VoiceConfig


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


class AccessPointConfig(Table):
    """One door or lane in one direction."""

    id: Name
    direction: Literal["entry", "exit"]
    camera: Name
    door: Name
    from_area: Name | None = Field(None, description="of [[area]]: where one comes from")
    to_area: Name | None = Field(None, description="of [[area]]: where one goes")


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


class PassConfig(Table):
    """Gate passes; ``community_key_file`` opens the templates on them."""

    community_key_file: FilePath | None = None
    max_false_match_rate: Annotated[float, Field(gt=0, le=0.01)] = 1e-3
    accept_unknown_holders: bool = True


class HealthConfig(Table):
    """Health certificates; an older trust list counts as none."""

    trust_max_age_days: Annotated[int, Field(ge=1, le=3650)] = 30
    rules: Literal["stated", "eu-travel"] = "stated"


class FaultsConfig(Table):
    """Which faults keep the gate closed; a dead camera or output does whatever stands here.

    ``min_free_mb`` is how much of the disk must be free; less is the fault ``disk``.
    """

    deny: tuple[
        Literal["journal", "disk", "tamper", "feedback", "inputs", "latches", "gallery"], ...
    ] = ("feedback",)
    min_free_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 100


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
    input: tuple[InputConfig, ...] = ()
    area: tuple[AreaConfig, ...] = ()
    schedule: Annotated[tuple[ScheduleConfig, ...], Field(max_length=64)] = ()
    holiday: Annotated[tuple[HolidayConfig, ...], Field(max_length=32)] = ()
    rule: tuple[RuleConfig, ...] = ()
    thermometer: ThermometerConfig = ThermometerConfig()
    broker: BrokerConfig | None = None
    store: StoreConfig = StoreConfig()
    face: FaceConfig = FaceConfig()
    pass_: Annotated[PassConfig, Field(alias="pass")] = PassConfig()
    id_reader: IdReaderConfig = IdReaderConfig()
    voice: VoiceConfig = VoiceConfig()
    health: HealthConfig = HealthConfig()
    faults: FaultsConfig = FaultsConfig()
    control: ControlConfig = ControlConfig()
    clock: ClockConfig = ClockConfig()
