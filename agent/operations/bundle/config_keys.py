"""Which values of the config go into the bundle: the list. All others are masked.

A value passes only if it also has the form that the schema gives its key: a number, a truth value,
one of some words, a time of day. No key that holds text of a person's choice is on the list, but
for names of parts, for which numbers stand.
"""

import enum
import typing
from collections.abc import Iterator, Mapping
from datetime import time
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel

from agent.config.schema import GateConfig
from agent.operations.bundle.forms import (
    Form,
    Names,
    clock_time,
    each,
    fields,
    flag,
    number,
    presence,
    words,
)
from agent.vision.packs.manifest import offered_names

_MOST = 1e8
"""No number of the config is larger, and an ID or telephone number is."""

SHOWN: Mapping[str, str] = {
    "kiosk": "timezone",
    "camera": "id kind width height fps field_of_view_deg loop frozen timeout_s spectrum beside",
    "camera.zone": "x y width height min_face_px",
    "camera.aim": "offset_x offset_y scale",
    "door": "pin_factory id kind pin exit_pin active_high lock energised pull_resistor pulse_s"
    " max_pulse_s passage_window_s held_open_s free_passage_schedule lockdown_schedule",
    "access_point": "id direction camera door from_area to_area",
    "indicator": "pin_factory access_point kind red_pin green_pin blue_pin buzzer_pin"
    " alarm_buzzer sign_buzzer active_high",
    "input": "pin_factory id kind pin active_high pull door direction debounce_s",
    "area": "id anti_passback passback_s",
    "schedule": "id",
    "schedule.spans": "days from until",
    "holiday": "id",
    "rule": "access_points factors factor_window_s accept_unknown_holders accept_no_pad challenge"
    " health_certificate temperature_limit_c baseline_delta_c elevated second_reading_after_s"
    " unreliable",
    "rule.schedule": "days from until",
    "thermometer": "access_point samples_min measure_timeout_s spread_max_c skin_min_c skin_max_c"
    " ambient_min_c ambient_max_c ambient_reference_c ambient_correction baseline_hours elevated"
    " second_reading_after_s unreliable attack_cue attack_threshold aim_x_deg aim_y_deg kind"
    " temperature_c stuck interval_s field_of_view_deg bus address emissivity check_pec refresh_hz"
    " self_heating_k mirrored upside_down",
    "broker": "port protocol keepalive_s health_every_s backlog_per_s home_assistant",
    "command_key": "verbs access_points",
    "registry": "on_premises max_update_mb",
    "events": "trace",
    "store": "keep_photographs snapshot_max_age_s journal_days journal_mb journal_events"
    " written_mb_a_day",
    "store.backup": "keep models same_disk max_age_days",
    "face": "pack threads accept_no_pad pad_threshold liveness_cue liveness_threshold screen_cue"
    " screen_threshold ir_cue ir_threshold max_false_grant_rate max_false_grants_per_day margin"
    " agreement_frames agreement_span_s freshness_s attempt_timeout_s attempt_interval_s"
    " attempt_interval_max_s track_gap_s",
    "pass": "max_false_match_rate accept_unknown_holders",
    "id_reader": "kind access_point",
    "voice": "kind access_point announcements speak_text",
    "voice.quiet": "from until",
    "health": "trust_max_age_days rules",
    "faults": "deny min_free_mb",
    "clock": "trust_system_clock untrusted tolerance_s",
}
"""By table: the keys whose values are shown, as the file spells them."""

