"""[registers]: how the community keeps its archives."""

from typing import Annotated

from pydantic import Field

from agent.config.base import Table

CODE_PATTERN = r"^[A-Z0-9]{1,8}$"


class RegistersConfig(Table):
    """What holds for every archive category and record."""

    defaults: Annotated[
        bool,
        Field(description="true: the eleven categories pass by rules of their own, as listed"),
    ] = False
    community_code: Annotated[
        str | None,
        Field(pattern=CODE_PATTERN, description="begins resident codes; default: of the community"),
    ] = None
