"""The kiosk that is put to the proof: the guest, as who has its console and its wires sees it."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.errors import GateAgentError
from emulated.machine import BOOT_S, Guest

DOOR, SOUTH, BUTTON, SOUTH_BUTTON = 17, 22, 5, 6
CONFIG = "/etc/gate-agent/gate.toml"
_READY_S = 240.0


class FailedError(GateAgentError):
    """What was to be proven is not so."""


class SkippedError(GateAgentError):
    """It cannot be tried here; the text says what lacks."""


def prove(holds: object, why: str) -> None:
    """Go on where it holds.

    Raises:
        FailedError: it does not.
    """
    if not holds:
        raise FailedError(why)


class Kiosk:
    """The guest; ``port`` is the broker's on this machine, ``folder`` what this run may fill."""

    def __init__(self, guest: Guest, port: int, folder: Path, *, slow: bool = True) -> None:
        self.guest = guest
        self.folder = folder
        self.port = port
        self._slow = slow

    def boot(self, *words: str) -> None:
        """Switch it on and wait until the agent serves.

        Raises:
            UnavailableError: it does not come up.
        """
        self.guest.start(slow=self._slow, words=(f"rig.broker={self.port}", *words))
        self.guest.wait_for_login(BOOT_S)
        self.ready()

    def ready(self) -> None:
        """Wait until the agent serves."""
        self.until("systemctl is-active -q gate-agent", _READY_S)

    def sh(self, command: str, within_s: float = 240.0) -> str:
        """What a command of root's prints.

        Raises:
            FailedError: it ends with another exit code than 0.
        """
        answer = self.guest.sh(command, within_s)
        prove(answer.code == 0, f"{command}: exit code {answer.code}: {answer.output[-600:]}")
        return answer.output

    def until(self, command: str, within_s: float) -> None:
        """Ask again until a command succeeds.

        Raises:
            FailedError: it did not in time, as this machine's clock has it.
        """
        ends = time.monotonic() + within_s
        while self.guest.sh(command, 120).code:
            prove(time.monotonic() < ends, f"not so within {within_s:.0f} s: {command}")
            time.sleep(1)

    def agent(self, words: str, within_s: float = 240.0) -> list[dict[str, Any]]:
        """What a command of the agent's answers as JSON, a line each."""
        lines = self.sh(f"/opt/rig/agent {words}", within_s).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def agent_array(self, words: str) -> list[dict[str, Any]]:
        """What a command of the agent's answers as one array."""
        said = self.sh(f"/opt/rig/agent {words}")
        found: list[dict[str, Any]] = json.loads(said[said.index("[") :])
        return found

    def level(self, pin: int) -> str:
        """``"0"`` or ``"1"``: what a wire there has."""
        return self.sh(f"/opt/rig/pin {pin}")

    def pressed(self, button: int, door: int, level: str) -> None:
        """Press an exit button for as long as the door takes to answer.

        Raises:
            FailedError: it does not within five seconds.
        """
        self.sh(
            f"/opt/rig/pin {button} up; /opt/rig/pin {door} wait {level} 5; code=$?;"
            f" /opt/rig/pin {button} down; (exit $code)"
        )

    def setting(self, edits: Mapping[str, str]) -> None:
        """Change lines of the config by sed's expressions, and start the agent anew."""
        words = " ".join(f"-e 's~{old}~{new}~'" for old, new in edits.items())
        self.sh(f"sed -i -E {words} {CONFIG} && systemctl restart gate-agent", 300)
        self.ready()

    def cut(self, *words: str) -> None:
        """Cut the power, look the disk over, and boot it anew.

        Raises:
            UnavailableError: the disk is damaged, or the gate does not come up.
        """
        self.guest.cut()
        self.guest.check()
        self.boot(*words)

    def at_rest(self) -> None:
        """See that no door is released.

        Raises:
            FailedError: one is.
        """
        prove(self.level(DOOR) == "0", "the north door is released")
        prove(self.level(SOUTH) == "1", "the south door is released")

    def give(self, files: Sequence[Path]) -> None:
        """Lay files into /opt/rig of the disk; the power has to be off."""
        for file in files:
            self.guest.put(file, f"/opt/rig/{file.name}")
