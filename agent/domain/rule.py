"""Who may pass where, when and by what."""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.domain.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the community's order; ``access_points`` empty means all of them."""

    categories: frozenset[str]
    access_points: frozenset[str] = frozenset()
    schedule: Schedule | None = None
    temperature_limit_c: float | None = None


def find_rule(rules: Iterable[Rule], category: str, access_point: str) -> Rule | None:
    """The first rule for ``category`` at ``access_point``; None refuses."""
    for rule in rules:
        if category in rule.categories and (
            not rule.access_points or access_point in rule.access_points
        ):
            return rule
    return None
