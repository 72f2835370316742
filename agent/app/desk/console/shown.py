"""What of a status and of a decision the page shows: by lists of what may be, so nobody by name."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from agent.config import GateConfig
from agent.domain.access.part import PartKind
from agent.domain.hours.instant import local_text
from agent.operations.decisions import grants, in_words, of_walk_test
from agent.ports import StoredEvent

_OF_STATUS = (
    *("version", "started", "time", "clock_synced", "clock", "unpublished", "last_sequence"),
    *("pack", "pack_version", "pack_not_measured_for", "pad", "face_without_pad"),
    *("holders", "references", "ambiguous_holders", "unreadable_rows", "threshold"),
    *("access_points", "modes", "causes", "broker", "broker_why", "false_grants", "walk_test"),
)
_OF_TRACE = (
    *("factors", "missing", "compared", "frames", "score", "threshold", "runner_up_score"),
    *("margin", "threshold_fmr", "threshold_extrapolated", "pad_score", "liveness_score"),
    *("screen_score", "infrared_score", "thermal_score", "warnings", "challenge", "passback"),
    *("direction", "pack", "pack_version", "stage_ms", "recorded_late"),
)
"""How warm somebody was is not among them: that is between them and the gate."""


def status_shown(status: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of a running agent; faults are ``parts_shown``."""
    return {name: status[name] for name in _OF_STATUS if name in status}


def parts_shown(config: GateConfig, status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each part of the config and whatever else is in fault: its name, what is wrong, its fix."""
    faults = dict(status.get("faults", {}))
    if status.get("broker") == "away":
        # No fault of the gate, which opens without one; and yet what somebody looks for here.
        faults.setdefault(PartKind.BROKER.part(), status.get("broker_why") or "away")
    parts = [
        *(PartKind.CAMERA.part(one.id) for one in config.camera),
        *(PartKind.DOOR.part(name) for one in config.door for name in one.outputs),
        *(PartKind.INPUT.part(one.id) for one in config.input),
    ]
    if config.thermometer.kind != "none":
        parts.append(PartKind.THERMOMETER.part())
    if config.id_reader.port is not None:
        parts.append(PartKind.ID_READER.part())
    if config.voice.kind != "none":
        parts.append(PartKind.VOICE.part())
    if config.broker is not None:
        parts.append(PartKind.BROKER.part())
    return [_part(part, faults.get(part)) for part in dict.fromkeys([*faults, *parts])]


def _part(part: str, wrong: object) -> dict[str, Any]:
    said, _, fix = ("" if wrong is None else str(wrong)).partition("\nFix: ")
    return {"part": part, "well": wrong is None, "said": said or None, "fix": fix or None}


def decision_shown(stored: StoredEvent, zone: tzinfo) -> dict[str, Any]:
    """A decision with its trace; of whom it is about, so much as tells two of them apart."""
    event = stored.event
    holder = event.data.get("holder")
    return {
        "row": stored.row,
        "time": local_text(event.time, zone),
        "sure": event.clock_synced,
        "access_point": event.access_point,
        "granted": grants(event.type),
        "walk_test": of_walk_test(event.type),
        "reason": event.data.get("reason"),
        "why": in_words(event.data.get("reason")),
        "who": None if holder is None else covered(str(holder)),
        "trace": {name: event.data[name] for name in _OF_TRACE if name in event.data},
    }


def covered(holder: str) -> str:
    """The first sign of a holder's id: an id may be made of a name."""
    return f"{holder[:1]}…"
