"""[control]: where commands come in."""

from agent.config.base import FilePath, Table


class ControlConfig(Table):
    """The local socket for commands; without ``socket`` it lies in the runtime or state folder."""

    socket: FilePath | None = None
