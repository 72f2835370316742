"""What a signed command may change of the rules: those of one category, whole.

A rule says who may pass by what at every access point, so a key that is limited to some of them
may set none.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from agent.adapters.store.people.said_here import of_rules
from agent.app.threads.control.deeds import (
    MAY_LOOSEN_S,
    Asked,
    Deed,
    DeedRefused,
    Plan,
    Result,
    bad,
    lateness,
)
from agent.app.threads.control.people import PeopleDeeds
from agent.domain.access.community_rules import rules_digest
from agent.domain.credential.holder import parse_holder_id
from agent.domain.hours.instant import Instant
from agent.domain.record.command import CommandReason, Verb
from agent.ports import Clock


class RuleStore(Protocol):
    """Keeps what was said of rules."""

    def say_rules(
        self,
        category: str,
        text: str | None,
        *,
        by: str,
        now: Instant,
        issued_s: int | None = None,
    ) -> bool:
        """From now on these are the category's rules; None: the config's.

        ``issued_s``: it was signed then (UTC); None: somebody here says so.
        """


class RuleDeeds:
    """Asked by the thread of signed commands."""

    def __init__(
        self,
        store: RuleStore,
        read: Callable[[str, str], object],
        people: PeopleDeeds,
        clock: Clock,
    ) -> None:
        """``read`` refuses a category's rules that this kiosk cannot keep, by ``ValueError``.

        ``people`` knows of the registry, which is the store: whether it is in fault, what is late.
        """
        self._store, self._read, self._people, self._clock = store, read, people, clock

    def deeds(self) -> Mapping[Verb, Deed]:
        """The verb about rules."""
        return {Verb.SET_RULE: Deed(self._set, frozenset({"category", "rules"}), MAY_LOOSEN_S)}

    def _set(self, asked: Asked) -> Plan:
        self._people.check_registry()
        if asked.access_points is not None:
            said = "a rule is for every access point, and this key is for some"
            raise DeedRefused(CommandReason.NOT_PERMITTED, said)
        category, text = _category(asked.arguments), asked.arguments.get("rules")
        if "rules" not in asked.arguments or not isinstance(text, str | None):
            raise bad("rules is JSON, or null for those of the config")
        if text is not None:
            try:
                self._read(category, text)
            except ValueError as error:
                raise bad(f"rules: {error}") from error
        self._people.check_not_late(asked, of_rules(category))

        def run() -> Result:
            now, issued = self._clock.now(), asked.issued
            with lateness():
                new = self._store.say_rules(category, text, by=asked.by, now=now, issued_s=issued)
            return {"category": category, "sha256": rules_digest(text), "new": new}

        return Plan(run, (f"rule:{category}",))


def _category(said: Mapping[str, Any]) -> str:
    named = said.get("category")
    if not isinstance(named, str):
        raise bad("category is a word")
    try:
        return str(parse_holder_id(named))  # the same words
    except ValueError as error:
        raise bad("category is a word") from error
