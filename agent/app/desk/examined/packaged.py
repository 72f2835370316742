"""What the package brought and systemd keeps: the service at boot, the rule of the I2C bus."""

import grp
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from agent.errors import UnavailableError
from agent.operations.examination.repair import Repair

_UNIT = "gate-agent.service"
_STATE = Path("/var/lib/gate-agent")
"""The service's own state; whoever looks at another one has another way to start it."""
_RULE = Path("/usr/lib/udev/rules.d/60-gate-agent.rules")
_GROUP = "i2c"
_PATIENCE_S = 10.0
_AT_BOOT = {"enabled", "enabled-runtime", "static", "indirect", "alias", "generated"}
_ENABLE = f"sudo systemctl enable {_UNIT}"


def unit_state(state: Path, service: Path = _STATE) -> str | None:
    """In systemd's words whether the service starts at boot; None where it keeps none for this."""
    program = shutil.which("systemctl")
    if program is None or state.absolute() != service:
        return None
    try:
        done = _run(program, "is-enabled", _UNIT)
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = done.stdout.strip()
    return said if said and said != "not-found" else None


def unit_found(said: str) -> str:
    """That it starts at boot.

    Raises:
        UnavailableError: it does not.
    """
    if said not in _AT_BOOT:
        raise UnavailableError(f"{_UNIT} is {said}: it does not start at boot", _ENABLE)
    return f"{_UNIT} is {said}"


def unit_repairs(state: Path, service: Path = _STATE) -> Iterator[Repair]:
    """Have the service start at boot; one that a person has masked stays so."""
    if os.geteuid() == 0 and unit_state(state, service) == "disabled":
        yield Repair("service", f"systemctl enable {_UNIT}", lambda: _must("systemctl", "enable"))


def bus_repairs(device: Path, rule: Path = _RULE, group: str = _GROUP) -> Iterator[Repair]:
    """Have the packaged rule give the bus to its group; one that is not there is a person's."""
    if os.geteuid() != 0 or not rule.exists() or not device.exists() or _for_group(device, group):
        return
    yield Repair("i2c bus", f"give {device} to the group {group} by {rule}", _apply_rule)


def _for_group(device: Path, name: str) -> bool:
    found = device.stat()
    try:
        group = grp.getgrnam(name).gr_gid
    except KeyError:
        return True  # without the group the rule gives it to nobody
    wanted = stat.S_IRGRP | stat.S_IWGRP
    return found.st_gid == group and found.st_mode & wanted == wanted


def _apply_rule() -> None:
    _must("udevadm", "control", "--reload")
    _must("udevadm", "trigger", "--action=change", "--subsystem-match=i2c-dev", "--settle")


def _must(name: str, *words: str) -> None:
    given = (*words, _UNIT) if name == "systemctl" else words
    told = " ".join((name, *given))
    try:
        done = _run(shutil.which(name) or name, *given)
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"{told} did not run: {type(error).__name__}"
        raise UnavailableError(message, f"sudo {told}") from error
    if done.returncode:
        raise UnavailableError(f"{told} ended with {done.returncode}", f"sudo {told}")


def _run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the system's own program, and words of ours
        [program, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
