"""What schedules, holidays, rules and doors owe each other: findings as (key path, message)."""

from collections.abc import Collection, Iterator, Sequence

from agent.config.lines import KeyPath
from agent.config.mend import UNREAD
from agent.config.relations import Finding, did_you_mean, unsure
from agent.config.schedules import ScheduleConfig
from agent.config.schema import GateConfig
from agent.domain.hours.holidays import parse_days


def check_schedules(config: GateConfig, mended: Collection[KeyPath] = ()) -> Iterator[Finding]:
    """Every id without its table, every double id, every text that is no day.

    Nothing is said of what stands at ``mended`` in place of the file's own values.
    """
    schedules = [schedule.id for schedule in config.schedule]
    holidays = [holiday.id for holiday in config.holiday]
    yield from _repeated("schedule", schedules)
    yield from _repeated("holiday", holidays)
    for i, schedule in enumerate(config.schedule):
        for j, name in enumerate(schedule.holidays):
            yield from _known(("schedule", i, "holidays", j), name, holidays, "holiday")
        # What is missing here may be what could not be read.
        if not any(path[:2] == ("schedule", i) for path in mended):
            yield from _whole(("schedule", i), schedule)
    yield from _days(config, mended)
    yield from _rules(config, schedules)
    yield from _doors(config, schedules)


def _whole(path: KeyPath, schedule: ScheduleConfig) -> Iterator[Finding]:
    if not schedule.spans and not any(one.open for one in schedule.exceptions):
        yield (path, "never holds: give it spans, or exceptions with open = true")
    if any("holiday" in span.days for span in schedule.spans) and not schedule.holidays:
        message = 'its spans name the day "holiday": say in holidays which [[holiday]] count'
        yield (path, message)


def _days(config: GateConfig, mended: Collection[KeyPath]) -> Iterator[Finding]:
    for i, holiday in enumerate(config.holiday):
        for j, text in enumerate(holiday.dates):
            path: KeyPath = ("holiday", i, "dates", j)
            if unsure(path, mended) or text == UNREAD:
                continue
            try:
                parse_days(text)
            except ValueError as error:
                yield (path, str(error))


def _rules(config: GateConfig, schedules: Sequence[str]) -> Iterator[Finding]:
    for i, rule in enumerate(config.rule):
        if isinstance(rule.schedule, str):
            yield from _known(("rule", i, "schedule"), rule.schedule, schedules, "schedule")
            continue
        for j, span in enumerate(rule.schedule):
            if "holiday" in span.days:
                message = (
                    "a list of spans knows no holidays: make a [[schedule]] of it that names its"
                    " holidays, and give its id here"
                )
                yield (("rule", i, "schedule", j, "days"), message)


def _doors(config: GateConfig, schedules: Sequence[str]) -> Iterator[Finding]:
    for i, door in enumerate(config.door):
        for key in ("free_passage_schedule", "lockdown_schedule"):
            name = getattr(door, key)
            if name is not None:
                yield from _known(("door", i, key), name, schedules, "schedule")
        both = door.free_passage_schedule is not None
        if both and door.free_passage_schedule == door.lockdown_schedule != UNREAD:
            message = "is the free_passage_schedule too: lockdown would always win"
            yield (("door", i, "lockdown_schedule"), message)


def _known(path: KeyPath, name: str, names: Sequence[str], table: str) -> Iterator[Finding]:
    # Where an id could not be read, it may be the one that is meant.
    if name not in names and UNREAD not in (name, *names):
        yield (path, f"there is no [[{table}]] {name!r}{did_you_mean(name, names)}")


def _repeated(table: str, names: Sequence[str]) -> Iterator[Finding]:
    for i, name in enumerate(names):
        if name in names[:i] and name != UNREAD:
            yield ((table, i, "id"), f"{name!r} is named twice")
