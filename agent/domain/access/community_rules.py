"""Rules that the community gave for categories of holders, over those of the kiosk's config.

    the community gave      who of the category may pass
    nothing                 by the config's rules
    rules                   by these alone
    no rules (empty)        nobody
    what cannot be read     nobody

Where one is lost and nobody knows for whom it was, no category passes by the config's rules.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from agent.domain.access.rule import Rule

LONGEST_RULES = 3000
"""Of a category's rules as a text, in characters: a signed command has room for it."""


@dataclass(frozen=True, slots=True)
class CommunityRules:
    """Of each category that the community gave rules for, those rules; ``lost`` as above."""

    by_category: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    lost: bool = False

    def over(self, rules: Iterable[Rule]) -> tuple[Rule, ...]:
        """The rules in force, where the config has ``rules``."""
        given = (rule for theirs in self.by_category.values() for rule in theirs)
        if self.lost:
            return tuple(given)
        return (*self._left(rules), *given)

    def completed(self, before: "CommunityRules") -> "CommunityRules":
        """With what was given ``before``, where nobody knows any more for whom it was."""
        if not self.lost or before.lost:
            return self
        return CommunityRules({**before.by_category, **self.by_category})

    def _left(self, rules: Iterable[Rule]) -> Iterable[Rule]:
        for rule in rules:
            left = rule.categories - self.by_category.keys()
            if left == rule.categories:
                yield rule
            elif left:
                # With fewer categories it must not come to believe whom it did not.
                yield replace(rule, categories=left, accept_unknown_holders=rule.believes_unknown)


NO_COMMUNITY_RULES = CommunityRules()


def rules_digest(text: str | None) -> str | None:
    """By which replies and events name a category's rules; None where the config's hold."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()
