"""The list of the config's tables: which there are, how often, and which may be left out.

What each says, owes the others, warns of and is summed up by stands in its file of ``tables``;
what it means is made of it in ``agent.app``, where config becomes domain values.
"""

from typing import Annotated

from pydantic import Field

from agent.config.base import Table
from agent.config.eleven import ELEVEN
from agent.config.lines import KeyPath
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
from agent.config.tables.registers.category import CategoryConfig
from agent.config.tables.registers.registers import RegistersConfig
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
    registers: RegistersConfig = RegistersConfig()
    category: Annotated[tuple[CategoryConfig, ...], Field(max_length=64)] = ()
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

    @property
    def categories(self) -> tuple[CategoryConfig, ...]:
        """Every archive category: the config's, then those by default whose id it does not say."""
        said = {one.id for one in self.category}
        return (*self.category, *(one for one in ELEVEN if one.id not in said))

    @property
    def rules(self) -> tuple[RuleConfig, ...]:
        """Every rule: those of the config, then those that its categories make."""
        return (*self.rule, *(rule for rule, _ in self.made_rules()))

    def made_rules(self) -> list[tuple[RuleConfig, KeyPath]]:
        """The rules that categories make, each with the table of which it was made.

        A category by default that a [[rule]] names passes by that alone.
        """
        named = {name for rule in self.rule for name in rule.categories}
        found: list[tuple[RuleConfig, KeyPath]] = []
        for i, one in enumerate(self.categories):
            said = i < len(self.category)
            if said or (self.registers.defaults and one.id not in named):
                rule = one.rule()
                path: KeyPath = ("category", i) if said else ("registers", "defaults")
                if rule is not None:
                    found.append((rule, path))
        return found
