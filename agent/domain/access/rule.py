"""Who may pass where, when and by what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from agent.domain.credential.factor import (
    CARD_ALONE,
    FACE_OR_BOTH,
    NAMING,
    Factor,
    Factors,
    missing,
)
from agent.domain.hours.instant import Instant
from agent.domain.hours.schedule import Schedule

COME_AND_GO = frozenset({"visitor", "courier"})
"""The categories of those whom no registry knows by habit: a pass is all that there is of them."""


class Elevated(StrEnum):
    """What follows from an elevated skin reading; the value is the word in config."""

    DENY = "deny"
    SECOND_READING = "second_reading"
    WARN = "warn"


class WhenUnreliable(StrEnum):
    """What follows where no reading is to be relied on; the value is the word in config."""

    DENY = "deny"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the community's order; ``access_points`` empty means all of them.

    ``baseline_delta_c`` lowers the limit to what most people had lately and so much more, once
    enough have passed. After an elevated reading, ``SECOND_READING`` takes another one
    ``second_reading_after_s`` later, which decides. ``accept_unknown_holders`` believes a pass
    about a holder whom the registry does not know; None does so where the rule is for none but
    those who ``COME_AND_GO``. ``accept_no_pad`` lets a face count at which no attack detection
    looked, alone and beside a pass or document; None leaves it to the kiosk. ``challenge`` asks of
    whoever comes by a face that they turn their head.
    """

    categories: frozenset[str]
    access_points: frozenset[str] = frozenset()
    schedule: Schedule | None = None
    temperature_limit_c: float | None = None
    factors: tuple[Factors, ...] = FACE_OR_BOTH
    health_certificate: bool = False
    factor_window_s: float = 15.0
    baseline_delta_c: float | None = None
    elevated: Elevated = Elevated.DENY
    second_reading_after_s: float = 5.0
    unreliable: WhenUnreliable = WhenUnreliable.DENY
    accept_unknown_holders: bool | None = None
    accept_no_pad: bool | None = None
    challenge: bool = False

    @property
    def believes_unknown(self) -> bool:
        """Whether a pass alone says who somebody is, where the registry does not know them."""
        if self.accept_unknown_holders is not None:
            return self.accept_unknown_holders
        return self.categories <= COME_AND_GO

    @property
    def asks_temperature(self) -> bool:
        """Whether nobody passes by this rule unmeasured."""
        return self.temperature_limit_c is not None

    def but_temperature(self) -> "Rule":
        """All that it asks for beside the temperature."""
        return replace(self, temperature_limit_c=None)

    def but_card_alone(self) -> "Rule":
        """All that it asks for, but that no card opens without something beside it."""
        return replace(self, factors=tuple(one for one in self.factors if one != CARD_ALONE))

    def limit_c(self, baseline_c: float | None) -> float | None:
        """Above which a reading is elevated, in degrees Celsius; None where none is asked for."""
        limit_c = self.temperature_limit_c
        if limit_c is None or baseline_c is None or self.baseline_delta_c is None:
            return limit_c
        return min(limit_c, baseline_c + self.baseline_delta_c)

    def satisfied(self, shown: Factors, *, by_claim: bool) -> bool:
        """Whether ``shown`` is enough.

        ``by_claim``: the face was compared with the holder whom a credential names, so it counts
        only where that credential is asked for too; a face alone is held to more.
        """
        whole = [wanted for wanted in self.factors if wanted <= shown]
        if by_claim:
            whole = [wanted for wanted in whole if Factor.FACE not in wanted or wanted & NAMING]
        return bool(whole) and not self.missing(shown)

    @property
    def by_face_alone(self) -> bool:
        """Whether a face may say by itself who stands there, so that a search is of use."""
        return any(Factor.FACE in wanted and not wanted & NAMING for wanted in self.factors)

    @property
    def asks_face(self) -> bool:
        """Whether a face counts in any of its factors, alone or beside something."""
        return any(Factor.FACE in wanted for wanted in self.factors)

    @property
    def beside_face(self) -> Factors:
        """What is to be shown beside the face where that alone is not enough; empty: nothing is."""
        several = [wanted for wanted in self.factors if Factor.FACE in wanted and len(wanted) > 1]
        return missing(several, frozenset({Factor.FACE}))

    def missing(self, shown: Factors) -> Factors:
        """What is still to be shown; empty where nothing is."""
        lacking = missing(self.factors, shown)
        if self.health_certificate and Factor.HEALTH_CERTIFICATE not in shown:
            lacking |= {Factor.HEALTH_CERTIFICATE}
        return lacking


def face_without_pad(rules: Iterable[Rule], *, accept_no_pad: bool) -> bool:
    """Whether a face counts by one of them though no attack detection looks at it.

    ``accept_no_pad`` is the kiosk's word, for the rules that say nothing.
    """
    return any(
        rule.asks_face and (accept_no_pad if rule.accept_no_pad is None else rule.accept_no_pad)
        for rule in rules
    )


def find_rule(rules: Iterable[Rule], category: str, access_point: str, now: Instant) -> Rule | None:
    """The first rule for ``category`` at ``access_point`` whose schedule holds; None refuses.

    Where none holds it is the first of all, which then says why not; and so it is while the clock
    is not trusted: which one holds is not known then, and a later one may ask for less.
    """
    there = [
        rule
        for rule in rules
        if category in rule.categories
        and (not rule.access_points or access_point in rule.access_points)
    ]
    holding = (
        rule
        for rule in there
        if now.utc_trusted and (rule.schedule is None or rule.schedule.holds(now.utc))
    )
    return next(holding, there[0] if there else None)


def searches(rules: Sequence[Rule], access_point: str) -> bool:
    """Whether a face alone may open there by any rule, so that a search is of use."""
    return not rules or any(
        rule.by_face_alone
        for rule in rules
        if not rule.access_points or access_point in rule.access_points
    )
