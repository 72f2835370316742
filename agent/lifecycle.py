"""The process: signals in, systemd told, exit codes out.

sd_notify(3): datagrams of ``NAME=value`` to the socket that ``NOTIFY_SOCKET`` names, a path or an
abstract address behind ``@``. The watchdog is fed by the controller's loop only: a loop that hangs
starves it, systemd kills the process, and ExecStopPost secures the outputs.
"""

import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from types import FrameType

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
ENDS_WITHIN_S = 15.0
"""From the outputs at rest to the end of the process, whatever hangs."""
_BEAT_S = 1.0
_BEATS_AN_INTERVAL = 4


class ExitCode(IntEnum):
    """What a command ends with; 64 and above follow sysexits.h."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 69
    INTERNAL = 70
    ANEW = 75
    """Somebody asked for a new start: systemd gives it, as after a failure."""
    CONFIG = 78


class Notifier:
    """Tells systemd how the service is; silent where nobody asked. Never blocks, never raises."""

    def __init__(
        self, address: str | None = None, *, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """``address`` is a path, or a name behind ``@``; by default ``NOTIFY_SOCKET``."""
        self._address = address if address is not None else os.environ.get("NOTIFY_SOCKET", "")
        self._now_s = now_s
        interval_s = watchdog_s(os.environ)
        self._beat_s = _BEAT_S if interval_s is None else interval_s / _BEATS_AN_INTERVAL
        self._beaten_s = float("-inf")
        self._socket: socket.socket | None = None
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def ready(self) -> None:
        """The gate is in service."""
        self._send("READY=1")

    def beat(self) -> None:
        """The controller's loop still turns; sent four times an interval of the watchdog."""
        now_s = self._now_s()
        if now_s - self._beaten_s >= self._beat_s:
            self._beaten_s = now_s
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The outputs are safe, the rest follows."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``; further lines would be fields of their own."""
        self._send(f"STATUS={' '.join(text.split())}")

    def close(self) -> None:
        """Let the socket go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._socket is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            self._socket.sendto(message.encode(errors="replace"), address)
        except OSError:
            return  # systemd's watchdog is the judge of a message that does not arrive


def watchdog_s(environment: Mapping[str, str]) -> float | None:
    """How long systemd waits for a beat, by sd_watchdog_enabled(3); None where it does not."""
    text = environment.get("WATCHDOG_USEC", "")
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(text) / 1e6 if text.isascii() and text.isdigit() and int(text) > 0 else None


def on_termination(call: Callable[[str], None]) -> Callable[[], None]:
    """Have SIGTERM, SIGINT and SIGHUP call ``call`` with their name; returns what restores them.

    SIGHUP is what a closed terminal sends, and its default would kill the process during a pulse.
    It is kept free for reloading, which does not exist yet. Only for the main thread.
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        call(signal.Signals(number).name)

    wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in wanted}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore


@contextmanager
def last_resort(within_s: float = ENDS_WITHIN_S) -> Iterator[Callable[[int], None]]:
    """Gives what ends the process with a code, ``within_s`` after it was called, if need be.

    For after the outputs are at rest: a device or a disk that hangs must keep neither systemd
    waiting nor what secures the outputs once more. Whoever leaves in time has it called off.
    """
    timers: list[threading.Timer] = []

    def arm(code: int) -> None:
        timer = threading.Timer(within_s, os._exit, [code])
        timer.daemon = True
        timers.append(timer)
        timer.start()

    try:
        yield arm
    finally:
        for timer in timers:
            timer.cancel()


def boot_id(path: Path = _BOOT_ID) -> str:
    """The kernel's name for this boot; where there is none, one for this process."""
    try:
        return str(uuid.UUID(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError):
        return _PROCESS_ID


_PROCESS_ID = str(uuid.uuid4())
