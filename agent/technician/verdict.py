"""What a check of the doctor says: pass, warn or fail; what it means; how to mend it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from agent.errors import GateAgentError


class Status(StrEnum):
    """Only ``fail`` makes the doctor's exit code 1."""

    PASS = "pass"  # noqa: S105 - the word of a verdict, not of a door
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check may find; ``seen`` calls it in the table of all checks.

    ``meaning`` says what follows at the gate; ``fix`` is what to do, None where nothing is to be
    done, or where each case has its own.
    """

    status: Status
    seen: str
    meaning: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in one case; ``fix`` stands in place of the finding's where it is given."""

    finding: Finding
    detail: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A check: what it looks at, how it judges the facts, and all that it may find.

    ``judge`` is pure. ``missing`` is said where the facts could not be had: an error, or no answer
    within ``timeout_s``.
    """

    name: str
    looks_at: str
    judge: Callable[[Any], Verdict]
    findings: tuple[Finding, ...]
    missing: Finding
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``fix`` is what to do where it is not well."""

    name: str
    status: Status
    detail: str
    meaning: str
    fix: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the gate may go into service by it: a warning hinders nothing."""
        return self.status is not Status.FAIL

    def as_json(self) -> dict[str, Any]:
        """Its fields, and ``ok``."""
        return {**asdict(self), "ok": self.ok}


def passed(seen: str, meaning: str) -> Finding:
    """All is well."""
    return Finding(Status.PASS, seen, meaning)


def warned(seen: str, meaning: str, fix: str | None = None) -> Finding:
    """It works, and somebody should know."""
    return Finding(Status.WARN, seen, meaning, fix)


def failing(seen: str, meaning: str, fix: str | None = None) -> Finding:
    """It does not work."""
    return Finding(Status.FAIL, seen, meaning, fix)


def check_of(name: str, verdict: Verdict) -> Check:
    """A verdict under the name of what was looked at."""
    finding = verdict.finding
    fix = None if finding.status is Status.PASS else verdict.fix or finding.fix
    return Check(name, finding.status, verdict.detail, finding.meaning, fix)


def of_error(missing: Finding, error: GateAgentError) -> Verdict:
    """What an error says, as the verdict on what could not be looked at."""
    message, _, fix = str(error).partition("\nFix: ")
    return Verdict(missing, message, fix or None)
