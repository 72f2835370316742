"""The kiosk's config: TOML in, a frozen schema out, every error at once."""

from agent.config.load import ConfigFile, load_config
from agent.config.schema import GateConfig
from agent.config.tables.access_point import AccessPointConfig
from agent.config.tables.area import AreaConfig
from agent.config.tables.broker import BrokerConfig
from agent.config.tables.camera import CameraConfig, ZoneConfig
from agent.config.tables.clock import ClockConfig
from agent.config.tables.control import ControlConfig
from agent.config.tables.door import DoorConfig
from agent.config.tables.face import FaceConfig, OperatingPointConfig
from agent.config.tables.id_reader import IdReaderConfig
from agent.config.tables.indicator import IndicatorConfig
from agent.config.tables.input import InputConfig
from agent.config.tables.kiosk import KioskConfig
from agent.config.tables.rule import RuleConfig
from agent.config.tables.schedule import HolidayConfig, ScheduleConfig, ScheduleSpan
from agent.config.tables.store import StoreConfig
from agent.config.tables.thermometer import ThermometerConfig

__all__ = [
    "AccessPointConfig",
    "AreaConfig",
    "BrokerConfig",
    "CameraConfig",
    "ClockConfig",
    "ConfigFile",
    "ControlConfig",
    "DoorConfig",
    "FaceConfig",
    "GateConfig",
    "HolidayConfig",
    "IdReaderConfig",
    "IndicatorConfig",
    "InputConfig",
    "KioskConfig",
    "OperatingPointConfig",
    "RuleConfig",
    "ScheduleConfig",
    "ScheduleSpan",
    "StoreConfig",
    "ThermometerConfig",
    "ZoneConfig",
    "load_config",
]
