"""The reference backend behind a fleet: its config, its keys, and what it is told to do."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.errors import UnavailableError
from agent.lab.fleet.ears import Trusted
from agent.lab.servers import Server, backend_program
from agent.operations.passes.keys import make_issuer_key, read_issuer_key

_TIMEOUT_S = 600.0
_KEYS = ("command", "registry")
_CHANGE = {
    "to": "fleet/*",
    "holders": [{"id": "fleet-1", "name": "A Newcomer", "category": "resident", "enabled": True}],
}


class Backend:
    """Its instances share a group, so that each event goes to one of them."""

    def __init__(self, folder: Path, broker_port: int, dsn: str) -> None:
        """Make its keys in ``folder``.

        Raises:
            UnavailableError: there is no backend here.
        """
        self._program = backend_program()
        self._folder = folder
        files = {name: folder / f"{name}.pem" for name in _KEYS}
        for file in files.values():
            make_issuer_key(file)
        keys = "".join(f'{name} = "{file}"\n' for name, file in files.items())
        self._config = (
            (
                f'[store]\ndsn = "{dsn}"\n'
                f'[broker]\nhost = "127.0.0.1"\nport = {broker_port}\n'
                # A day at a fleet is short: what is missing is asked for within seconds.
                '[consumer]\ngroup = "fleet"\npatience_s = 3\nretry_s = 5\nround_s = 1\n'
                "asks_per_round = 200\n"
            ),
            keys,
        )
        command, registry = (read_issuer_key(file).public_key() for file in files.values())
        self.trusted = Trusted(command, registry)

    def instance(self, number: int) -> Server:
        """One of the instances, not yet started."""
        command = [str(self._program), "--config", str(self._written(f"fleet-{number}")), "consume"]
        return Server(command, self._folder / f"fleet-{number}.log")

    def pin(self, shown: Sequence[dict[str, Any]]) -> None:
        """Let it know the kiosks by what they show of their keys."""
        self._run("kiosks", "pin", said=shown)

    def register(self) -> None:
        """Let somebody move in, of whom every kiosk is to know."""
        self._run("register", said=_CHANGE)

    def _written(self, instance: str) -> Path:
        settings, keys = self._config
        file = self._folder / f"{instance}.toml"
        file.write_text(f'{settings}instance = "{instance}"\n[keys]\n{keys}')
        return file

    def _run(self, *words: str, said: object) -> None:
        config = self._written("by-hand")
        done = subprocess.run(  # noqa: S603 - our own program
            [str(self._program), "--config", str(config), *words, "-"],
            input=json.dumps(said),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise UnavailableError(f"backend {words[0]} failed: {done.stderr.strip()[-300:]}")
