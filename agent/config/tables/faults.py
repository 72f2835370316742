"""[faults]: what closes the gate."""

from typing import Annotated, Literal

from pydantic import Field

from agent.config.base import Table


class FaultsConfig(Table):
    """Which faults keep the gate closed; a dead camera or output does whatever stands here.

    ``min_free_mb`` is how much of the disk must be free; less is the fault ``disk``.
    """

    deny: Annotated[
        tuple[
            Literal["journal", "disk", "tamper", "feedback", "inputs", "latches", "gallery"], ...
        ],
        Field(description="these keep the gate closed; all others are told"),
    ] = ("feedback",)
    min_free_mb: Annotated[
        int, Field(ge=1, le=1_000_000, description="of the disk; less is the fault disk")
    ] = 100
