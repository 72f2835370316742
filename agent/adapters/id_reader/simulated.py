"""An ID card reader that behaves like the part, and misbehaves like it, on a real pseudo-terminal.

It answers the frames of GA/T 467 over a line as slow as 115200 baud, here from a thread of its own;
``simulated_line`` holds one without real time. A card is found once, and again only after it was
taken away; it must be found before it is selected and selected before it is read. ``commands``
records what was asked. The terminal's name is a symbolic link, as udev makes one, which comes back
under the same name after ``plug_in``.
"""

import contextlib
import os
import select
import threading
import tty
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.adapters.id_reader.frames import FrameParser, frame
from agent.adapters.id_reader.ga467 import PHOTO_BYTES
from agent.adapters.id_reader.text import LONG_TERM, TEXT_BYTES
from agent.errors import InternalError

_BYTES_A_SECOND = 11_520.0
_PORTION = 64
_TICK_S = 0.02

Spoil = Callable[[bytes], bytes]
"""What becomes of a reply on its way: ``truncated``, ``corrupted``, ``silence`` or ``nack``."""


@dataclass(frozen=True, slots=True)
class SimulatedCard:
    """What a card's chip says; ``text`` instead of the fields says it to the byte.

    ``letter`` is the document's kind in the chip: none for residents, "J", "I" or "Y".
    ``refusal`` is the code by which the reader refuses it: 31 to 33, 40 or 41.
    """

    number: str = field(repr=False)
    name: str = field(default="", repr=False)
    valid_from: str = "20200101"
    valid_until: str = LONG_TERM
    letter: str = ""
    photo: bytes = field(default=b"WLf".ljust(PHOTO_BYTES, b"\x5a"), repr=False)
    text: bytes | None = field(default=None, repr=False)
    refusal: int | None = None

    def block(self) -> bytes:
        """The 256 bytes of text."""
        if self.text is not None:
            return self.text
        block = bytearray(" ".encode("utf-16-le") * (TEXT_BYTES // 2))
        fields = [(self.number, 122), (self.valid_from, 188), (self.valid_until, 204)]
        fields += [(self.name, 158 if self.letter == "I" else 0), (self.letter, 248)]
        for value, at in fields:
            raw = value.encode("utf-16-le", errors="surrogatepass")
            block[at : at + len(raw)] = raw
        return bytes(block[:TEXT_BYTES])


def truncated(keep: int) -> Spoil:
    """Only the first ``keep`` bytes arrive."""
    return lambda reply: reply[:keep]


def corrupted(at: int = -1) -> Spoil:
    """One byte arrives wrong: by default the checksum."""
    return lambda reply: reply[:at] + bytes([reply[at] ^ 0x55]) + reply[at:][1:]


def silence() -> Spoil:
    """Nothing arrives."""
    return lambda _reply: b""


def nack(code: int) -> Spoil:
    """The reader answers with ``code`` as SW3 instead."""
    return lambda _reply: frame(bytes([0, 0, code]))


def babbled(garbage: bytes) -> Spoil:
    """``garbage`` arrives before the reply."""
    return lambda reply: garbage + reply


class Ga467Part:
    """The part without its line; its attributes may be set from any thread.

    ``next`` holds what becomes of the next replies, one each; None is none the worse. ``silent``
    answers nothing, ``byte_gap_s`` is the pause before each byte, ``unable`` the code that answers
    every command (60, 66), ``found_again`` a reader that finds a card that stays.
    """

    def __init__(self) -> None:
        self.commands: list[bytes] = []
        self.next: deque[Spoil | None] = deque()
        self.silent = False
        self.byte_gap_s = 0.0
        self.unable: int | None = None
        self.found_again = False
        self.on_command: Callable[[bytes], None] = lambda _body: None
        self._card: SimulatedCard | None = None
        self._found = self._selected = False
        self._lock = threading.Lock()
        self._parser = FrameParser()

    def lay(self, card: SimulatedCard) -> None:
        """Put ``card`` on the reader, in the place of what lay there."""
        with self._lock:
            self._card, self._found, self._selected = card, False, False

    def take_away(self) -> None:
        """Leave the reader empty."""
        with self._lock:
            self._card, self._found, self._selected = None, False, False

    def hears(self, data: bytes) -> Iterator[bytes]:
        """The replies to what arrives, each as it leaves: spoilt, or nothing of it."""
        broken = self._parser.broken
        for body in self._parser.feed(data):
            self.commands.append(body)
            self.on_command(body)
            yield self._sent(self._answer(body))
        if self._parser.broken > broken:
            yield self._sent(b"\0\0\x10")

    def portions(self, reply: bytes) -> Iterator[tuple[float, bytes]]:
        """``reply`` as the line brings it: seconds to wait, and what arrives then."""
        size = 1 if self.byte_gap_s else _PORTION
        for at in range(0, len(reply), size):
            portion = reply[at : at + size]
            yield self.byte_gap_s or len(portion) / _BYTES_A_SECOND, portion

    def _sent(self, body: bytes) -> bytes:
        reply = frame(body)
        with self._lock:
            spoil = self.next.popleft() if self.next else None
        if spoil is not None:
            reply = spoil(reply)
        return b"" if self.silent else reply

    def _answer(self, body: bytes) -> bytes:
        with self._lock:
            if self.unable is not None:
                return bytes([0, 0, self.unable])
            code, data = self._obey(body)
            return bytes([0, 0, code]) + data

    def _obey(self, body: bytes) -> tuple[int, bytes]:
        card = self._card
        match body:
            case b"\x11\xff":
                return 0x90, b""
            case b"\x12\xff":
                return 0x90, bytes(range(16))
            case b"\x20\x01":
                if card is None or (self._found and not self.found_again):
                    return 0x80, b""
                self._found, self._selected = True, False
                return 0x9F, bytes(4)
            case b"\x20\x02":
                if card is None or not self._found:
                    return 0x81, b""
                self._selected = True
                return 0x90, bytes(8)
            case b"\x30\x01":
                if card is None or not self._selected:
                    return 0x41, b""
                self._selected = False
                if card.refusal is not None:
                    return card.refusal, b""
                sizes = TEXT_BYTES.to_bytes(2, "big") + len(card.photo).to_bytes(2, "big")
                return 0x90, sizes + card.block() + card.photo
            case _:
                return 0x21, b""


class Ga467Simulator(Ga467Part):
    """The part on a pseudo-terminal at ``path``."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory(prefix="id-reader-")
        self.path = Path(self._folder.name) / "ttyUSB-id-reader"
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self.plug_in()

    def plug_in(self) -> None:
        """A terminal appears under the same name."""
        self.unplug()
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self.path.symlink_to(os.ttyname(theirs))
        self._stop.clear()
        self._thread = threading.Thread(
            target=self._run, args=(ours, theirs), name="simulated id reader", daemon=True
        )
        self._thread.start()

    def unplug(self) -> None:
        """The terminal is gone; who had it open sees that at the next call."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            if thread is not threading.current_thread():
                thread.join(5.0)
            self.path.unlink()

    def close(self) -> None:
        """End; safe to call twice.

        Raises:
            InternalError: its thread died of a defect.
        """
        self.unplug()
        self._folder.cleanup()
        if self._failure is not None:
            raise InternalError("the simulated ID card reader died") from self._failure

    def _run(self, ours: int, theirs: int) -> None:
        try:
            self._serve(ours)
        except BaseException as error:  # noqa: BLE001 - handed over in close
            self._failure = error
        finally:
            os.close(theirs)
            os.close(ours)

    def _serve(self, ours: int) -> None:
        self._parser = FrameParser()
        while not self._stop.is_set():
            if select.select([ours], [], [], _TICK_S)[0]:
                for reply in self.hears(os.read(ours, 4096)):
                    self._send(ours, reply)

    def _send(self, ours: int, reply: bytes) -> None:
        for after_s, portion in self.portions(reply):
            if self._stop.wait(after_s):
                return
            with contextlib.suppress(BlockingIOError):  # nobody reads: what is sent now is lost
                os.write(ours, portion)
