"""The doctor's checks as values, for whoever shows or keeps them: a backup, a status, a console.

    from agent.app.desk.doctor import ExaminedKiosk
    from agent.operations.examination.examine import examined

    checks = examined(ExaminedKiosk(config, state))
    worst = [one.as_json() for one in checks if not one.ok]

It may take half a minute where parts hang, so it is no call for a thread that decides. It moves
nothing, changes nothing, and holds no secret. Beside a running agent it asks that over its socket.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from agent.technician.doctor import run_checks
from agent.technician.verdict import Check

Probes = Iterable[tuple[str, Callable[[], object]]]


class Examined(Protocol):
    """What opens the parts of a kiosk: ``app.desk.doctor.ExaminedKiosk``."""

    def agent_runs(self) -> bool:
        """Whether an agent holds the parts that only one process can have."""

    def probes(self) -> Probes:
        """What can be looked at whether or not an agent runs."""

    def hardware_probes(self) -> Probes:
        """What only one process can have."""


def examined(kiosk: Examined) -> list[Check]:
    """Every check but those of inputs and of a pulse, in order; none of them raises."""
    checks = run_checks(kiosk.probes())
    return checks if kiosk.agent_runs() else checks + run_checks(kiosk.hardware_probes())
