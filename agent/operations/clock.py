"""What a person may say of the time: to a running agent, or to the files of a stopped one."""

from datetime import UTC, datetime

from agent.domain.hours.instant import Instant, utc_text
from agent.domain.hours.iso_time import read_moment
from agent.domain.hours.reckoning import Certainty, ClockChange, Reckoning
from agent.errors import RefusedError

_SEE = "\nFix: gate-agent clock show"
_FIRST, _LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""No kiosk was or will be there before or after: what is counted on from further off overflows."""


def shown(reckoning: Reckoning, now: Instant) -> dict[str, str | bool | None]:
    """What is known of the time at ``now``, as JSON values.

    Keys: ``state``, ``confirmed``, ``claimed`` as in the status; ``clock``, what the clock says;
    ``trusted``, whether somebody vouches for it; ``sure``, whether it was signed or two agree.
    """
    return {
        **reckoning.heard(now).as_json(now.monotonic_s),
        "clock": utc_text(now.utc),
        "trusted": now.utc_trusted,
        "sure": now.confirmed,
    }


def told_time(
    reckoning: Reckoning, now: Instant, change: ClockChange, given: datetime | None
) -> datetime:
    """Which time a person means who confirms the clock, or sets back what was believed.

    Raises:
        RefusedError: no clock says a time, there is nothing in doubt, it is not earlier, or no time
            that a kiosk can have.
    """
    if given is not None and not _FIRST <= given < _LAST:
        raise RefusedError("implausible", "that is no time from the year 2020 to 2199")
    if given is None and not now.utc_trusted:
        raise RefusedError("no_source", "nobody vouches for the clock: name the time with --to")
    utc = now.utc if given is None else given
    if change is ClockChange.CONFIRMED and reckoning.certainty is not Certainty.AHEAD:
        raise RefusedError("not_ahead", f"nothing is claimed that a person could confirm{_SEE}")
    bounds = reckoning.bounds(now)
    if change is ClockChange.SET_BACK and (bounds is None or utc >= bounds.latest):
        raise RefusedError("not_earlier", f"that is not earlier than what is believed{_SEE}")
    return utc


def moment_of(text: object) -> datetime | None:
    """The time that a request names, None where it names none.

    Raises:
        ValueError: it is no time with its zone.
    """
    if text is None:
        return None
    moment = read_moment(str(text), None)
    if moment.tzinfo is None:
        raise ValueError("utc has its zone: 2026-05-06T12:00:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("utc is in no calendar") from None
