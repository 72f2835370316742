"""Config's words into the domain's."""

import secrets
from collections.abc import Iterator, Mapping
from datetime import timedelta

from agent.app.open.cues import cue_terms
from agent.app.open.schedules import schedule_of, schedules
from agent.app.open.thermal import thermal_settings, with_temperature
from agent.config import DoorConfig, GateConfig, RuleConfig
from agent.config.tables.camera import infrared_beside
from agent.controller.attempts import Pace
from agent.controller.door import DoorSettings
from agent.controller.lane import LaneSettings
from agent.controller.settings import Degrade, KioskSettings
from agent.domain.access.agreement import Requirements
from agent.domain.access.challenge import Side
from agent.domain.access.part import PartKind
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import Factor
from agent.domain.door.antipassback import Area, PassbackMode
from agent.domain.door.signal import Signal, Wiring
from agent.domain.hours.schedule import Schedule
from agent.domain.record.command import Verb


def kiosk_settings(config: GateConfig, boot_id: str) -> KioskSettings:
    """What the controller needs to know."""
    doors = {door.id: door for door in config.door}
    wired, hours = wirings(config), schedules(config)
    face, infrared = config.face, infrared_beside(config.camera)
    return KioskSettings(
        lanes=tuple(
            LaneSettings(
                access_point=point.id,
                direction=point.direction,
                camera=point.camera,
                door=doors[point.door].output_for(point.direction),
                from_area=point.from_area,
                to_area=point.to_area,
                infrared=point.camera in infrared,
            )
            for point in config.access_point
        ),
        doors=tuple(one for door in config.door for one in _doors(door, wired, hours)),
        wirings=wired,
        degrade=Degrade(tuple(PartKind[part.upper()] for part in config.faults.deny)),
        areas=tuple(
            Area(area.id, PassbackMode(area.anti_passback), area.passback_s) for area in config.area
        ),
        rules=tuple(rule_of(rule, hours, config) for rule in config.rules),
        boot_id=boot_id,
        accept_no_pad=face.accept_no_pad,
        pad_threshold=face.pad_threshold,
        cues=cue_terms(face),
        pace=Pace(face.attempt_timeout_s, face.attempt_interval_s, face.attempt_interval_max_s),
        requirements=Requirements(
            face.agreement_frames,
            face.agreement_span_s,
            face.freshness_s,
            face.margin,
            liveness=face.liveness_cue == "deny",
        ),
        community=config.kiosk.community,
        kiosk=f"{config.kiosk.grid}/{config.kiosk.id}",
        judge_by_lower_bound=config.clock.untrusted == "lower_bound",
        clock_tolerance=timedelta(seconds=config.clock.tolerance_s),
        thermal=thermal_settings(config),
        max_false_grants_per_day=face.max_false_grants_per_day,
        draw_side=lambda: secrets.choice(tuple(Side)),
    )


def _doors(
    door: DoorConfig, wired: tuple[Wiring, ...], hours: Mapping[str, Schedule]
) -> Iterator[DoorSettings]:
    """One for each output of the door."""
    for name in door.outputs:
        has = {wiring.signal for wiring in wired if wiring.door == name}
        yield DoorSettings(
            door=name,
            pulse_s=door.pulse_s,
            max_pulse_s=door.max_pulse_s,
            window_s=door.passage_window_s,
            held_open_s=door.held_open_s,
            contact=Signal.CONTACT in has,
            passage_sensor=Signal.PASSAGE in has,
            feedback=Signal.FEEDBACK in has,
            free_passage=hours.get(door.free_passage_schedule or ""),
            lockdown=hours.get(door.lockdown_schedule or ""),
        )


def wirings(config: GateConfig) -> tuple[Wiring, ...]:
    """What each input is for; one of a turnstile that names no direction counts for both."""
    doors = {door.id: door for door in config.door}
    found: list[Wiring] = []
    for one in config.input:
        names: list[str | None] = [None]
        if one.door is not None and one.door in doors:
            door = doors[one.door]
            names = [*door.outputs] if one.direction is None else [door.output_for(one.direction)]
        found += [Wiring(one.id, one.kind, name) for name in names]
    return tuple(found)


def rules_may_come(config: GateConfig) -> bool:
    """Whether the community may say other rules than the config has."""
    by_registry = config.registry is not None and config.registry.rules
    return by_registry or any(Verb.SET_RULE in one.verbs for one in config.command_key)


def reads_symbols(config: GateConfig, access_point: str) -> bool:
    """Whether a rule there asks for what is shown as a symbol, or one may come that does."""
    return rules_may_come(config) or any(
        rule.health_certificate or any("pass" in factors.split("+") for factors in rule.factors)
        for rule in config.rules
        if not rule.access_points or access_point in rule.access_points
    )


def rule_of(rule: RuleConfig, hours: Mapping[str, Schedule], config: GateConfig) -> Rule:
    """One rule of the config's, with what else the config says where it says nothing."""
    plain = Rule(
        categories=frozenset(rule.categories),
        access_points=frozenset(rule.access_points),
        schedule=schedule_of(rule, hours, config.kiosk.timezone),
        factors=tuple(frozenset(map(Factor, one.split("+"))) for one in rule.factors),
        health_certificate=rule.health_certificate,
        factor_window_s=rule.factor_window_s,
        accept_unknown_holders=config.pass_.accept_unknown_holders
        if rule.accept_unknown_holders is None
        else rule.accept_unknown_holders,
        accept_no_pad=rule.accept_no_pad,
        challenge=rule.challenge,
    )
    return with_temperature(plain, rule, config)
