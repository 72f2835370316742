"""A reader that is none: what it sends are pulses, with what goes wrong on a cable.

    bits --train--> pulses --trouble: jitter, ringing, lost, merged, noise--> a queue, or a file
                                                                               read by the agent

In a file (``FileLines``) one process plays the reader and another is the agent, as with simulated
pins: 9 bytes a pulse, its time and its bit, appended. Whoever reads it starts at its end, as a
kernel tells nobody what was before.
"""

import os
import random
import struct
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.domain.reader.pulses import Pulse
from agent.errors import UnavailableError

_RECORD = struct.Struct("<qB")
_MOST_READ = 4096
_LOOK_S = 0.005


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls pulses on their way; times are microseconds, chances those of each pulse.

    ``merged``: it falls together with the one before, so that one of them is never heard.
    ``ringing``: another edge of the same wire some microseconds later. ``noise``: a pulse that was
    never sent, on either wire, at any time of the frame.
    """

    jitter_us: float = 0.0
    lost: float = 0.0
    merged: float = 0.0
    ringing: float = 0.0
    noise: float = 0.0


def train(
    bits: Sequence[int],
    at_ns: int,
    *,
    interval_us: float = 1000.0,
    trouble: Trouble | None = None,
    draw: random.Random | None = None,
) -> list[Pulse]:
    """The pulses of ``bits`` from ``at_ns`` on, as they are heard."""
    trouble, draw = trouble or Trouble(), draw or random.Random(0)  # noqa: S311 - no secret
    pulses: list[Pulse] = []
    for number, bit in enumerate(bits):
        moved_us = draw.uniform(-trouble.jitter_us, trouble.jitter_us)
        moment_ns = at_ns + int((number * interval_us + moved_us) * 1000)
        if draw.random() < trouble.noise:
            somewhere_us = (number + draw.random()) * interval_us
            pulses.append(Pulse(at_ns + int(somewhere_us * 1000), draw.randrange(2)))
        if draw.random() < trouble.lost or (pulses and draw.random() < trouble.merged):
            continue
        pulses.append(Pulse(moment_ns, bit))
        if draw.random() < trouble.ringing:
            pulses.append(Pulse(moment_ns + draw.randrange(500, 8000), bit))
    return pulses


def hum(at_ns: int, seconds: float, hertz: float = 50.0) -> Iterator[Pulse]:
    """Both wires fall with the mains, D1 a little behind D0."""
    for number in range(int(seconds * hertz)):
        moment_ns = at_ns + int(number * 1e9 / hertz)
        yield Pulse(moment_ns, 0)
        yield Pulse(moment_ns + 5_000, 1)


class SimulatedLines:
    """Implements ``PulseLines``, in this process."""

    def __init__(self) -> None:
        self._queue: deque[Pulse] = deque(maxlen=_MOST_READ)
        self.drowned = False
        self.unplugged = False
        self.closed = False

    def send(self, pulses: Iterable[Pulse]) -> None:
        """What is heard from now on; of a reader that is unplugged nothing is."""
        if not self.unplugged:
            self._queue.extend(pulses)

    def take(self) -> Sequence[Pulse]:
        """What was sent since the last call.

        Raises:
            UnavailableError: it is closed.
        """
        if self.closed:
            raise UnavailableError("the reader is closed")
        taken = [*self._queue]
        self._queue.clear()
        return taken

    def wait(self, timeout_s: float) -> None:
        """A moment, or until something is there."""
        if not self._queue:
            time.sleep(min(timeout_s, _LOOK_S))

    def close(self) -> None:
        """Nothing more is heard."""
        self.closed = True


class FileLines:
    """Implements ``PulseLines`` over a file that another process appends to."""

    drowned = False

    def __init__(self, path: Path) -> None:
        """Begin at the file's end; it is made where it is not there.

        Raises:
            UnavailableError: it cannot be opened.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            fix = "name a pins_file in a folder that the agent may write to"
            raise UnavailableError(f"{path}: {error.strerror}", fix) from error
        self._at = os.fstat(self._file).st_size // _RECORD.size * _RECORD.size
        self._closed = False

    def take(self) -> Sequence[Pulse]:
        """What was appended since the last call, whole records only.

        Raises:
            UnavailableError: it is closed.
        """
        if self._closed:
            raise UnavailableError("the reader is closed")
        raw = os.pread(self._file, _MOST_READ * _RECORD.size, self._at)
        whole = len(raw) // _RECORD.size * _RECORD.size
        self._at += whole
        return [Pulse(at_ns, bit & 1) for at_ns, bit in _RECORD.iter_unpack(raw[:whole])]

    def wait(self, timeout_s: float) -> None:
        """A moment: a file wakes nobody."""
        time.sleep(min(timeout_s, _LOOK_S))

    def close(self) -> None:
        """Let the file go; safe to call twice."""
        if not self._closed:
            self._closed = True
            os.close(self._file)


def pulses_file(pins_file: Path, reader: str) -> Path:
    """Where the pulses of a simulated reader stand: beside the pins."""
    return pins_file.with_name(f"{pins_file.name}.{reader}")


def play(path: Path, pulses: Iterable[Pulse]) -> None:
    """Be the reader: append ``pulses`` in one piece."""
    with path.open("ab") as file:
        file.write(b"".join(_RECORD.pack(one.at_ns, one.bit) for one in pulses))
