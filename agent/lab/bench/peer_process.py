"""A peer in a process of its own: images in, templates and milliseconds out."""

import contextlib
import json
import os
import select
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from agent.domain.sight.image import Image, Template
from agent.errors import UnavailableError

_ANSWER_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Look:
    """What a peer made of an image: a template, None without a face; and how long it took."""

    template: Template | None
    ms: float


class PeerProcess:
    """One that is ready; not safe for two threads at once."""

    def __init__(
        self, name: str, process: "subprocess.Popen[bytes]", said: IO[bytes], folder: Path
    ) -> None:
        self._name = name
        self._process = process
        self._said = said
        self._place = folder / "image.npy"

    def look(self, image: Image) -> Look:
        """What the peer makes of an image.

        Raises:
            UnavailableError: it died, or did not answer in time.
        """
        assert self._process.stdin is not None
        np.save(self._place, image)
        try:
            self._process.stdin.write(f"{self._place}\n".encode())
            self._process.stdin.flush()
        except OSError as error:
            raise self.failed() from error
        found = self.answer()
        template = found["template"]
        return Look(
            None if template is None else np.array(template, dtype=np.float32), float(found["ms"])
        )

    def answer(self) -> Any:
        """The next line that it says."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _ANSWER_TIMEOUT_S)
        line = self._process.stdout.readline() if ready else b""
        try:
            return json.loads(line)
        except ValueError as error:
            raise self.failed() from error

    def failed(self) -> UnavailableError:
        """Why it ended, in its own last line."""
        self._process.kill()
        self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip().splitlines()
        return UnavailableError(f"{self._name} cannot be measured: {''.join(said[-1:])}")


@contextmanager
def peer_process(
    name: str, command: Sequence[str], environment: Mapping[str, str]
) -> Iterator[PeerProcess]:
    """The peer's script running.

    Raises:
        UnavailableError: it does not start: a package is missing, or a file.
    """
    with (
        tempfile.TemporaryDirectory(prefix="gate-peer-") as folder,
        tempfile.TemporaryFile() as said,
    ):
        process = subprocess.Popen(  # noqa: S603 - a Python and a script of ours
            command,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        peer = PeerProcess(name, process, said, Path(folder))
        try:
            peer.answer()
            yield peer
        finally:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):
                    pipe.close()
            process.wait()
