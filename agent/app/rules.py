"""Config's words into the domain's."""

from zoneinfo import ZoneInfo

from agent.config import GateConfig, RuleConfig
from agent.controller.attempts import Pace
from agent.controller.judge import KioskSettings
from agent.controller.lane import LaneSettings
from agent.domain.agreement import Requirements
from agent.domain.factor import Factor
from agent.domain.rule import Rule
from agent.domain.schedule import Schedule, Span

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def kiosk_settings(config: GateConfig, boot_id: str) -> KioskSettings:
    """What the controller needs to know."""
    doors = {door.id: door for door in config.door}
    face = config.face
    return KioskSettings(
        lanes=tuple(
            LaneSettings(
                access_point=point.id,
                direction=point.direction,
                camera=point.camera,
                door=point.door,
                pulse_s=doors[point.door].pulse_s,
                max_pulse_s=doors[point.door].max_pulse_s,
            )
            for point in config.access_point
        ),
        rules=tuple(_rule(rule, config.kiosk.timezone) for rule in config.rule),
        boot_id=boot_id,
        accept_no_pad=face.accept_no_pad,
        pace=Pace(face.attempt_timeout_s, face.attempt_interval_s, face.attempt_interval_max_s),
        requirements=Requirements(
            face.agreement_frames, face.agreement_span_s, face.freshness_s, face.margin
        ),
        community=config.kiosk.community,
        kiosk=f"{config.kiosk.grid}/{config.kiosk.id}",
        judge_by_lower_bound=config.clock.untrusted == "lower_bound",
        accept_unknown_holders=config.pass_.accept_unknown_holders,
    )


def reads_symbols(config: GateConfig, access_point: str) -> bool:
    """Whether a rule there asks for what is shown as a symbol."""
    return any(
        rule.health_certificate or any("pass" in factors.split("+") for factors in rule.factors)
        for rule in config.rule
        if not rule.access_points or access_point in rule.access_points
    )


def _rule(rule: RuleConfig, timezone: str) -> Rule:
    spans = tuple(
        Span(frozenset(_WEEKDAYS.index(day) for day in span.days), span.from_, span.until)
        for span in rule.schedule
    )
    return Rule(
        categories=frozenset(rule.categories),
        access_points=frozenset(rule.access_points),
        schedule=Schedule(spans, ZoneInfo(timezone)) if spans else None,
        temperature_limit_c=rule.temperature_limit_c,
        factors=tuple(frozenset(map(Factor, one.split("+"))) for one in rule.factors),
        health_certificate=rule.health_certificate,
        factor_window_s=rule.factor_window_s,
    )
