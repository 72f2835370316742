"""[[rule]]: who may pass where, when and by what."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from agent.config.base import FACTORS_PATTERN, Name, Table
from agent.config.lines import KeyPath
from agent.config.tables.access_point import ids_of_points
from agent.config.tables.schedule import ScheduleChoice, ScheduleConfig, ScheduleSpan
from agent.config.whole import Finding, Whole, known
from agent.domain.access.rule import COME_AND_GO

ElevatedWord = Literal["deny", "second_reading", "warn"]
UnreliableWord = Literal["deny", "warn"]
LONGEST_FACTOR_WINDOW_S = 120.0
PauseS = Annotated[float, Field(ge=1, le=60)]

FactorSet = Annotated[
    str,
    Field(
        pattern=FACTORS_PATTERN,
        description="face, pass, id_document, card; those joined by + are shown together",
    ),
]


class RuleConfig(Table):
    """Who may pass where, when and by what; a category without a rule is refused.

    One of ``factors`` is enough; the parts of one come in any order within ``factor_window_s``.
    """

    categories: Annotated[
        tuple[Name, ...], Field(min_length=1, description="of holders, for whom it is")
    ]
    access_points: tuple[Name, ...] = Field((), description="empty: all of them")
    factors: Annotated[
        tuple[FactorSet, ...],
        Field(min_length=1, max_length=8, description="one of these is enough"),
    ] = (
        "face",
        "pass+face",
    )
    factor_window_s: Annotated[
        float, Field(ge=1, le=LONGEST_FACTOR_WINDOW_S, description="to show what belongs together")
    ] = 15.0
    accept_unknown_holders: bool | None = Field(
        None,
        description="a pass may name whom the registry does not know; default: true where the"
        " categories are visitor and courier alone, else false",
    )
    accept_no_pad: bool | None = Field(
        None,
        description="a face counts at which no attack detection looked; default: as [face] says",
    )
    challenge: bool = Field(
        False,
        description="whoever comes by a face is asked to turn their head to a side drawn at random",
    )
    health_certificate: Annotated[bool, Field(description="one is asked for as well")] = False
    schedule: ScheduleChoice = Field((), description="id of [[schedule]], or spans; empty: always")
    temperature_limit_c: Annotated[
        Annotated[float, Field(ge=34.0, le=42.0)] | None,
        Field(description="at the skin, in steps of 0.1; needs a [thermometer]"),
    ] = None
    baseline_delta_c: Annotated[
        Annotated[float, Field(ge=0.3, le=5.0)] | None,
        Field(description="lowers the limit to what most had lately and this"),
    ] = None
    elevated: ElevatedWord | None = Field(None, description="default: as [thermometer] says")
    second_reading_after_s: Annotated[
        PauseS | None, Field(description="default: as [thermometer] says")
    ] = None
    unreliable: Annotated[
        UnreliableWord | None, Field(description="default: as [thermometer] says")
    ] = None

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Access points and schedules that are none, and what says nothing without a limit."""
        points = ids_of_points(whole)
        schedules = [schedule.id for schedule in whole.rows(ScheduleConfig)]
        for i, rule in enumerate(whole.rows(cls)):
            for j, name in enumerate(rule.access_points):
                yield from known(("rule", i, "access_points", j), name, points)
            if isinstance(rule.schedule, str):
                path = ("rule", i, "schedule")
                yield from known(path, rule.schedule, schedules, "[[schedule]] ")
            else:
                yield from _spans(i, rule.schedule)
            if rule.challenge and not any("face" in one.split("+") for one in rule.factors):
                message = "asks a face to turn, and no factors of this rule have a face in them"
                yield ("rule", i, "challenge"), message
            if rule.temperature_limit_c is None:
                yield from _of_no_limit(i, rule)

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """What opens by itself and may be another's; a gate that opens for nobody."""
        rules = whole.rows(cls)
        alone = {factors for rule in rules for factors in rule.factors}
        if "pass" in alone:
            message = (
                'a pass alone opens the gate (factors = ["pass"]): whoever photographs one may pass'
                ' until it ends; prefer "pass+face", or passes of one use'
            )
            yield _of_factor("pass", rules), message
        if "id_document" in alone:
            message = (
                'an ID document alone opens the gate (factors = ["id_document"]): whoever finds or'
                ' takes one may pass; prefer "id_document+face" or "id_document+pass"'
            )
            yield _of_factor("id_document", rules), message
        if "card" in alone:
            message = (
                'a card alone opens the gate (factors = ["card"]): whoever finds one may pass, and'
                ' most can be copied in a second for a coin; prefer "card+face"'
            )
            yield _of_factor("card", rules), message
        for i, rule in enumerate(rules):
            faceless = [one for one in rule.factors if "face" not in one.split("+")]
            if rule.challenge and len(faceless) < len(rule.factors) and faceless:
                message = (
                    f"the rule for {', '.join(rule.categories)} asks a face to turn (challenge),"
                    f" and opens by {', '.join(faceless)} without any face"
                )
                yield ("rule", i, "challenge"), message
            if rule.accept_unknown_holders and not set(rule.categories) <= COME_AND_GO:
                message = (
                    f"the rule for {', '.join(rule.categories)} takes passes about whom the"
                    " registry does not know (accept_unknown_holders): only visitors and couriers"
                    " need that"
                )
                yield ("rule", i, "accept_unknown_holders"), message
        if not rules:
            yield (), "there is no [[rule]]: nobody may pass"

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """How many there are, and for whom."""
        rules = whole.rows(cls)
        categories = {name for rule in rules for name in rule.categories}
        return {"rules": len(rules), "categories": sorted(categories)}


def _of_factor(factors: str, rules: Sequence[RuleConfig]) -> KeyPath:
    """Where these factors stand first."""
    found = (
        ("rule", i, "factors", rule.factors.index(factors))
        for i, rule in enumerate(rules)
        if factors in rule.factors
    )
    return next(found)


def _spans(number: int, spans: tuple[ScheduleSpan, ...]) -> Iterator[Finding]:
    for j, span in enumerate(spans):
        if "holiday" in span.days:
            fix = "make a [[schedule]] of it that names its holidays, and give its id here"
            path = ("rule", number, "schedule", j, "days")
            yield path, "a list of spans knows no holidays", fix


def _of_no_limit(number: int, rule: RuleConfig) -> Iterator[Finding]:
    for name in ("baseline_delta_c", "elevated", "second_reading_after_s", "unreliable"):
        if getattr(rule, name) is not None:
            message = "goes with temperature_limit_c, which this rule does not have"
            yield ("rule", number, name), message
