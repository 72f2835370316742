"""The process: signals in, systemd told, exit codes out."""

import os
import signal
import socket
import uuid
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from types import FrameType


class ExitCode(IntEnum):
    """What a command ends with; 64 and above follow sysexits.h."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 69
    INTERNAL = 70
    CONFIG = 78


class Notifier:
    """Tells systemd how the service is (sd_notify(3)); silent where nobody asked."""

    def __init__(self, address: str | None = None) -> None:
        """``address`` is a path, or a name behind ``@``; by default ``NOTIFY_SOCKET``."""
        self._address = address if address is not None else os.environ.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def ready(self) -> None:
        """The gate is in service."""
        self._send("READY=1")

    def beat(self) -> None:
        """The controller's loop still turns."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The outputs are safe, the rest follows."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={text}")

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
            self._socket.sendto(message.encode(), address)
        except OSError:
            return  # systemd's watchdog is the judge of a message that does not arrive


def on_termination(call: Callable[[str], None]) -> Callable[[], None]:
    """Have SIGTERM and SIGINT call ``call`` with their name; returns what restores them."""

    def handle(number: int, _frame: FrameType | None) -> None:
        call(signal.Signals(number).name)

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore


def boot_id() -> str:
    """The kernel's name for this boot; where there is none, one for this process."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(uuid.uuid4())
