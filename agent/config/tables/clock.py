"""[clock]: whose time counts."""

from collections.abc import Iterator
from typing import Literal

from agent.config.base import FilePath, Table
from agent.config.whole import Whole


class ClockConfig(Table):
    """Whose time counts.

    ``trust_system_clock`` vouches for a clock that no NTP client keeps (a battery clock). While no
    clock is trusted, ``untrusted`` denies what depends on dates, or judges them by the latest time
    that surely was. ``time_key_file`` is the public key of whoever signs the time for kiosks, and
    asks them by way of the broker.
    """

    trust_system_clock: bool = False
    time_key_file: FilePath | None = None
    untrusted: Literal["deny", "lower_bound"] = "deny"

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[str]:
        """A clock that is believed whatever it says."""
        if whole.one(cls).trust_system_clock:
            yield "[clock] trust_system_clock: a wrong clock is believed"
