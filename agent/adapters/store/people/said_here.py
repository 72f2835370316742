"""When somebody at the kiosk last said something of a holder, a key or a category's rules.

What was signed before that, and comes later, is late: a broker may keep a command back. Whoever
says it here need not know the time, so a row has the monotonic clock at first, and a time once one
is known:

    said here --monotonic_s--> settled, at: the latest time that it may have been --> forgotten
    said by the community's registry --at: when it was signed-----------------------^

The monotonic clock begins again with each boot: then the row seems younger than it is, and its time
later, which is the stricter side. Whoever was removed stands under the hash of their tombstone, as
there: no id of theirs stays.
"""

from agent.adapters.store.people.change_log import ChangeLog
from agent.domain.hours.instant import Instant
from agent.errors import RefusedError

KEPT_S = 7 * 86_400
"""Longer than a command that loosens is valid, by any clock that may be wrong."""
_OPEN = "SELECT subject, monotonic_s FROM said_here WHERE monotonic_s IS NOT NULL"
_PUT = (
    "INSERT INTO said_here (subject, monotonic_s, at) VALUES (?, ?, ?) ON CONFLICT (subject) DO"
    " UPDATE SET monotonic_s = coalesce(excluded.monotonic_s, monotonic_s),"
    " at = max(at, excluded.at)"
)


class SaidHere(ChangeLog):
    """The registry's table of what was said here."""

    def settle_said(self, latest_s: float, surely_s: float, monotonic_s: float) -> None:
        """A time is trusted, at most ``latest_s`` (UTC): what was said before gets its own.

        Nothing stays beyond it, where a clock was wrong; what is long before ``surely_s`` goes.

        Raises:
            StoreError: the registry cannot be written.
        """
        most, gone = int(latest_s) + 1, int(surely_s) - KEPT_S
        asked = (
            "SELECT EXISTS (SELECT 1 FROM said_here"
            " WHERE monotonic_s IS NOT NULL OR at NOT BETWEEN ? AND ?)"
        )
        if self._rows(asked, gone, most) == [(0,)]:
            return

        def work() -> None:
            for subject, said_s in self._connection.execute(_OPEN).fetchall():
                ago_s = max(monotonic_s - float(said_s), 0.0)
                self._connection.execute(_PUT, (subject, None, int(latest_s - ago_s) + 1))
            self._connection.execute(
                "UPDATE said_here SET monotonic_s = NULL, at = min(at, ?)", (most,)
            )
            self._connection.execute("DELETE FROM said_here WHERE at < ?", (gone,))

        self._write(work, counts=False)

    def is_late(self, subject: str, issued_s: int) -> bool:
        """Whether something else was said of it since ``issued_s``, or may have been."""
        query = "SELECT monotonic_s IS NOT NULL OR at > ? FROM said_here WHERE subject = ?"
        rows = self._rows(query, issued_s, subject)
        return any(bool(late) for (late,) in rows)

    def _say_here(self, subject: str, now: Instant) -> None:
        """Within the caller's transaction: somebody at the kiosk says so now."""
        self._connection.execute(_PUT, (subject, now.monotonic_s, 0))

    def _say_then(self, subject: str, issued_s: int) -> None:
        """Within the caller's transaction: the community's registry said so then."""
        self._connection.execute(_PUT, (subject, None, issued_s))

    def _forget_said(self, subject: str) -> None:
        """Within the caller's transaction: nothing stands under this subject."""
        self._connection.execute("DELETE FROM said_here WHERE subject = ?", (subject,))

    def _say(self, subject: str, now: Instant, issued_s: int | None, *, stricter: bool) -> None:
        """Within the caller's transaction: somebody here says so, or signed it then.

        Raises:
            RefusedError: ``superseded``: it is late, and not on the ``stricter`` side.
        """
        if issued_s is None:
            self._say_here(subject, now)
        elif not stricter and self.is_late(subject, issued_s):
            raise RefusedError("superseded", "somebody at the kiosk said otherwise since")


def of_holder(holder: str) -> str:
    """The subject that a holder is."""
    return f"holder:{holder}"


def of_issuer(key_id: str) -> str:
    """The subject that an issuer's key is."""
    return f"issuer:{key_id}"


def of_rules(category: str) -> str:
    """The subject that a category's rules are."""
    return f"rules:{category}"
