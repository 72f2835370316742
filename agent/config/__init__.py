"""The kiosk's config: TOML in, a frozen schema out, every error at once."""

from agent.config.load import ConfigFile, load_config
from agent.config.schema import (
    AccessPointConfig,
    BrokerConfig,
    CameraConfig,
    ClockConfig,
    ControlConfig,
    DoorConfig,
    FaceConfig,
    GateConfig,
    KioskConfig,
    RuleConfig,
    ScheduleSpan,
    StoreConfig,
    ThermometerConfig,
    ZoneConfig,
)

__all__ = [
    "AccessPointConfig",
    "BrokerConfig",
    "CameraConfig",
    "ClockConfig",
    "ConfigFile",
    "ControlConfig",
    "DoorConfig",
    "FaceConfig",
    "GateConfig",
    "KioskConfig",
    "RuleConfig",
    "ScheduleSpan",
    "StoreConfig",
    "ThermometerConfig",
    "ZoneConfig",
    "load_config",
]
