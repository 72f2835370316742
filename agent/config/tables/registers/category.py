"""[[category]]: all that there is to say of an archive category, in one place.

factors here                 a rule of its own, at every access point and for it alone
no factors here              it passes by the [[rule]]s that name it, or not at all
both                         refused: it would be told twice
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from agent.config.base import Name, Table
from agent.config.tables.rule import ElevatedWord, FactorSet, RuleConfig
from agent.config.tables.schedule import ScheduleChoice
from agent.config.whole import UNREAD, Finding, Whole, repeated

AlternativeWord = Literal["pass", "card", "id_document", "staffed"]
LedgerWord = Literal["none", "returnees", "isolation", "visitors"]
TERMS = ("factors", "schedule", "temperature_limit_c", "elevated", "health_certificate")
"""The keys that make its rule."""
_SHOWN = {"pass": "pass", "card": "pass", "id_document": "id_document"}
"""What is shown of an alternative; a card is a pass that was printed."""


class CategoryConfig(Table):
    """One archive category: who it is for, by what they pass, how long they are kept."""

    id: Annotated[Name, Field(description="what records, rules and events call it")]
    zh: Annotated[str, Field(max_length=40, description="on forms and sheets, in Chinese")] = ""
    en: Annotated[str, Field(max_length=40, description="on forms and sheets, in English")] = ""
    alternative: Annotated[
        AlternativeWord,
        Field(description="by what somebody passes who gives no face"),
    ]
    factors: Annotated[
        tuple[FactorSet, ...],
        Field(max_length=8, description="one of these is enough; empty: as [[rule]] says"),
    ] = ()
    schedule: Annotated[
        ScheduleChoice, Field(description="id of [[schedule]], or spans; empty: always")
    ] = ()
    temperature_limit_c: Annotated[
        Annotated[float, Field(ge=34.0, le=42.0)] | None,
        Field(description="at the skin, in steps of 0.1; needs a [thermometer]"),
    ] = None
    elevated: Annotated[
        ElevatedWord | None, Field(description="default: as [thermometer] says")
    ] = None
    health_certificate: Annotated[bool, Field(description="one is asked for as well")] = False
    valid_days: Annotated[
        Annotated[int, Field(ge=0, le=36_500)] | None,
        Field(description="whole days that a record holds after the first; none: no end"),
    ] = None
    retention_days: Annotated[
        int, Field(ge=0, le=36_500, description="that a record is kept beyond its end")
    ] = 30
    ledger: Annotated[LedgerWord, Field(description="that leads its people besides")] = "none"

    def rule(self) -> RuleConfig | None:
        """The rule that it makes; None where it says nothing of passing."""
        if not self.factors:
            return None
        terms = {name: getattr(self, name) for name in TERMS if name in self.model_fields_set}
        return RuleConfig.model_construct(
            {"categories", *terms}, **{"categories": (self.id,), **terms}
        )

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """What is named or told twice, terms without factors, and a face as the only way in."""
        rows = whole.rows(cls)
        yield from repeated("category", [row.id for row in rows])
        for i, row in enumerate(rows):
            named = [
                rule
                for rule in whole.rows(RuleConfig)
                if row.id in rule.categories and row.id != UNREAD
            ]
            if row.factors and len(named) > 1:
                message = f"a [[rule]] names {row.id!r} as well: it would be told twice"
                yield ("category", i, "factors"), message, "take it out of one of the two"
            for term in TERMS[1:]:
                if not row.factors and getattr(row, term):
                    yield ("category", i, term), "goes with factors, which are not said here"
            yield from _only_by_face(i, row, named)

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Those that the config says."""
        said = [row.id for row in whole.rows(cls)]
        return {"archive_categories": said} if said else {}


def _only_by_face(i: int, row: CategoryConfig, rules: list[RuleConfig]) -> Iterator[Finding]:
    """Whether a rule takes a face, and none of the category the alternative without a face."""
    ways = [frozenset(one.split("+")) for rule in rules for one in rule.factors]
    shown = _SHOWN.get(row.alternative)
    if shown is None or not any("face" in way for way in ways):
        return
    if not any(shown in way and "face" not in way for way in ways):
        message = (
            f"no factors of {row.id!r} have {shown} without a face: a face would be the only way in"
        )
        fix = f'add "{shown}" to its factors, or say alternative = "staffed"'
        yield ("category", i, "alternative"), message, fix
