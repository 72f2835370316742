"""What of the agent's own words goes into the bundle: a form for each thing that it says."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import agent
from agent.domain.credential.reason import Reason
from agent.domain.door.access_point import State
from agent.domain.door.door_mode import Cause, Mode
from agent.domain.hours.instant import utc_text
from agent.domain.hours.reckoning import Certainty
from agent.domain.record.events import EventType
from agent.domain.record.registry_sync import SyncReason
from agent.domain.sight.thresholds import Source
from agent.operations.bundle.forms import (
    MASK,
    Form,
    Names,
    by_word,
    each,
    fields,
    flag,
    moment,
    number,
    version,
    words,
)
from agent.ports import StoredEvent
from agent.technician.checks import all_rows, row_of
from agent.technician.verdict import Status
from agent.vision.packs.manifest import offered_names

_STAGES = ("calm", "suspected", "second_factor")
_OF_DECISION = (EventType.ACCESS_GRANTED, EventType.ACCESS_DENIED)
_TOLD = frozenset(
    {
        *(EventType.FAULT_RAISED, EventType.FAULT_CLEARED),
        *(EventType.AGENT_STARTED, EventType.AGENT_STOPPED, EventType.CLOCK_SET),
        *(EventType.JOURNAL_SET_ASIDE, EventType.JOURNAL_EVENTS_LOST),
        *(EventType.STATE_ADOPTED, EventType.STATE_ACCEPTED),
        *(EventType.RULES_CHANGED, EventType.MODEL_CHANGED, EventType.KEY_ROTATED),
    }
)
"""What happened to the kiosk, and not to a person."""
_LEVELS = ("debug", "info", "warning", "error", "critical")
_SAYS = re.compile(r"""\b_?log\.\w+\(\s*"([a-z][a-z0-9_.]*)\"""")


def status_form(names: Names) -> Form:
    """Of a running agent's status."""
    point = names.keyed
    return fields(
        online=flag,
        contract=number,
        version=version,
        started=moment,
        time=moment,
        clock_synced=flag,
        last_sequence=number,
        unpublished=number,
        pack=words(*offered_names()),
        pack_version=version,
        holders=number,
        references=number,
        ambiguous_holders=number,
        unreadable_rows=number,
        holders_of_other_packs=number,
        threshold=fields(
            score=number,
            fmr=number,
            extrapolated=flag,
            sufficient=flag,
            decided_by=words(*(one.value for one in Source)),
        ),
        face_without_pad=flag,
        pad=fields(packs=by_word(offered_names(), version), threshold=number),
        faults=names.parts,
        access_points=point("access_point", words(*(one.value for one in State))),
        modes=point("access_point", words(*(one.value for one in Mode))),
        causes=point("access_point", words(*(one.value for one in Cause))),
        false_grants=fields(
            max_per_day=number,
            access_points=point(
                "access_point",
                fields(
                    stage=words(*_STAGES),
                    threshold=number,
                    fmr=number,
                    attempts=number,
                    left=number,
                    expected_last_day=number,
                ),
            ),
        ),
        walk_test=fields(until=moment),
        clock=_clock,
        registry_sync=fields(
            version=number,
            since=moment,
            waiting=by_word(("parts", "of", "receipts"), number),
            refused=by_word([one.value for one in SyncReason], number),
        ),
        broker=words("connected", "away", "none"),
        unreadable=_counts,
        commands_refused=_counts,
        inside=names.keyed("area", number),
        written=_written,
    )


def health_form(names: Names) -> Form:
    """Of a heartbeat."""
    return fields(
        contract=number,
        time=moment,
        clock_synced=flag,
        version=version,
        uptime_s=number,
        queue=fields(last_sequence=number, unpublished=number),
        disk=by_word(("free_bytes", "total_bytes"), number),
        temperatures_c=_numbers,
        clock=_clock,
        faults=names.parts,
        holders=number,
        references=number,
        expected_false_grants_last_day=number,
        commands_refused=_counts,
        written=_written,
    )


def _written(value: Any) -> Any:
    return fields(
        bytes=number,
        log_bytes=number,
        device_bytes=number,
        budget_bytes=number,
        over=flag,
        measured=flag,
        by=lambda by: sum(by.values()) if isinstance(by, Mapping) else MASK,
    )(value)


