"""[pass] and [health]: credentials that are signed."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from agent.config.base import FilePath, Table
from agent.config.whole import Finding, Whole


class PassConfig(Table):
    """Gate passes; ``community_key_file`` opens the templates on them."""

    community_key_file: Annotated[
        FilePath | None, Field(description="opens the templates on passes; mode 0600")
    ] = None
    max_false_match_rate: Annotated[
        float, Field(gt=0, le=0.01, description="of a stranger's face with somebody's pass")
    ] = 1e-3
    accept_unknown_holders: Annotated[
        bool | None,
        Field(description="of an older version: now a key of [[rule]]; for rules without it"),
    ] = None

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """The key that moved, and what it still does."""
        said = whole.one(cls).accept_unknown_holders
        if said is not None:
            word = str(said).lower()
            message = (
                f"[pass] accept_unknown_holders = {word} is now a key of [[rule]]: it holds for"
                f" every rule without its own, residents' too; write it into the rules that need"
                f" it, and take it out of [pass] (then only rules for visitors and couriers alone"
                f" take a pass about whom the registry does not know)"
            )
            yield ("pass", "accept_unknown_holders"), message


class HealthConfig(Table):
    """Health certificates; an older trust list counts as none."""

    trust_max_age_days: Annotated[
        int, Field(ge=1, le=3650, description="an older trust list counts as none")
    ] = 30
    rules: Annotated[
        Literal["stated", "eu-travel"],
        Field(description="stated: what the certificate itself says"),
    ] = "stated"
