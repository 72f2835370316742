"""Whether a signed command may run: one rule, from what it says, its key's rights and the time.

    time          commands that may run
    settled       all, from their issue until their expiry
    anything else lockdown and disable, which are the stricter side, and set_time by its nonce

Issue is judged by the earliest time that it can be, expiry by the latest: a clock that is set back
helps nobody. What has run, and what was outdated, the store knows.
"""

from dataclasses import dataclass

from agent.app.open.community.command_keys import CommandKey
from agent.app.threads.control.deeds import Deed
from agent.credentials.signed.command import Command
from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.command import CommandReason, Verb
from agent.ports import Horizon

SKEW_S = 5
"""By how much the clock of whoever issues may lead this kiosk's."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of the time as a command is judged, and from when on commands count."""

    now: Instant
    reckoning: Reckoning
    horizon: Horizon

    @property
    def settled(self) -> bool:
        """Whether the time is trusted."""
        return self.reckoning.judged(self.now).utc_trusted

    @property
    def latest_s(self) -> float | None:
        """It is no later, as far as anybody said; None where no time was ever trusted."""
        bounds = self.reckoning.bounds(self.now)
        return None if bounds is None else bounds.latest.timestamp()

    def expired(self, command: Command) -> bool:
        """Whether the command's time is over, by the latest time that it may be."""
        return self.latest_s is not None and self.latest_s >= command.expires


def objection(
    command: Command, key: CommandKey, deed: Deed | None, moment: Moment
) -> CommandReason | None:
    """Why ``command``, for this kiosk and signed by ``key``, may not run; None where it may.

    ``deed`` is None where nothing here could carry it out.
    """
    try:
        verb = Verb(command.verb)
    except ValueError:
        return CommandReason.UNKNOWN_VERB
    if verb not in key.verbs:
        return CommandReason.NOT_PERMITTED
    latest_s = moment.latest_s
    if key.until is not None and latest_s is not None and latest_s >= key.until.timestamp():
        return CommandReason.KEY_ENDED
    if deed is None:
        return CommandReason.UNSUPPORTED
    if command.expires - command.issued > deed.longest_s:
        return CommandReason.VALID_TOO_LONG
    # Its nonce says that it is fresh, and it may be the clock that is wrong.
    return None if verb is Verb.SET_TIME else _untimely(command, deed, moment)


def _untimely(command: Command, deed: Deed, moment: Moment) -> CommandReason | None:
    if moment.expired(command):
        return CommandReason.EXPIRED
    if command.issued < moment.horizon.utc_s:
        return CommandReason.BEFORE_RESTORE
    bounds = moment.reckoning.bounds(moment.now)
    if not moment.settled or bounds is None:
        return None if deed.timeless else CommandReason.CLOCK_UNTRUSTED
    if command.issued > bounds.earliest.timestamp() + SKEW_S:
        return CommandReason.NOT_YET_VALID
    return None
