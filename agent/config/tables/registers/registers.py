"""[registers]: how the community keeps its archives."""

from typing import Annotated, Literal

from pydantic import Field

from agent.config.base import Table

CODE_PATTERN = r"^[A-Z0-9]{1,8}$"


FieldWord = Literal[
    "id",
    "name",
    "category",
    "enabled",
    "valid_from",
    "valid_until",
    "code",
    "contact",
    "grid",
    "consent",
    "guardian",
]


class ColumnConfig(Table):
    """What else the head of a table that is imported may call a column."""

    holds: Annotated[FieldWord, Field(description="what is in it")]
    names: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=40)], ...],
        Field(min_length=1, max_length=32, description="what heads call it besides"),
    ]


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
    column: Annotated[
        tuple[ColumnConfig, ...], Field(max_length=32, description="of tables to import")
    ] = ()
