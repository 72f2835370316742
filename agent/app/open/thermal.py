"""The thermometer's words of the config into the domain's."""

from dataclasses import replace

from agent.config import GateConfig, RuleConfig
from agent.controller.thermal import ThermalSettings
from agent.domain.access.rule import Elevated, Rule, WhenUnreliable
from agent.domain.skin.optics import Optics
from agent.domain.skin.skin_temperature import SkinSettings
from agent.domain.skin.thermal_cue import AttackCue

_ARRAYS: dict[int, tuple[float, int]] = {55: (35.0, 32), 110: (75.0, 32)}
"""MLX90640 by its horizontal field of view: the vertical one in degrees, and its columns."""


def thermal_settings(config: GateConfig) -> ThermalSettings:
    """How skin is measured at this kiosk."""
    part = config.thermometer
    cameras = {point.id: point.camera for point in config.access_point}
    return ThermalSettings(
        skin=SkinSettings(
            samples_min=part.samples_min,
            ambient_offset_c_per_c=part.ambient_correction,
            ambient_reference_c=part.ambient_reference_c,
            ambient_min_c=part.ambient_min_c,
            ambient_max_c=part.ambient_max_c,
            spread_max_c=part.spread_max_c,
            skin_min_c=part.skin_min_c,
            skin_max_c=part.skin_max_c,
        ),
        optics=_optics(config),
        camera=cameras.get(part.access_point) if part.access_point is not None else None,
        measure_timeout_s=part.measure_timeout_s,
        baseline_hours=part.baseline_hours,
        attack_cue=AttackCue(part.attack_cue) if part.kind != "none" else AttackCue.OFF,
        attack_threshold=part.attack_threshold,
    )


def with_temperature(rule: Rule, words: RuleConfig, config: GateConfig) -> Rule:
    """``rule`` with what its own words, or else the thermometer's, say about temperatures."""
    part = config.thermometer
    after_s = words.second_reading_after_s
    return replace(
        rule,
        temperature_limit_c=words.temperature_limit_c,
        baseline_delta_c=words.baseline_delta_c,
        elevated=Elevated(words.elevated or part.elevated),
        second_reading_after_s=part.second_reading_after_s if after_s is None else after_s,
        unreliable=WhenUnreliable(words.unreliable or part.unreliable),
    )


def _optics(config: GateConfig) -> dict[str, Optics]:
    """By camera; empty where nobody said what the thermometer sees: a simulated one."""
    part = config.thermometer
    if part.field_of_view_deg is None:
        return {}
    array = _ARRAYS.get(part.field_of_view_deg)
    return {
        camera.id: Optics(
            frame_width_px=camera.width,
            frame_height_px=camera.height,
            camera_fov_deg=camera.field_of_view_deg,
            thermometer_fov_deg=part.field_of_view_deg,
            thermometer_fov_v_deg=array[0] if array is not None else None,
            columns=array[1] if array is not None else None,
            aim_x_deg=part.aim_x_deg,
            aim_y_deg=part.aim_y_deg,
        )
        for camera in config.camera
    }
