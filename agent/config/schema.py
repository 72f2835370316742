"""The list of the config's tables: which there are, how often, and which may be left out.

What each says, owes the others, warns of and is summed up by stands in its file of ``tables``;
what it means is made of it in ``agent.app``, where config becomes domain values.
"""

from typing import Annotated

from pydantic import Field

from agent.config.base import Table
from agent.config.tables.access_point import AccessPointConfig
from agent.config.tables.area import AreaConfig
from agent.config.tables.broker import BrokerConfig
from agent.config.tables.camera import CameraConfig
from agent.config.tables.clock import ClockConfig
from agent.config.tables.command_key import CommandKeyConfig
from agent.config.tables.control import ControlConfig
from agent.config.tables.credentials import HealthConfig, PassConfig
from agent.config.tables.door import DoorConfig
from agent.config.tables.events import EventsConfig
from agent.config.tables.face import FaceConfig
from agent.config.tables.faults import FaultsConfig
from agent.config.tables.id_reader import IdReaderConfig
from agent.config.tables.indicator import IndicatorConfig
from agent.config.tables.input import InputConfig
from agent.config.tables.kiosk import KioskConfig
from agent.config.tables.readers.card_format import CardFormatConfig
from agent.config.tables.readers.reader import ReaderConfig
from agent.config.tables.registry import RegistryConfig
from agent.config.tables.rule import RuleConfig
from agent.config.tables.schedule import HolidayConfig, ScheduleConfig
from agent.config.tables.store import StoreConfig
from agent.config.tables.thermometer import ThermometerConfig
from agent.config.tables.voice import VoiceConfig


class GateConfig(Table):
    """The whole config of one kiosk."""

    kiosk: KioskConfig
    camera: Annotated[tuple[CameraConfig, ...], Field(min_length=1)]
    door: Annotated[tuple[DoorConfig, ...], Field(min_length=1)]
    access_point: Annotated[tuple[AccessPointConfig, ...], Field(min_length=1)]
    indicator: tuple[IndicatorConfig, ...] = ()
    input: tuple[InputConfig, ...] = ()
    reader: Annotated[tuple[ReaderConfig, ...], Field(max_length=16)] = ()
    card_format: Annotated[tuple[CardFormatConfig, ...], Field(max_length=16)] = ()
    area: tuple[AreaConfig, ...] = ()
    schedule: Annotated[tuple[ScheduleConfig, ...], Field(max_length=64)] = ()
    holiday: Annotated[tuple[HolidayConfig, ...], Field(max_length=32)] = ()
    rule: tuple[RuleConfig, ...] = ()
    thermometer: ThermometerConfig = ThermometerConfig()
    broker: BrokerConfig | None = None
    command_key: Annotated[tuple[CommandKeyConfig, ...], Field(max_length=32)] = ()
    registry: RegistryConfig | None = None
    events: EventsConfig = EventsConfig()
    store: StoreConfig = StoreConfig()
    face: FaceConfig = FaceConfig()
    pass_: Annotated[PassConfig, Field(alias="pass")] = PassConfig()
    id_reader: IdReaderConfig = IdReaderConfig()
    voice: VoiceConfig = VoiceConfig()
    health: HealthConfig = HealthConfig()
    faults: FaultsConfig = FaultsConfig()
    control: ControlConfig = ControlConfig()
    clock: ClockConfig = ClockConfig()
