"""systemd and dpkg of this machine, as an update needs them; where there are none, nothing."""

import shutil
import subprocess
import time
from pathlib import Path

from agent.app.desk.asking import AgentSocket, answered
from agent.app.open.paths import SYSTEM_CONFIG, SYSTEM_STATE
from agent.errors import GateAgentError, UnavailableError

_UNIT = "gate-agent.service"
_SYSTEMD = Path("/run/systemd/system")
_RESTART_S = 200.0
_UP_S = 120.0
_DPKG_S = 900.0
_EVERY_S = 1.0


class NoService:
    """A folder that is no machine's root: nothing runs there, and no dpkg knows it."""

    def runs(self) -> bool:
        """Nothing does."""
        return False

    def restart(self) -> None:
        """There is nothing to start."""

    def comes_up(self) -> bool:
        """Nothing is waited for."""
        return True

    def knows_packages(self) -> bool:
        """No dpkg does."""
        return False

    def objects(self, _file: Path) -> str | None:
        """Nobody does."""
        return None

    def install(self, _file: Path) -> None:
        """Nobody does."""


class SystemService:
    """The service of this machine."""

    def __init__(self) -> None:
        self._socket = AgentSocket(SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else None, SYSTEM_STATE)

    def runs(self) -> bool:
        """Whether systemd runs it."""
        if not _SYSTEMD.is_dir():
            return False
        return _done("systemctl", "is-active", "--quiet", _UNIT, patience_s=30).returncode == 0

    def restart(self) -> None:
        """Have the current release run, if it does not; whether it came up ``comes_up`` tells."""
        if self._runs_current():
            return  # dpkg's script has restarted it
        _done("systemctl", "daemon-reload", patience_s=60)
        _done("systemctl", "restart", "--no-block", _UNIT, patience_s=_RESTART_S)

    def comes_up(self) -> bool:
        """Whether it is active and answers, at two looks, by the program that is current now."""
        until_s = time.monotonic() + _UP_S
        well = 0
        while time.monotonic() < until_s:
            well = well + 1 if self.runs() and self._answers() else 0
            if well >= 2:
                return True
            time.sleep(_EVERY_S)
        return False

    def _answers(self) -> bool:
        try:
            answer = answered(self._socket.path(), {"command": "status"})
        except GateAgentError:
            return False
        return self._runs_current() and bool(answer)

    def _runs_current(self) -> bool:
        """Whether what runs is the program of the current release, and not of the one before."""
        shown = _done("systemctl", "show", "--value", "--property=MainPID", _UNIT, patience_s=30)
        try:
            program = Path(f"/proc/{shown.stdout.strip()}/cmdline").read_bytes().split(b"\0")
            current = Path("/opt/gate-agent/current").resolve()
            return any(Path(word.decode()).is_relative_to(current) for word in program[:3])
        except (OSError, ValueError):
            return False  # none runs

    def knows_packages(self) -> bool:
        """Whether the agent here is a package of Debian's."""
        if shutil.which("dpkg-query") is None:
            return False
        asked = ("dpkg-query", "--show", "--showformat=${Status}", "gate-agent")
        return "install ok" in _done(*asked, patience_s=60).stdout

    def objects(self, file: Path) -> str | None:
        """What dpkg says of it without doing anything."""
        done = _done("dpkg", "--no-act", "--install", str(file), patience_s=_DPKG_S)
        return None if done.returncode == 0 else _last_line(done.stderr)

    def install(self, file: Path) -> None:
        """By dpkg, which asks nothing.

        Raises:
            UnavailableError: it did not.
        """
        done = _done("dpkg", "--force-downgrade", "--install", str(file), patience_s=_DPKG_S)
        if done.returncode != 0:
            fix = "sudo dpkg --configure -a"
            raise UnavailableError(f"dpkg did not install it: {_last_line(done.stderr)}", fix)


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it says nothing"


def _done(*words: str, patience_s: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - our own words, and a file that was verified
            words,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience_s,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 1, "", str(error))
