"""The kiosk's config: TOML in, a frozen schema out, every error at once."""

from agent.config.hardware import (
    CameraConfig,
    DoorConfig,
    IdReaderConfig,
    IndicatorConfig,
    InputConfig,
    ThermometerConfig,
    ZoneConfig,
)
from agent.config.load import ConfigFile, load_config
from agent.config.rules import AreaConfig, RuleConfig
from agent.config.schedules import HolidayConfig, ScheduleConfig, ScheduleSpan
from agent.config.schema import (
    AccessPointConfig,
    BrokerConfig,
    ClockConfig,
    ControlConfig,
    FaceConfig,
    GateConfig,
    KioskConfig,
    StoreConfig,
)

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
    "RuleConfig",
    "ScheduleConfig",
    "ScheduleSpan",
    "StoreConfig",
    "ThermometerConfig",
    "ZoneConfig",
    "load_config",
]
