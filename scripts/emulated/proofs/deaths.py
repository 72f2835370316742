"""The agent's death and hanging: what becomes of the doors' pins, and that it comes back."""

from itertools import pairwise

from emulated.proofs.kiosk import SOUTH, SOUTH_BUTTON, Kiosk, prove
from emulated.proofs.run import Run

_MAIN = "$(systemctl show gate-agent -p MainPID --value)"


def _restarts(kiosk: Kiosk) -> int:
    return int(kiosk.sh("systemctl show gate-agent -p NRestarts --value"))


def watchdog(run: Run) -> str:
    """An agent that hangs in mid-release is ended by systemd, and the door falls."""
    kiosk = run.kiosk
    kiosk.at_rest()
    before = _restarts(kiosk)
    kiosk.pressed(SOUTH_BUTTON, SOUTH, "0")
    took = kiosk.sh(f"kill -STOP {_MAIN}; /opt/rig/pin {SOUTH} wait 1 19", 600)
    kiosk.until(f"[ $(systemctl show gate-agent -p NRestarts --value) -gt {before} ]", 240)
    kiosk.ready()
    kiosk.sh("journalctl -b -u gate-agent --no-pager | grep -q 'Watchdog timeout'")
    kiosk.at_rest()
    return f"the door fell {int(took) / 1000:.1f} s after the agent was stopped; it came back"


def killed(run: Run) -> str:
    """After kill -9 ExecStopPost drives the pin that its pull alone would energise."""
    kiosk = run.kiosk
    kiosk.at_rest()
    before = _restarts(kiosk)
    kiosk.pressed(SOUTH_BUTTON, SOUTH, "0")
    kiosk.sh(
        f"(/opt/rig/pin {SOUTH} trace 18 > /run/trace &); sleep 0.2; kill -9 {_MAIN}; sleep 19",
        600,
    )
    kiosk.until(f"[ $(systemctl show gate-agent -p NRestarts --value) -gt {before} ]", 240)
    kiosk.ready()
    trace = [tuple(map(int, line.split())) for line in kiosk.sh("cat /run/trace").splitlines()]
    levels = [level for _, level in trace]
    at = [when for when, level in trace if level == 1]
    prove(levels[:2] == [0, 1], f"the pin was not secured after the death: {trace}")
    prove(levels[-1] == 1, f"the pin is not at rest at the end: {trace}")
    kiosk.at_rest()
    open_ms = sum(until - since for (since, level), (until, _) in pairwise(trace) if level == 0)
    first, last, released = (one / 1000 - 0.2 for one in (at[0], at[-1], open_ms))
    return (
        f"secured {first:.1f} s after the death, for good after {last:.1f} s; with no resistor on"
        f" the board it was released for {released:.1f} s of these"
    )
