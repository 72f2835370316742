r"""Every error the agent raises on purpose, in one tree.

    GateAgentError                 exit code
    |-- ConfigError                78   the config is wrong: every finding at once
    |-- UnavailableError           69   something needed is missing: file, device, key, broker
    |   |-- ModelPackError         69   a pack is not installed, or a file of it is wrong
    |   |   `-- NotInstalledError  69   the pack that shall be used is not installed
    |   |-- StoreError             69   a database is locked, unreadable or not ours
    |   `-- KeyUnavailableError    69   the gallery's key is missing, exposed, or the wrong one
    |-- RefusedError               1    what was asked is refused, with its reason
    |   |-- EnrolmentRefusedError  1
    |   `-- ImageError             1    an image that cannot be read
    `-- InternalError              70   an invariant is broken

A denial at the gate is no error but a value (``domain.access.policy.Decision``). A message
holds the fix where there is one, and never a name, an ID number, a template or a secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file, or to be meant; lines and columns are counted from 1.

    ``key`` is its place among the keys, ``found`` what stood there and ``excerpt`` the line, both
    without what opens anything. ``mark`` says which characters of ``excerpt`` it is about: from the
    first, counted from 0, to before the second.
    """

    message: str
    fix: str | None = None
    key: str | None = None
    found: str | None = None
    line: int | None = None
    column: int | None = None
    excerpt: str | None = None
    mark: tuple[int, int] = (0, 0)

    def as_json(self) -> dict[str, Any]:
        """It as machines read it; what there is none of is null."""
        return {
            "line": self.line,
            "column": self.column,
            "key": self.key,
            "found": self.found,
            "message": self.message,
            "fix": self.fix,
        }

    def __str__(self) -> str:
        """It on one line, without its place."""
        said = self.message if self.fix is None else f"{self.message}; {self.fix}"
        return said if self.key is None else f"{self.key}: {said}"


class GateAgentError(Exception):
    """The root of the tree; ``exit_code`` is what the command line answers with."""

    exit_code = 1


class ConfigError(GateAgentError):
    """The config is wrong; ``findings`` has a line for each fault, with file, line and key.

    ``faults`` are the same for whoever shows them, of the file ``source``; there are none of a
    manifest, whose findings are lines only.
    """

    exit_code = 78

    def __init__(
        self, findings: list[str], faults: Sequence[Fault] = (), source: str | None = None
    ) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings
        self.faults = tuple(faults)
        self.source = source


class UnavailableError(GateAgentError):
    """Something needed is missing; ``fix`` is what to do, ``reason`` a stable word for machines."""

    exit_code = 69
    reason = "unavailable"

    def __init__(self, message: str, fix: str | None = None) -> None:
        super().__init__(message if fix is None else f"{message}\nFix: {fix}")
        self.fix = fix


class ModelPackError(UnavailableError):
    """A model pack is not installed, or a file of it is not the one its manifest declares."""


class NotInstalledError(ModelPackError):
    """The pack that shall be used is not installed; told by a word of its own."""

    reason = "not_installed"


class StoreError(UnavailableError):
    """A database is locked, unreadable, or not of this agent."""


class KeyUnavailableError(UnavailableError):
    """The key of the gallery is missing, readable by others, or not the one that sealed it."""


class RefusedError(GateAgentError):
    """What was asked is refused; ``reason`` is a stable word for machines."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class EnrolmentRefusedError(RefusedError):
    """A photograph or holder cannot be enrolled."""


class ImageError(RefusedError):
    """An image cannot be read."""


class InternalError(GateAgentError):
    """An invariant of the agent is broken; the outputs go safe and the process ends."""

    exit_code = 70
