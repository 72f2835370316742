"""What PostgreSQL has of a fleet, asked past the backend: its tables, by a client of their own."""

from collections.abc import Mapping
from datetime import datetime

from agent.domain.hours.instant import utc_text
from agent.lab.fleet.report import Counted
from agent.lab.servers import PostgreSQL

_STREAMS = """
    SELECT kiosks.kiosk, streams.epoch, count(DISTINCT events.sequence), count(events.sequence)
    FROM events JOIN streams ON streams.id = events.stream
    JOIN kiosks ON kiosks.no = streams.kiosk_no GROUP BY 1, 2
"""
_BYTES = """
    SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
    WHERE relkind = 'r' AND relname ~ '^(events|places)'
"""


class Stored:
    """The rows of the backend's tables."""

    def __init__(self, database: PostgreSQL) -> None:
        self._database = database

    def rows(self) -> int:
        """How many events there are."""
        return int(self._database.rows("SELECT count(*) FROM events")[0][0])

    def counted(self, said: Mapping[tuple[str, str], int]) -> Counted:
        """What there is of what was ``said``: the last sequence number by kiosk and epoch."""
        rows = {
            (kiosk, epoch): (int(places), int(total))
            for kiosk, epoch, places, total in self._database.rows(_STREAMS)
        }
        places = {stream: rows.get(stream, (0, 0))[0] for stream in said}
        stored = sum(total for _, total in rows.values())
        flaws = int(self._database.rows("SELECT count(*) FROM flaws")[0][0])
        return Counted(
            stored=stored,
            missing=sum(last - places[stream] for stream, last in said.items()),
            doubles=stored - sum(one for one, _ in rows.values()),
            flaws=flaws,
            bytes_per_event=round(int(self._database.rows(_BYTES)[0][0]) / max(stored, 1)),
        )

    def delays_ms(self, begun: datetime, ended: datetime) -> list[float]:
        """From the event to its row, of what happened in between."""
        found = self._database.rows(
            "SELECT 1000 * extract(epoch FROM received - time) FROM events"  # noqa: S608 - times of ours
            f" WHERE time BETWEEN '{utc_text(begun)}' AND '{utc_text(ended)}'"
        )
        return [float(one) for (one,) in found]
