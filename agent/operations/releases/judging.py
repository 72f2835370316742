"""Whether a release does as well as the one before: by the doctor that each brings along.

Worse is what does not start, and what fails a check that the release before did not fail. Warnings
come and go with the light and the heat; a check that only one of both knows compares with nothing.
"""

import json
import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STARTS_S = 60.0
_EXAMINES_S = 300.0
_USER = "gate-agent"


@dataclass(frozen=True, slots=True)
class Judged:
    """How a release does: whether its program starts, and by check whether it fails.

    ``checks`` is None where its doctor says nothing, because no gate is described yet, say.
    """

    starts: bool
    checks: Mapping[str, bool] | None = None

    @property
    def failing(self) -> list[str]:
        """The checks that fail."""
        return [name for name, fails in (self.checks or {}).items() if fails]


def worse(before: Judged, after: Judged) -> list[str]:
    """What is worse afterwards, in words; nothing where it is as well as before."""
    if not after.starts:
        return ["its program does not start"]
    if before.checks is None:
        return []
    if after.checks is None:
        return ["its doctor says nothing"]
    known = before.checks
    return [
        f"the doctor's check {name!r} fails"
        for name, fails in after.checks.items()
        if fails and known.get(name) is False
    ]


class Doctor:
    """Asks the programs of releases; as the service's user where root asks."""

    def __init__(self, config: Path, state: Path) -> None:
        self._options = ("--config", str(config), "--state-dir", str(state))

    def judge(self, program: Path) -> Judged:
        """How this release does here, whichever is current."""
        if self._said(program, ("version", "--json"), _STARTS_S) is None:
            return Judged(starts=False)
        told = self._said(program, ("doctor", "--json", *self._options), _EXAMINES_S)
        found = told.get("checks") if isinstance(told, dict) else None
        if not isinstance(found, list):
            return Judged(starts=True)
        named = [one for one in found if isinstance(one, dict) and isinstance(one.get("name"), str)]
        return Judged(starts=True, checks={one["name"]: one.get("ok") is False for one in named})

    def _said(self, program: Path, words: Sequence[str], patience_s: float) -> Any:
        """The JSON that it answers; None where it answers none."""
        try:
            done = subprocess.run(  # noqa: S603 - of a release that was verified
                [str(program), *words],
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=patience_s,
                cwd="/",
                **_rights(),
            )
            return json.loads(done.stdout)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            return None


def _rights() -> dict[str, Any]:
    """Root looks as the service does, and leaves no file of its own in the service's folder."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam(_USER)
    except KeyError:
        return {}
    groups = os.getgrouplist(_USER, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": groups}