_NAMES = {
    "camera.id": "camera",
    "camera.beside": "camera",
    "door.id": "door",
    "door.free_passage_schedule": "schedule",
    "door.lockdown_schedule": "schedule",
    "access_point.id": "access_point",
    "access_point.camera": "camera",
    "access_point.door": "door",
    "access_point.from_area": "area",
    "access_point.to_area": "area",
    "indicator.access_point": "access_point",
    "input.id": "input",
    "input.door": "door",
    "area.id": "area",
    "schedule.id": "schedule",
    "holiday.id": "holiday",
    "rule.access_points": "access_point",
    "command_key.access_points": "access_point",
    "thermometer.access_point": "access_point",
    "id_reader.access_point": "access_point",
    "voice.access_point": "access_point",
}
"""What names a part of the kiosk, and of which kind."""
_FACTORS = ("face", "pass", "id_document", "card")


def config_form(names: Names) -> Form:
    """The form of the whole config, as it lies in the file."""
    return _table(GateConfig, "", names)


def unknown_keys() -> list[str]:
    """What is on the list and not in the schema, or is text there; a test holds it empty."""
    known = {f"{table}.{key}": kind for table, key, kind in _leaves(GateConfig, "")}
    listed = [f"{table}.{key}" for table, keys in SHOWN.items() for key in keys.split()]
    special = {*_NAMES, "kiosk.timezone", "face.pack", "rule.factors"}
    return [
        path
        for path in listed
        if path not in known or (path not in special and _closed(known[path]) is None)
    ]


def _leaves(table: type[BaseModel], path: str) -> Iterator[tuple[str, str, Any]]:
    for name, field in table.model_fields.items():
        key = field.alias or name
        inner = list(_tables(field.annotation))
        for one in inner:
            yield from _leaves(one, f"{path}.{key}".lstrip("."))
        if not inner:
            yield path, key, field.annotation


def _table(table: type[BaseModel], path: str, names: Names) -> Form:
    allowed = SHOWN.get(path, "").split()
    forms: dict[str, Form] = {}
    for name, field in table.model_fields.items():
        key = field.alias or name
        place = f"{path}.{key}".lstrip(".")
        inner = list(_tables(field.annotation))
        if inner:
            forms[key] = _one_or_more([_table(one, place, names) for one in inner])
        else:
            shown = _leaf(place, field.annotation, names) if key in allowed else None
            forms[key] = shown or presence
    return fields(**forms)


def _one_or_more(forms: list[Form]) -> Form:
    """A table, or a list of them; of several kinds, the one that leaves the least out."""

    def one(value: Any) -> Any:
        made = [form(value) for form in forms]
        return min(made, key=lambda it: it.get("left_out", 0) if isinstance(it, dict) else 0)

    return lambda value: [one(item) for item in value] if isinstance(value, list) else one(value)


def _leaf(place: str, annotation: Any, names: Names) -> Form | None:
    form: Form | None
    if place in _NAMES:
        form = names.of(_NAMES[place])
    elif place == "kiosk.timezone":
        form = words(*available_timezones())
    elif place == "face.pack":
        form = words(*offered_names())
    elif place == "rule.factors":
        form = _factors
    else:
        form = _closed(annotation)
    if form is None:
        return None
    single = form
    return lambda value: each(single)(value) if isinstance(value, list) else single(value)


def _factors(value: Any) -> Any:
    known = isinstance(value, str) and set(value.split("+")) <= set(_FACTORS)
    return value if known else presence(value)


def _closed(annotation: Any) -> Form | None:
    """The form of a type of which no value is free text; None for every other."""
    if annotation is bool:
        return flag
    if annotation in (int, float):
        return lambda value: number(value, _MOST)
    if annotation is time:
        return clock_time
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return words(*(str(one.value) for one in annotation))
    if typing.get_origin(annotation) is typing.Literal:
        options = typing.get_args(annotation)
        if all(isinstance(one, str) for one in options):
            return words(*options)
        return lambda value: number(value, _MOST)
    inner = [one for one in _arguments(annotation) if one is not type(None) and one is not Ellipsis]
    return _closed(inner[0]) if len(inner) == 1 else None


def _arguments(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) is typing.Annotated:
        return typing.get_args(annotation)[:1]
    return typing.get_args(annotation)


def _tables(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _tables(inner)
