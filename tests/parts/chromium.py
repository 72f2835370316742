"""A real Chromium without a screen, driven over its own pipe: no other package is needed."""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium")
_PATIENCE_S = 60.0


class Page:
    """One tab; ``errors`` are what it logs as such, ``requests`` where it asked for anything."""

    def __init__(self, writes: int, reads: int) -> None:
        self._writes, self._reads = writes, reads
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.errors: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> Any:
        """One command of the DevTools protocol; its result."""
        self._number += 1
        told: dict[str, object] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            told["sessionId"] = self._session
        os.write(self._writes, json.dumps(told).encode() + b"\0")
        while True:
            message = self._next(_PATIENCE_S)
            assert message is not None, f"Chromium does not answer {method}"
            if message.get("id") == self._number:
                assert "error" not in message, message["error"]
                return message["result"]

    def go(self, url: str) -> None:
        """Open ``url``."""
        self.call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        said = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def wait_for(self, script: str) -> None:
        """Until the expression is true of the page."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while not self.run(f"!!({script})"):
            assert time.monotonic() < deadline_s, f"never: {script}\n{self.errors}"
            time.sleep(0.05)

    def press(self, key: str, *, code: str | None = None, text: str | None = None) -> None:
        """One key, as a keyboard sends it."""
        number = {"Tab": 9, "Enter": 13, " ": 32, "Escape": 27, "ArrowUp": 38}.get(key, 0)
        known: Mapping[str, object] = {
            "key": key,
            "code": code or key,
            "windowsVirtualKeyCode": number,
        }
        text = text or {"Enter": "\r", " ": " "}.get(key)
        more = {} if text is None else {"text": text}
        self.call("Input.dispatchKeyEvent", type="keyDown", **known, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def type(self, text: str) -> None:
        """Text into what has the focus."""
        self.call("Input.insertText", text=text)

    def size(self, width: int, height: int, *, phone: bool = False, dark: bool = False) -> None:
        """A window of this many pixels, or a phone's."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, file: Path) -> None:
        """What the whole page looks like, as a PNG."""
        taken = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(taken["data"]))

    def _next(self, timeout_s: float) -> dict[str, Any] | None:
        deadline_s = time.monotonic() + timeout_s
        while b"\0" not in self._buffer:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not select.select([self._reads], [], [], left_s)[0]:
                return None
            chunk = os.read(self._reads, 1 << 20)
            assert chunk, "Chromium has ended"
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        self._note(message)
        return message

    def _note(self, message: Mapping[str, Any]) -> None:
        params = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"]))
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        if message.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")


def _pipe() -> tuple[int, int]:
    low = os.pipe()
    high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in low]
    for one in low:
        os.close(one)
    return high[0], high[1]


@contextmanager
def chromium() -> Iterator[Page]:
    """A browser with a profile of its own, ended with the block."""
    assert PROGRAM is not None
    # Above those two, so that none of them is in the other's way.
    (to_read, to_write), (from_read, from_write) = (_pipe() for _ in range(2))

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                # Chromium reads commands from descriptor 3 and answers at 4.
                *("bash", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "bash"),
                *(PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu"),
                *("--disable-dev-shm-usage", "--no-first-run", "--disable-extensions"),
                *("--disable-background-networking", "--disable-component-update"),
                *(f"--user-data-dir={profile}", "--remote-debugging-pipe", "--lang=en-US"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(to_read, from_write),
            start_new_session=True,
        )
        os.close(to_read)
        os.close(from_write)
        try:
            yield Page(to_write, from_read)
        finally:
            os.close(to_write)
            os.close(from_read)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)
