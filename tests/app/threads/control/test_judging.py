"""Whether a signed command may run: rights, time by both bounds, and clocks that step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pass_parts import KEY

from agent.app.open.community.command_keys import CommandKey
from agent.app.threads.control.deeds import Deed
from agent.app.threads.control.judging import SKEW_S, Moment, objection
from agent.credentials.signed.command import Command
from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.command import CommandReason, Verb
from agent.ports import Horizon

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
S = int(NOW.timestamp())
OFFICE = CommandKey("office", KEY.public_key(), frozenset(Verb) - {Verb.REMOVE})
DEED = Deed(lambda _: None, frozenset(), 300)  # type: ignore[arg-type, return-value] # never planned
TIMELESS = replace(DEED, timeless=True)
OPEN = Horizon(0, pending=False)


def command(verb: str = "unlock", issued: int = S, lasts: int = 8) -> Command:
    return Command(verb, "lakeside/g3/north-1", issued, issued + lasts, bytes(16))


def moment(
    *, utc: datetime = NOW, trusted: bool = True, latest: datetime | None = None, **more: Horizon
) -> Moment:
    """The time is ``utc`` by the clock; ``latest`` surely was before this process."""
    now = Instant(1000.0, utc, trusted)
    return Moment(now, Reckoning.since(latest).heard(now), more.get("horizon", OPEN))


def judged(one: Command, at: Moment, key: CommandKey = OFFICE, deed: Deed | None = DEED):
    return objection(one, key, deed, at)


def test_in_its_time_it_runs() -> None:
    for seconds in (0, 7):
        assert judged(command(), moment(utc=NOW + timedelta(seconds=seconds))) is None
    assert judged(command(), moment(utc=NOW - timedelta(seconds=SKEW_S))) is None


@pytest.mark.parametrize(
    ("one", "seconds", "word"),
    [
        (command(), 8, CommandReason.EXPIRED),
        (command(), 3600, CommandReason.EXPIRED),
        (command(), -SKEW_S - 1, CommandReason.NOT_YET_VALID),
        (command(lasts=301), 0, CommandReason.VALID_TOO_LONG),
        (command("remove"), 0, CommandReason.NOT_PERMITTED),
        (command("open_all"), 0, CommandReason.UNKNOWN_VERB),
    ],
)
def test_out_of_its_time_or_rights_it_does_not(one: Command, seconds: int, word) -> None:
    assert judged(one, moment(utc=NOW + timedelta(seconds=seconds))) is word


def test_what_nothing_here_can_do_is_unsupported() -> None:
    assert judged(command("set_rule"), moment(), deed=None) is CommandReason.UNSUPPORTED


def test_a_key_ends_by_the_latest_time() -> None:
    key = replace(OFFICE, until=NOW)
    assert judged(command(), moment(), key) is CommandReason.KEY_ENDED
    assert judged(command(), moment(utc=NOW - timedelta(seconds=1)), key) is None
    ended = moment(utc=NOW - timedelta(days=9), trusted=False, latest=NOW)
    assert judged(command("lockdown"), ended, key, TIMELESS) is CommandReason.KEY_ENDED


@pytest.mark.parametrize("back", [timedelta(seconds=200), timedelta(days=3)])
def test_a_clock_that_is_set_back_makes_no_command_valid_again(back: timedelta) -> None:
    """Within the tolerance of clocks the later time counts; beyond it no time is trusted."""
    stepped = moment(utc=NOW - back, latest=NOW + timedelta(minutes=1))
    for deed in (DEED, TIMELESS):
        assert judged(command(), stepped, deed=deed) is CommandReason.EXPIRED


def test_without_a_trusted_time_only_the_stricter_side_runs() -> None:
    for at in (moment(trusted=False), moment(trusted=False, latest=NOW - timedelta(hours=1))):
        assert judged(command("resume"), at) is CommandReason.CLOCK_UNTRUSTED
        assert judged(command("lockdown"), at, deed=TIMELESS) is None
        assert judged(command("disable"), at, deed=TIMELESS) is None


def test_set_time_is_judged_by_its_nonce_and_never_by_the_clock_that_it_sets() -> None:
    wrong = moment(utc=NOW + timedelta(days=400))
    assert judged(command("set_time"), wrong, deed=TIMELESS) is None


def test_what_was_issued_before_a_restore_does_not_run() -> None:
    put_back = Horizon(S + 1, pending=False)
    for one, deed in ((command(), DEED), (command("lockdown"), TIMELESS)):
        assert judged(one, moment(horizon=put_back), deed=deed) is CommandReason.BEFORE_RESTORE
        untrusted = moment(trusted=False, horizon=replace(put_back, pending=True))
        assert judged(one, untrusted, deed=deed) is CommandReason.BEFORE_RESTORE
    assert judged(command(issued=S + 1), moment(horizon=put_back)) is None
