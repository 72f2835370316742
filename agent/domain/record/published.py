"""How much of a decision's trace leaves the kiosk; the journal has all of it.

What is published of an attempt says what came of it, why, by which pack and when. How near a face
came to whom, and how near to a threshold, helps whoever tries again until it fits; how warm
somebody was is nobody's business beyond the gate that asked.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from agent.domain.record.events import ATTEMPTS, Event


class Trace(StrEnum):
    """What of a decision's trace is published; the value is the word in config."""

    FULL = "full"
    MINIMAL = "minimal"


THINNED = frozenset(
    {
        *("score", "runner_up_score", "margin", "frames", "compared"),
        *("threshold", "threshold_fmr", "threshold_extrapolated"),
        *("pad_score", "thermal_score", "temperature_c", "temperature"),
        *("liveness_score", "screen_score", "infrared_score"),
    }
)
"""The keys of an attempt's data that ``Trace.MINIMAL`` leaves out."""

PERSONAL = frozenset({"holder", "pass", "by"})
"""The keys of any event's data by which somebody is known; at the end of retention they go."""

_OF_AN_ATTEMPT = PERSONAL | THINNED


def published(event: Event, trace: Trace) -> Event:
    """``event`` as the broker gets it: its id, its time and whom it is about stay."""
    data = published_data(event, trace)
    if data is event.data:
        return event
    return Event(event.id, event.type, event.time, event.clock_synced, event.access_point, data)


def published_data(event: Event, trace: Trace) -> Mapping[str, Any]:
    """The data of ``published``."""
    if trace is Trace.FULL or event.type not in ATTEMPTS:
        return event.data
    data = event.data
    return {key: data[key] for key in _open_names(tuple(data))}


def covered(event: Event) -> dict[str, Any]:
    """Of the data of ``event`` what may be withheld, or is erased in time: the chain covers it."""
    return {key: event.data[key] for key in covered_names(event)}


def covered_names(event: Event) -> tuple[str, ...]:
    """The keys of ``covered``, sorted."""
    return _among(_OF_AN_ATTEMPT if event.type in ATTEMPTS else PERSONAL, tuple(event.data))


# A kiosk's events have a few sets of keys, and a backlog of decisions asks for each row.
@lru_cache(maxsize=64)
def _open_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in THINNED)


@lru_cache(maxsize=64)
def _among(wanted: frozenset[str], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(wanted & set(names)))
