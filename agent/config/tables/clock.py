"""[clock]: whose time counts."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from agent.config.base import FilePath, Table
from agent.config.tables.broker import BrokerConfig
from agent.config.whole import Finding, Whole


class ClockConfig(Table):
    """Whose time counts.

    ``trust_system_clock`` vouches for a clock that no NTP client keeps (a battery clock). While no
    clock is trusted, ``untrusted`` denies what depends on dates, or judges them by the latest time
    that surely was. ``time_key_file`` is the public key of whoever signs the time for kiosks, and
    asks them by way of the broker; its word outranks every other. Clocks that are right may differ
    by ``tolerance_s`` seconds.
    """

    trust_system_clock: Annotated[
        bool, Field(description="vouch for a clock that no NTP client keeps")
    ] = False
    time_key_file: Annotated[
        FilePath | None, Field(description="public key of whoever signs the time, by the broker")
    ] = None
    untrusted: Annotated[
        Literal["deny", "lower_bound"],
        Field(description="lower_bound: judge dates by the latest time that surely was"),
    ] = "deny"
    tolerance_s: Annotated[
        float, Field(ge=1, le=3600, description="by which clocks that are right may differ")
    ] = 300.0

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """A clock that is believed whatever it says, and none that is sure."""
        clock = whole.one(cls)
        if clock.trust_system_clock:
            path = ("clock", "trust_system_clock")
            yield path, "[clock] trust_system_clock: a wrong clock is believed"
        if clock.time_key_file is not None and not whole.rows(BrokerConfig):
            message = "[clock] time_key_file: without [broker] nobody is asked for the time"
            yield ("clock", "time_key_file"), message

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Which sources of the time there are, the one that outranks the others first."""
        clock = whole.one(cls)
        sources = [
            *(["signed time"] if clock.time_key_file is not None else []),
            "system clock, vouched for" if clock.trust_system_clock else "system clock, by NTP",
        ]
        if clock.time_key_file is None:
            sources.append("a person where it leaps by more than a day")
        return {"clock": ", ".join(sources)}
