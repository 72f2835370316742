"""Where a kiosk keeps the secrets that came with its card.

    with a TPM 2.0     encrypted by systemd-creds to this machine, under /etc/credstore.encrypted;
                       a drop-in of the service has systemd hand them to the agent, in memory
    without            a file of mode 0600 beside the config, the service's own

Written whole and flushed before the card's copy goes: a power cut leaves one of the two.
"""

import grp
import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import UnavailableError
from agent.operations.files import Handed, sync_folder, write_whole

SERVICE = "gate-agent"
_HANDED_OVER = Path("/run/credentials/gate-agent.service")
ADDRESSES = "boot-secrets.json"
_TPM_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps secrets for the config in ``folder``.

    ``store`` and ``drop_in`` are systemd's places for what a TPM sealed; ``creds`` is the program,
    None where no TPM is to be used.
    """

    folder: Path
    creds: str | None = None
    store: Path = Path("/etc/credstore.encrypted")
    drop_in: Path = Path("/etc/systemd/system/gate-agent.service.d/boot-credentials.conf")
    reload: list[str] = field(default_factory=lambda: ["systemctl", "daemon-reload"])

    def keep(self, name: str, secret: bytes) -> str:
        """Keep it; by which path the agent reads it, as a config in ``folder`` has it.

        Raises:
            UnavailableError: it cannot be written; then nothing is kept.
        """
        if self.creds is None:
            place = self.folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if not (place.is_file() and place.read_bytes() == secret):
                write_whole(secret, place, handed=handed(0o600, owned=True))
                sync_folder(place.parent)
            return name
        sealed = self._sealed(name)
        done = self._run("encrypt", f"--name={_flat(name)}", "--with-key=tpm2", "-", "-", of=secret)
        self.store.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(done, sealed)
        sync_folder(self.store)
        (self.folder / name).unlink(missing_ok=True)
        self._hand_over()
        return self.handed_over(name)

    def handed_over(self, name: str) -> str:
        """By which path the agent will read what is kept as ``name``."""
        return name if self.creds is None else str(_HANDED_OVER / _flat(name))

    def place(self, name: str) -> str | None:
        """By which path the agent reads what was kept as ``name``; None: nothing was."""
        if self._sealed(name).is_file():
            return str(_HANDED_OVER / _flat(name))
        return name if (self.folder / name).is_file() else None

    def addresses(self) -> dict[str, str]:
        """The addresses with a login that were kept, by their names; root's alone."""
        try:
            found = json.loads((self.folder / ADDRESSES).read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            fix = "write the address of the camera into gate.toml again"
            raise UnavailableError(f"{self.folder / ADDRESSES} is unreadable", fix) from error
        return {str(name): str(value) for name, value in found.items()}

    def keep_addresses(self, addresses: Mapping[str, str]) -> None:
        """Keep these as well as those that were.

        Raises:
            UnavailableError: they cannot be written.
        """
        whole = self.addresses() | dict(addresses)
        if addresses and whole != self.addresses():
            write_whole(json.dumps(whole, indent=1).encode(), self.folder / ADDRESSES)
            sync_folder(self.folder)

    def _sealed(self, name: str) -> Path:
        return self.store / f"gate-agent.{_flat(name)}"

    def _hand_over(self) -> None:
        """The service gets all that was sealed: its drop-in says so from the next start on."""
        rows = [
            f"LoadCredentialEncrypted={one.name.removeprefix('gate-agent.')}:{one}"
            for one in sorted(self.store.glob("gate-agent.*"))
        ]
        head = "# Written by gate-agent config adopt: secrets that came with the card.\n[Service]\n"
        text = (head + "\n".join(rows) + "\n").encode()
        if self.drop_in.is_file() and self.drop_in.read_bytes() == text:
            return
        self.drop_in.parent.mkdir(parents=True, exist_ok=True)
        write_whole(text, self.drop_in, handed=Handed(-1, -1, 0o644))
        sync_folder(self.drop_in.parent)
        # Where it fails, the next boot has the drop-in all the same.
        subprocess.run(self.reload, check=False, timeout=_TPM_TIMEOUT_S)  # noqa: S603 - our words

    def _run(self, *words: str, of: bytes) -> bytes:
        assert self.creds is not None
        try:
            done = subprocess.run(  # noqa: S603 - our words; the secret goes in by a pipe
                [self.creds, *words],
                input=of,
                capture_output=True,
                check=True,
                timeout=_TPM_TIMEOUT_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            fix = "systemd-creds has-tpm2; the secret is still on the card"
            raise UnavailableError("the TPM did not seal a secret of the card", fix) from error
        return done.stdout


def keeper_for(folder: Path) -> Keeper:
    """Who keeps secrets for the config in ``folder`` on this machine."""
    program = shutil.which("systemd-creds")
    if os.geteuid() or program is None:
        return Keeper(folder)
    asked = subprocess.run(  # noqa: S603 - our words
        [program, "has-tpm2", "--quiet"], check=False, timeout=_TPM_TIMEOUT_S
    )
    return Keeper(folder, program if asked.returncode == 0 else None)


def handed(mode: int, *, owned: bool = False) -> Handed:
    """Whose a file is that root writes for the service: root's to change unless ``owned``."""
    if os.geteuid():
        return Handed(-1, -1, mode)
    try:
        group = grp.getgrnam(SERVICE).gr_gid
        return Handed(pwd.getpwnam(SERVICE).pw_uid if owned else 0, group, mode)
    except KeyError:  # where the service is not installed
        return Handed(-1, -1, mode)


def _flat(name: str) -> str:
    return name.replace("/", "-")
