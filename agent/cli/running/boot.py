"""``gate-agent config adopt`` and ``config report``: the gate.toml of the boot partition."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from agent.app.open.paths import config_path, state_dir
from agent.cli.common import (
    Commands,
    Config,
    Json,
    StateDir,
    emit,
    examples,
    file_option,
    say,
    warn,
)
from agent.cli.terminal.style import plain

if TYPE_CHECKING:
    from agent.operations.config.boot_adopt import Adoption

_NOWHERE = "no boot partition is mounted here; --from names its folder"
From = Annotated[
    Path | None,
    file_option(
        "--from",
        "Where the boot partition is mounted [default: /boot/firmware or /boot, where it is FAT].",
        "DIR",
    ),
]


def add_to(group: Commands) -> None:
    """Hang both into the group ``config``."""
    group.command(
        "adopt",
        epilog=examples("config adopt", "config adopt --from /mnt/card --config /tmp/gate.toml"),
    )(adopt)
    group.command(
        "report",
        epilog=examples("config report", "config report --doctor /run/gate-agent-boot/doctor.json"),
    )(report)


def adopt(
    *,
    source: From = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Take gate.toml over from the boot partition.

    The service does so at every boot. Secrets in it are kept on the kiosk and blanked on the card.
    A wrong one changes nothing and exits 78; what is wrong stands in gate-status.txt beside it.
    """
    from agent.errors import ConfigError, UnavailableError
    from agent.operations.config.boot_adopt import ABSENT as NONE
    from agent.operations.config.boot_adopt import REFUSED, Adoption, adopt
    from agent.operations.config.boot_kept import keeper_for
    from agent.operations.config.boot_status import boot_folder

    place, folder = config_path(config), source or boot_folder()
    if folder is None:
        found = Adoption(NONE, config=place if place.is_file() else None)
        if as_json:
            emit({"from": None, **found.as_json()})
        else:
            say(_NOWHERE)
        return
    if not folder.is_dir():
        raise UnavailableError(f"{folder} is no folder", "--from DIR, where the card is mounted")
    found = adopt(folder, place, state_dir(state), keeper_for(place.parent))
    try:
        if not _said_already(folder, found):
            _write(folder, found.as_json(), {})
    except UnavailableError as error:
        warn(str(error))  # a card that cannot be written keeps no gate from its start
    if found.outcome == REFUSED:
        file = str(folder / "gate.toml")
        raise ConfigError([f"{file}: {one}" for one in found.faults], found.faults, file)
    if as_json:
        emit({"from": str(folder), **found.as_json()})
    else:
        _say(found)


def _said_already(folder: Path, found: "Adoption") -> bool:
    """Whether the status there still holds: of a boot like the last one nothing is written."""
    from agent.operations.config.boot_adopt import ABSENT, UNCHANGED
    from agent.operations.config.boot_file import STATUS

    is_like_before = found.outcome in (UNCHANGED, ABSENT) and found.config is not None
    return is_like_before and not found.notes and (folder / STATUS).is_file()


def _say(found: "Adoption") -> None:
    said = {
        "adopted": f"wrote {found.config}",
        "unchanged": "the same gate.toml as before: nothing changed",
        "absent": "no gate.toml there: nothing changed",
    }
    say(plain(said[found.outcome]))
    for name in found.moved:
        say(plain(f"{name}: taken off the card, kept on this kiosk"))
    for note in found.notes:
        warn(note)


def report(
    *,
    source: From = None,
    doctor: Annotated[
        Path | None,
        file_option("--doctor", "What gate-agent doctor --json printed the last time."),
    ] = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Write gate-status.txt on the boot partition.

    It says what became of gate.toml there, what the gate is doing, its address and what the doctor
    found. It is written only where it would say something else.
    """
    from agent.errors import UnavailableError
    from agent.operations.config.boot_adopt import last_adoption
    from agent.operations.config.boot_file import STATUS
    from agent.operations.config.boot_status import boot_folder, doctor_of

    place, folder = config_path(config), source or boot_folder()
    if folder is None:
        if as_json:
            emit({"file": None, "written": False})
        else:
            say(_NOWHERE)
        return
    if not folder.is_dir():
        raise UnavailableError(f"{folder} is no folder", "--from DIR, where the card is mounted")
    adoption = last_adoption(place) or {"outcome": "absent"}
    adoption["config"] = str(place) if place.is_file() else None
    if adoption["outcome"] != "refused" and not (folder / "gate.toml").is_file():
        adoption = {"outcome": "absent", "config": adoption["config"]}
    told: dict[str, Any] = {}
    found = None if doctor is None else doctor_of(doctor)
    if doctor is not None and found is not None:
        from datetime import UTC, datetime

        at = datetime.fromtimestamp(doctor.stat().st_mtime, UTC)
        told = {"doctor": found, "checked": at.isoformat(timespec="minutes")}
    written = _write(folder, adoption, told | _asked(config, state))
    if as_json:
        emit({"file": str(folder / STATUS), "written": written})
    else:
        say(plain(f"{'wrote' if written else 'left as it was:'} {folder / STATUS}"))


def _asked(config: Path | None, state: Path | None) -> dict[str, Any]:
    """What the running agent says of itself."""
    from agent.app.desk.asking import AgentSocket, answered
    from agent.app.open.paths import given_config_path
    from agent.errors import GateAgentError

    try:
        socket = AgentSocket(given_config_path(config), state_dir(state)).path()
        return {"agent": answered(socket, {"command": "status"})["status"]}
    except GateAgentError as error:
        said = str(error).partition("\n")[0]
        return {"why": f"no agent answers ({said})"}


def _write(folder: Path, adoption: dict[str, Any], told: dict[str, Any]) -> bool:
    import socket
    from datetime import UTC, datetime

    from agent.operations.config.boot_status import Told, addresses, status_lines, write_status

    whole = Told(adoption, socket.gethostname(), tuple(addresses()), **told)
    return write_status(folder, list(status_lines(whole)), datetime.now(UTC))
