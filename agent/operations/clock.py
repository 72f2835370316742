"""What a person may say of the time: to a running agent, or to the files of a stopped one."""

from datetime import UTC, datetime

from agent.domain.credential.name import is_line
from agent.domain.hours.instant import Instant, utc_text
from agent.domain.hours.reckoning import Certainty, ClockChange, Reckoning
from agent.errors import RefusedError

_LONGEST_REASON = 200
_SEE = "\nFix: gate-agent clock show"


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
        RefusedError: no clock says a time, there is nothing in doubt, or it is not earlier.
    """
    if given is None and not now.utc_trusted:
        raise RefusedError("no_source", "nobody vouches for the clock: name the time with --to")
    utc = now.utc if given is None else given
    if change is ClockChange.CONFIRMED and reckoning.certainty is not Certainty.AHEAD:
        raise RefusedError("not_ahead", f"nothing is claimed that a person could confirm{_SEE}")
    bounds = reckoning.bounds(now)
    if change is ClockChange.SET_BACK and (bounds is None or utc >= bounds.latest):
        raise RefusedError("not_earlier", f"that is not earlier than what is believed{_SEE}")
    return utc


def reason_of(reason: object) -> str:
    """Why, in a person's words, on one line.

    Raises:
        ValueError: it is none, too long, or holds what no line does.
    """
    text = " ".join(reason.split()) if isinstance(reason, str) else ""
    if not 0 < len(text) <= _LONGEST_REASON or not is_line(text):
        raise ValueError(f"say why, in a line of at most {_LONGEST_REASON} characters")
    return text


def moment_of(text: object) -> datetime | None:
    """The time that a request names, None where it names none.

    Raises:
        ValueError: it is no time with its zone.
    """
    if text is None:
        return None
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("utc has its zone: 2026-05-06T12:00:00Z")
    return moment.astimezone(UTC)
