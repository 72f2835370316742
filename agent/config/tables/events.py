"""[events]: what of them leaves the kiosk."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from agent.config.base import Table
from agent.config.tables.broker import BrokerConfig
from agent.config.whole import Finding, Whole


class EventsConfig(Table):
    """What the broker gets of an event; the journal keeps all of it for ``[store] journal_days``.

    ``minimal`` leaves out of a decision's trace how near a face came to whom, and temperatures.
    """

    trace: Annotated[
        Literal["full", "minimal"],
        Field(description="of decisions; full: with scores, thresholds and temperatures"),
    ] = "minimal"

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Scores that leave the kiosk."""
        if whole.one(cls).trace == "full" and whole.rows(BrokerConfig):
            message = (
                '[events] trace = "full": whoever reads the broker learns how near each face came,'
                " which helps to try until one fits"
            )
            yield ("events", "trace"), message
