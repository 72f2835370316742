"""The config's schedules into the domain's."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from agent.config import GateConfig, RuleConfig, ScheduleSpan
from agent.domain.hours.holidays import Holiday, parse_days
from agent.domain.hours.schedule import HOLIDAY, DatedSpan, Schedule, Span

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
assert _DAYS.index("holiday") == HOLIDAY


def schedules(config: GateConfig) -> dict[str, Schedule]:
    """Every [[schedule]] by its id, in the kiosk's time zone."""
    zone = ZoneInfo(config.kiosk.timezone)
    holidays = {
        one.id: Holiday(one.id, tuple(parse_days(text) for text in one.dates))
        for one in config.holiday
    }
    return {
        one.id: Schedule(
            _spans(one.spans),
            zone,
            tuple(holidays[name] for name in one.holidays),
            tuple(DatedSpan(x.date, x.open, x.from_, x.until) for x in one.exceptions),
        )
        for one in config.schedule
    }


def schedule_of(rule: RuleConfig, known: Mapping[str, Schedule], timezone: str) -> Schedule | None:
    """When the rule holds: one of the ``known`` by its id, or its own spans; None for always."""
    if isinstance(rule.schedule, str):
        return known[rule.schedule]
    return Schedule(_spans(rule.schedule), ZoneInfo(timezone)) if rule.schedule else None


def _spans(spans: tuple[ScheduleSpan, ...]) -> tuple[Span, ...]:
    return tuple(
        Span(frozenset(map(_DAYS.index, span.days)), span.from_, span.until) for span in spans
    )