def _clock(value: Any) -> Any:
    states = words(*(one.value for one in Certainty))
    return fields(state=states, confirmed=moment, claimed=moment)(value)


def _counts(value: Any) -> Any:
    """How many altogether: by what is counted may be a word from outside."""
    if not isinstance(value, Mapping):
        return None if value is None else MASK
    return sum(one for one in value.values() if isinstance(one, int))


def _numbers(value: Any) -> Any:
    """The numbers of an object whose keys are anybody's."""
    return each(number)(list(value.values())) if isinstance(value, Mapping) else MASK


def check_form(names: Names) -> Form:
    """Of a check of the doctor: its name, its status, what that means; never what it saw."""
    meanings = words(*{one.meaning for row in all_rows() for one in (*row.findings, row.missing)})
    fixes = {one.fix for row in all_rows() for one in (*row.findings, row.missing)}
    known = words(*(fix for fix in fixes if fix is not None))

    def name(value: Any) -> Any:
        kind, _, which = str(value).partition(" ")
        if kind in {"camera", "input"} and which:
            return f"{kind} {names.of(kind)(which)}"
        return value if row_of(str(value)).name == value else MASK

    return fields(
        name=name,
        status=words(*(one.value for one in Status)),
        ok=flag,
        meaning=meanings,
        fix=known,
        detail=lambda _: MASK,
    )


def happened(stored: Iterable[StoredEvent], names: Names) -> list[dict[str, Any]]:
    """What happened to the kiosk, in order: when, what, to which part."""
    return [
        {
            "sequence": one.sequence,
            "time": utc_text(one.event.time),
            "clock_synced": one.event.clock_synced,
            "type": one.event.type.value,
            **({"part": names.part(one.event.data["part"])} if "part" in one.event.data else {}),
        }
        for one in stored
        if one.event.type in _TOLD
    ]


def counted(stored: Iterable[StoredEvent]) -> dict[str, Any]:
    """How many events there were of each type, and decisions by reason."""
    types: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    known = words(*(one.value for one in Reason))
    late = 0
    for one in stored:
        types[one.event.type.value] += 1
        late += one.event.data.get("recorded_late") is True
        if one.event.type in _OF_DECISION:
            reasons[str(known(one.event.data.get("reason")) or "granted")] += 1
    return {
        "types": dict(sorted(types.items())),
        "decisions": dict(sorted(reasons.items())),
        "recorded_late": late,
    }


def log_lines(lines: Iterable[str]) -> dict[str, Any]:
    """Lines of journald, each as its time, its level, its module and its word if they are ours.

    What else a line says is left out; lines that are no log of the agent are counted.
    """
    said, others = [], 0
    for line in lines:
        entry = _entry(line)
        if entry is None:
            others += 1
        else:
            said.append(entry)
    return {"lines": said, "others": others}


def _entry(line: str) -> dict[str, Any] | None:
    try:
        outer = json.loads(line)
        stamp = int(outer["__REALTIME_TIMESTAMP"]) / 1e6
        inner = json.loads(outer["MESSAGE"])
        event, logger, level = inner["event"], inner.get("logger"), inner.get("level")
    except (ValueError, KeyError, TypeError):
        return None
    known = isinstance(event, str) and event in log_words()
    return {
        "utc_s": number(stamp),
        "level": words(*_LEVELS)(level),
        "module": logger if isinstance(logger, str) and logger in _modules() else MASK,
        "event": event if known else MASK,
    }


@cache
def log_words() -> frozenset[str]:
    """What the agent may log: the words that stand in its own source, and the names of events."""
    found = {one.value for one in EventType}
    for source in _sources():
        found.update(_SAYS.findall(source.read_text("utf-8")))
    return frozenset(found)


@cache
def _modules() -> Collection[str]:
    root = Path(agent.__file__).parent.parent
    return frozenset(
        ".".join(source.relative_to(root).with_suffix("").parts) for source in _sources()
    )


def _sources() -> list[Path]:
    return sorted(Path(agent.__file__).parent.rglob("*.py"))
