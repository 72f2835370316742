"""The emulated kiosk for its proofs, and what they ask of it again and again."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from emulated import parts, places, work
from emulated.machine import Guest
from mosquitto import Mosquitto

RETAIL = places.TREE.parent / "shared/models/retail"
READY_S = 300
DOOR, SOUTH_DOOR, BUTTON, SOUTH_BUTTON = 17, 22, 5, 6
AT_REST = {DOOR: 0, SOUTH_DOOR: 1}
CUTS = int(os.environ.get("GATE_RIG_CUTS", "1"))
_AS_AGENT = (
    "cd /var/lib/gate-agent; setpriv --reuid gate-agent --regid gate-agent --init-groups"
    " env HOME=/var/lib/gate-agent GATE_AGENT_STATE_DIR=/var/lib/gate-agent gate-agent"
)


def package(cache: Path) -> Path:
    """The package that is proven; without what a guest needs the test is skipped by name."""
    if command := work.missing():
        pytest.skip(f"programs of the rig are missing: {command}")
    if os.geteuid():
        pytest.skip("the rig needs root")
    found = Path(os.environ.get("GATE_RIG_DEB", cache / "gate-agent.deb"))
    if not parts.prepared(cache) or not found.is_file():
        pytest.skip("no root is cached: scripts/rig up")
    return found


class Kiosk:
    """A guest with a broker on this machine."""

    def __init__(self, guest: Guest, broker: Mosquitto) -> None:
        self.guest = guest
        self.broker = broker

    def boot(self, *words: str, slow: bool = False) -> None:
        """Switch it on and wait until the agent says that it is ready."""
        self.guest.start(slow=slow, words=[f"rig.broker={self.broker.port}", *words])
        self.guest.wait_for_login()
        self.ready()

    def sh(self, command: str, within_s: float = 180.0) -> str:
        """What a command says; one that fails fails the test."""
        answer = self.guest.sh(command, within_s)
        assert answer.code == 0, f"{command}: {answer}"
        return answer.output

    def ready(self) -> None:
        """Wait until systemd has heard from the agent."""
        active = "systemctl -q is-active gate-agent"
        self.guest.sh(
            f"for i in $(seq {READY_S}); do {active} && break; sleep 1; done", READY_S + 300
        )
        answer = self.guest.sh(f"{active} || journalctl -u gate-agent -n 20 --no-pager -o cat")
        assert not answer.output, answer.output

    def agent(self, arguments: str, within_s: float = 300.0) -> str:
        """A command of the agent, as its user, beside the service."""
        return self.sh(f"{_AS_AGENT} {arguments}", within_s)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The journal's events of a type or family."""
        said = self.agent(f"events list --type {kind} --limit 200 --json 2>/dev/null")
        return [json.loads(line) for line in said.splitlines()]

    def pin(self, number: int) -> int:
        return int(self.sh(f"/opt/rig/pin {number}"))

    def pull(self, number: int, to: str) -> None:
        self.sh(f"/opt/rig/pin {number} {to}")

    def press(self, button: int) -> None:
        """Press for a moment: longer than a bounce, shorter than the door's pulse."""
        self.sh(f"/opt/rig/pin {button} up; sleep 0.5; /opt/rig/pin {button} down")

    def wait(self, number: int, level: int, within_s: int) -> int:
        """Milliseconds until a pin has this level."""
        return int(self.sh(f"/opt/rig/pin {number} wait {level} {within_s}", within_s + 60))

    def unit(self, name: str) -> str:
        return self.sh(f"systemctl show -p {name} --value gate-agent")

    def main_pid(self) -> int:
        return int(self.unit("MainPID"))

    def at_rest(self) -> bool:
        return {number: self.pin(number) for number in AT_REST} == AT_REST


def new_kiosk(broker: Mosquitto, folder: Path) -> Kiosk:
    """A kiosk on a new disk with a model pack, switched off."""
    cache = places.cache()
    found = package(cache)
    if not RETAIL.is_dir():
        pytest.skip("no model pack is here: ../shared/models/retail")
    guest = Guest(cache, parts.kernel_at(cache))
    guest.make(parts.image(cache, found, lambda _text: None))
    guest.put(_packed(folder), "/opt/rig/packs.tar")
    return Kiosk(guest, broker)


def _packed(folder: Path) -> Path:
    """The pack as an install leaves it in a state folder, for the guest's ``hardware``."""
    state = folder / "state"
    command = "import sys; from agent.cli.main import main; sys.exit(main())"
    subprocess.run(
        [sys.executable, "-c", command, "models", "install", "retail", "--from", str(RETAIL)],
        check=True,
        env={**os.environ, "GATE_AGENT_STATE_DIR": str(state)},
        timeout=120,
    )
    out = folder / "packs.tar"
    with tarfile.open(out, "w") as tar:
        for name in ("models", "pack.json"):
            tar.add(state / name, name)
    return out
