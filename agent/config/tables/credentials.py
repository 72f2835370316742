"""[pass] and [health]: credentials that are signed."""

from typing import Annotated, Literal

from pydantic import Field

from agent.config.base import FilePath, Table


class PassConfig(Table):
    """Gate passes; ``community_key_file`` opens the templates on them."""

    community_key_file: FilePath | None = None
    max_false_match_rate: Annotated[float, Field(gt=0, le=0.01)] = 1e-3
    accept_unknown_holders: bool = True


class HealthConfig(Table):
    """Health certificates; an older trust list counts as none."""

    trust_max_age_days: Annotated[int, Field(ge=1, le=3650)] = 30
    rules: Literal["stated", "eu-travel"] = "stated"
