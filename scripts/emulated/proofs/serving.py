"""The service as it is shipped, from the exit button to the door, the broker and the bus."""

import time

from emulated.proofs.kiosk import BUTTON, CONFIG, DOOR, prove
from emulated.proofs.run import Run

_SANDBOX = {"NoNewPrivs": "1", "Seccomp": "2", "CapEff": "0" * 16, "CapBnd": "0" * 16}
_PARTS = {"mlx90614": 5, "mlx90640": 55}


def service(run: Run) -> str:
    """It is active under the shipped unit, without rights, and says when it was ready."""
    kiosk = run.kiosk
    names = ("FragmentPath", "DropInPaths", "User", "NRestarts", "MainPID")
    said = kiosk.sh(f"systemctl show gate-agent {' '.join(f'-p {name}' for name in names)}")
    shown = dict(line.partition("=")[::2] for line in said.splitlines())
    prove(shown["FragmentPath"] == "/lib/systemd/system/gate-agent.service", f"{shown}")
    prove(shown["DropInPaths"] == "" and shown["User"] == "gate-agent", f"{shown}")
    prove(shown["NRestarts"] == "0", f"it was started {shown['NRestarts']} times more")
    status = kiosk.sh(f"grep -E '{'|'.join(_SANDBOX)}' /proc/{shown['MainPID']}/status")
    found = dict(line.split() for line in status.replace(":", "").splitlines())
    prove(found.items() >= _SANDBOX.items(), f"the process has {found}")
    times = kiosk.sh(
        "systemctl show gate-agent -p InactiveExitTimestampMonotonic -p"
        " ActiveEnterTimestampMonotonic --value"
    )
    first, last = sorted(int(line) for line in times.split())
    (state,) = kiosk.agent("status --json")
    prove(state["online"], "its status says that it is not there")
    return f"active {(last - first) / 1e6:.1f} s after its start, by the guest's clock"


def exit_button(run: Run) -> str:
    """The button's pin moves the door's, and it falls by itself."""
    kiosk = run.kiosk
    kiosk.at_rest()
    kiosk.pressed(BUTTON, DOOR, "1")
    kiosk.sh(f"/opt/rig/pin {DOOR} wait 0 40", 600)
    released = [one for one in kiosk.agent("events list --json") if one["type"] == _RELEASED]
    prove(released and released[-1]["data"]["cause"] == "rex", "the journal has no such release")
    kiosk.at_rest()
    return "the door's pin followed the button's, and fell after its pulse"


_RELEASED = "gate.door.released"


def broker(run: Run) -> str:
    """A broker of this machine hears of a release."""
    kiosk = run.kiosk
    before = len(_releases(run))
    kiosk.pressed(BUTTON, DOOR, "1")
    ends = time.monotonic() + 120
    while len(_releases(run)) == before:
        prove(time.monotonic() < ends, "the broker heard of no release")
        time.sleep(0.5)
    heard = _releases(run)[-1]
    (mine,) = [one for one in kiosk.agent("events list --json") if one["id"] == heard["id"]]
    prove(mine["sequence"] == heard["sequence"], "the journal and the broker differ")
    kiosk.sh(f"/opt/rig/pin {DOOR} wait 0 40", 600)
    return f"door.released {heard['sequence'].lstrip('0')}, as the journal has it"


def _releases(run: Run) -> list[dict[str, str]]:
    return [one for one in run.subscriber.events() if one["type"] == _RELEASED]


def thermometers(run: Run) -> str:
    """Both parts answer the agent's own drivers through the kernel's i2c-dev."""
    kiosk, told = run.kiosk, []
    for kind, angle in _PARTS.items():
        table = f'kind = "{kind}"\\nbus = 0\\nfield_of_view_deg = {angle}'
        kiosk.sh(
            f"sed '/^.thermometer/,/^.broker/s~^kind = .*~{table}~' {CONFIG} > /run/part.toml;"
            " chmod 644 /run/part.toml"
        )
        (read,) = kiosk.agent("thermometer read --config /run/part.toml --json")
        warm = read["temperature_c"]
        prove(30 < warm < 40, f"{kind} says {warm} degrees")
        told.append(f"{kind} {warm} °C")
    return ", ".join(told)


def told(run: Run) -> list[str]:
    """The ids of the journal's releases."""
    events = run.kiosk.agent("events list --json")
    return [one["id"] for one in events if one["type"] == _RELEASED]
