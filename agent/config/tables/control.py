"""[control]: where commands come in."""

from typing import Annotated

from pydantic import Field

from agent.config.base import FilePath, Table


class ControlConfig(Table):
    """The local socket for commands; without ``socket`` it lies in the runtime or state folder."""

    socket: Annotated[
        FilePath | None, Field(description="default: in the runtime or state folder")
    ] = None
