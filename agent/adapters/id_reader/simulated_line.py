"""The simulated ID card reader on a line of bytes and moments: no terminal, thread or real time.

Bytes arrive and waits end by a ``ManualClock``, which the driver's own waiting moves. So a slow
machine loses no reply, and a second of silence takes none.
"""

import errno
from collections import deque

from agent.adapters.id_reader.frames import FrameParser
from agent.adapters.id_reader.ga467 import Ga467Reader, Timing
from agent.adapters.id_reader.simulated import Ga467Part
from agent.adapters.manual_clock import ManualClock
from agent.domain.credential.id_document import IdDocument

_WAITS_S = 0.05


class Ga467OnClock(Ga467Part):
    """The part; ``clock`` is its time. Used by one thread."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self._port: _Port | None = None
        self._there = True

    def reader(self, timing: Timing | None = None) -> Ga467Reader:
        """The driver on this line.

        Raises:
            UnavailableError: as the driver's.
        """
        return Ga467Reader(
            "a line by the clock", timing, opens=self._open, now_s=self.now_s, sleep=self.pass_s
        )

    def plug_in(self) -> None:
        """It can be opened anew; what had it open stays gone."""
        self.unplug()
        self._parser = FrameParser()
        self._there = True

    def unplug(self) -> None:
        """The line is gone; who had it open sees that at the next call."""
        self._there = False
        self._port = None

    def now_s(self) -> float:
        """Seconds on its clock."""
        return self.clock.now().monotonic_s

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def holds(self, port: "_Port") -> bool:
        """Whether ``port`` is what has it open."""
        return self._port is port

    def let_go(self, port: "_Port") -> None:
        """``port`` is closed."""
        if self.holds(port):
            self._port = None

    def _open(self, _name: str) -> "_Port":
        if not self._there:
            raise OSError(errno.ENOENT, "no such line")
        if self._port is not None:
            raise OSError(errno.EBUSY, "the line is in use")
        self._port = _Port(self)
        return self._port


class _Port:
    """Implements ``ga467.Line``."""

    def __init__(self, part: Ga467OnClock) -> None:
        self._part = part
        self._coming: deque[tuple[float, bytes]] = deque()
        self._here = bytearray()

    @property
    def in_waiting(self) -> int:
        self._arrive()
        return len(self._here)

    def read(self, size: int = 1, /) -> bytes:
        ends_s = self._part.now_s() + _WAITS_S
        while self.in_waiting < size and (left_s := ends_s - self._part.now_s()) > 0.0:
            if self._coming:
                left_s = min(left_s, self._coming[0][0] - self._part.now_s())
            self._part.pass_s(left_s)
        data = bytes(self._here[:size])
        del self._here[:size]
        return data

    def write(self, data: bytes, /) -> int:
        self._arrive()
        for reply in self._part.hears(data):
            # A reply begins where the one before it has left.
            at_s = max(self._part.now_s(), self._coming[-1][0] if self._coming else 0.0)
            for after_s, portion in self._part.portions(reply):
                at_s += after_s
                self._coming.append((at_s, portion))
        return len(data)

    def reset_input_buffer(self) -> None:
        self._arrive()
        self._here.clear()

    def close(self) -> None:
        self._part.let_go(self)

    def _arrive(self) -> None:
        if not self._part.holds(self):
            raise OSError(errno.EIO, "the line is gone")
        while self._coming and self._coming[0][0] <= self._part.now_s():
            self._here += self._coming.popleft()[1]


class SimulatedIdReader:
    """Implements ``ports.IdReader``: the driver itself on the simulated part, ``part``."""

    def __init__(self, timing: Timing | None = None) -> None:
        self.part = Ga467OnClock()
        self._driver = self.part.reader(timing)

    def read(self, timeout_s: float) -> IdDocument | None:
        """As the driver reads."""
        return self._driver.read(timeout_s)

    def close(self) -> None:
        """Let the driver go."""
        self._driver.close()
