"""The community's rules for categories of holders, as somebody with the right to said them.

What a row says is read by whoever knows the kiosk's config; here it is a text that came whole.
"""

from collections.abc import Mapping

from agent.adapters.store.people.pass_tables import PassTables
from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.people.said_here import of_rules
from agent.domain.access.community_rules import rules_digest
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventType
from agent.ports import SaidRules


class RuleTables(PassTables):
    """The registry's table about rules."""

    def said_rules(self) -> tuple[Mapping[str, SaidRules], bool]:
        """What was said, by category; and whether a row is about a category that nobody knows."""
        found: dict[str, SaidRules] = {}
        lost = False
        for row in self._marked("category_rule", "ORDER BY category"):
            values, subjects = row.values, row.verdict.subjects
            lost |= not subjects
            for category in subjects:
                # Two rows that may be about one category: neither is sure.
                whole = row.verdict.whole and intact(values["rules"]) and category not in found
                found[category] = (
                    SaidRules(values["rules"], values["said_by"], values["said_at"])
                    if whole
                    else SaidRules(None)
                )
        return found, lost

    def say_rules(
        self,
        category: str,
        text: str | None,
        *,
        by: str,
        now: Instant,
        issued_s: int | None = None,
    ) -> bool:
        """From now on these are the category's rules; None: the config's. False: they were before.

        The change and its event are one transaction. ``issued_s``: it was signed then (UTC); None:
        somebody here says so.

        Raises:
            RefusedError: ``superseded``: somebody here said otherwise since ``issued_s``.
        """

        def work() -> bool:
            self._say(of_rules(category), now, issued_s, stricter=False)
            changed = self._say_rules(category, text, by, now)
            if changed:
                data = {"category": category, "sha256": rules_digest(text)}
                self._log(EventType.RULES_CHANGED, data, by, now)
            return changed

        return self._write(work)

    def drop_lost_rules(self, *, by: str, now: Instant) -> int:
        """Forget the rows about categories that nobody knows any more; how many there were."""

        def work() -> int:
            lost = [one for one in self._each("category_rule") if not one.verdict.subjects]
            for row in lost:
                query = "DELETE FROM category_rule WHERE rowid = ?"
                self._connection.execute(query, (row.number,))
            if lost:
                self._log(EventType.RULES_CHANGED, {"category": None, "sha256": None}, by, now)
            return len(lost)

        return self._write(work)

    def _say_rules(self, category: str, text: str | None, by: str, now: Instant) -> bool:
        """Within the caller's transaction: whether anything changed."""
        damaged = bool(self._damaged("category_rule", category))
        self._clear_damage("category_rule", category)
        if text is None:
            query = "DELETE FROM category_rule WHERE category = ?"
            return bool(self._connection.execute(query, (category,)).rowcount) or damaged
        query = "SELECT 1 FROM category_rule WHERE category = ? AND rules = ?"
        if not damaged and self._connection.execute(query, (category, text)).fetchone():
            return False
        self._connection.execute(
            "REPLACE INTO category_rule (category, rules, said_by, said_at) VALUES (?, ?, ?, ?)",
            (category, text, by, now.utc.isoformat()),
        )
        self._mark("category_rule", category)
        return True
