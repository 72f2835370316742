"""Readers of second-generation Chinese ID cards over a serial line (GA/T 467, 115200 8N1).

Not yet run on hardware.

    open      status -> 90
    each look find -> 9F -> select -> 90 -> read -> 90 with text and photograph

    find 80                           no card
    select 81                         the card was taken away: tried again, then no card
    read 41                           the card was moved: tried again from the start, then refused
    31, 32, 33                        card and reader do not believe each other, or its content
    40                                a card of some other kind
    10, 11, a wrong checksum, silence tried again, then unavailable
    21, 60, 66                        the reader cannot work: unavailable

Many readers find a card once and then only after it was taken away. So a second try, or one whose
first reply was lost, goes on to select whatever find says. A reply does not name its command; what
does not fit the command that was sent is a late answer to another and is passed over. After any
failure the port is closed and opened anew by the next look: a reader that was unplugged comes back
by itself.

Nothing that a card says is logged, and no message quotes it.
"""

import contextlib
import math
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import serial
import structlog

from agent.adapters.id_reader.frames import FrameParser, frame
from agent.adapters.id_reader.text import TEXT_BYTES, decode_document
from agent.domain.credential.id_document import IdDocument
from agent.errors import RefusedError, UnavailableError

PHOTO_BYTES = 1024
_BAUD = 115_200
_SLICE_S = 0.05
_WRITE_S = 1.0
_SIZES = TEXT_BYTES.to_bytes(2, "big") + PHOTO_BYTES.to_bytes(2, "big")

_NO_CARD, _CARD_GONE, _NOT_READ, _OTHER_CARD = 0x80, 0x81, 0x41, 0x40
_NOT_BELIEVED = frozenset({0x31, 0x32, 0x33})
_NOISE = frozenset({0x10, 0x11})
_CARD_TROUBLE = _NOT_BELIEVED | {_OTHER_CARD}
_READER_TROUBLE = {
    0x21: ("does not know a command", "is it a reader of second-generation ID cards?"),
    0x60: ("fails its own test", "unplug it and plug it in again; else replace it"),
    0x66: ("is not authorised", "its security module must be unlocked by its maker"),
}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Command:
    """What is sent, and which replies are answers to it."""

    body: bytes
    success: int
    data_bytes: int
    refusals: frozenset[int] = frozenset()
    slow: bool = False


_STATUS = _Command(b"\x11\xff", 0x90, 0)
_SAM_ID = _Command(b"\x12\xff", 0x90, 16)
_FIND = _Command(b"\x20\x01", 0x9F, 4, frozenset({_NO_CARD}) | _CARD_TROUBLE)
_SELECT = _Command(b"\x20\x02", 0x90, 8, frozenset({_CARD_GONE}) | _CARD_TROUBLE)
_READ = _Command(
    b"\x30\x01",
    0x90,
    len(_SIZES) + TEXT_BYTES + PHOTO_BYTES,
    frozenset({_NOT_READ}) | _CARD_TROUBLE,
    slow=True,
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A fitting reply; ``repeated`` where an earlier one was lost, which may have been another."""

    code: int
    data: bytes = field(repr=False)
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the reader may take: for a reply, and for the reply with text and photograph.

    A try is repeated ``retries`` times, and all of them together end after ``look_s``; while no
    card is there it is looked for each ``poll_s``.
    """

    reply_s: float = 1.0
    read_s: float = 3.0
    retries: int = 2
    look_s: float = 10.0
    poll_s: float = 0.25


class Line(Protocol):
    """What the driver needs of an open port; ``read`` waits some 50 ms at most."""

    @property
    def in_waiting(self) -> int:
        """Bytes that have arrived and were not read."""

    def read(self, size: int = 1, /) -> bytes:
        """So many bytes, fewer where they do not arrive in time."""

    def write(self, data: bytes, /) -> int | None:
        """Send ``data``."""

    def reset_input_buffer(self) -> None:
        """Forget what has arrived."""

    def close(self) -> None:
        """Let the port go."""


def _serial_line(port: str) -> Line:
    return serial.Serial(port, _BAUD, timeout=_SLICE_S, write_timeout=_WRITE_S, exclusive=True)


class Ga467Reader:
    """Implements ``ports.IdReader``; used by one thread."""

    def __init__(
        self,
        port: str,
        timing: Timing | None = None,
        *,
        opens: Callable[[str], Line] = _serial_line,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open ``port`` (/dev/ttyUSB0, or better its name in /dev/serial/by-id) and ask how it is.

        ``opens``, ``now_s`` and ``sleep`` stand for the port and its time in tests.

        Raises:
            UnavailableError: it is not there, in use, or no working reader answers.
        """
        self._name = port
        self._timing = timing or Timing()
        self._opens, self._now_s, self._sleep = opens, now_s, sleep
        self._port: Line | None = None
        self._closed = False
        self._look_ends_s = math.inf
        self._open()

    def read(self, timeout_s: float) -> IdDocument | None:
        """The document laid on within ``timeout_s``, or None; one that is there is read to its end.

        Raises:
            UnavailableError: the reader is silent, gone, or says that it cannot work.
            RefusedError: ``not_authentic``, ``not_an_id_card``, ``unreadable_document``: what lies
                there; the reader is well.
        """
        ends_s = self._now_s() + timeout_s
        self._open()
        while True:
            document = self._look()
            left_s = ends_s - self._now_s()
            if document is not None or left_s <= 0.0:
                return document
            self._sleep(min(self._timing.poll_s, left_s))

    def sam_id(self) -> str:
        """The number of the reader's security module, in hexadecimal; no secret.

        Raises:
            UnavailableError: the reader is silent, gone, or says that it cannot work.
        """
        self._open()
        self._look_ends_s = math.inf
        return self._ask(_SAM_ID).data.hex()

    def close(self) -> None:
        """Let the port go; safe to call twice."""
        self._closed = True
        self._let_go()

    def _look(self) -> IdDocument | None:
        self._look_ends_s = self._now_s() + self._timing.look_s
        code = _NO_CARD
        problem: RefusedError | None = None
        for attempt in range(1 + self._timing.retries):
            found = self._ask(_FIND)
            if found.code == _NO_CARD and not attempt and not found.repeated:
                return None
            code = found.code
            if code in _CARD_TROUBLE:
                continue
            code = self._ask(_SELECT).code
            if code != _SELECT.success:
                continue
            blocks = self._ask(_READ)
            code = blocks.code
            if code == _READ.success:
                try:
                    return _document(blocks.data)
                except RefusedError as error:
                    # Eight bits of checksum let some noise pass: the next reading may be clean.
                    problem = error
        if code == _CARD_GONE:
            return None
        raise _refusal(code) if problem is None else problem

    def _ask(self, command: _Command) -> _Answer:
        """The reply; its code is success or one of the command's refusals."""
        heard = False
        for attempt in range(1 + self._timing.retries):
            if attempt and self._now_s() >= self._look_ends_s:
                break
            body, anything = self._exchange(command)
            heard = heard or anything
            if body is None or body[2] in _NOISE:
                continue
            code = body[2]
            if code == command.success or code in command.refusals:
                return _Answer(code, body[3:], repeated=attempt > 0)
            said, fix = _READER_TROUBLE.get(code, (f"answers with code {code:02X}", None))
            raise self._failed(said, fix)
        if heard:
            fix = "check its cable and supply; is something else on this port?"
            raise self._failed("cannot be understood", fix)
        raise self._failed("does not answer", "check its cable and supply; unplug and plug it in")

    def _exchange(self, command: _Command) -> tuple[bytes | None, bool]:
        """The fitting reply's body, None where none came in time; and whether anything came."""
        timing, parser, heard = self._timing, FrameParser(), False
        try:
            assert self._port is not None
            self._port.reset_input_buffer()
            self._port.write(frame(command.body))
            ends_s = self._now_s() + (timing.read_s if command.slow else timing.reply_s)
            while self._now_s() < min(ends_s, self._look_ends_s):
                data = self._port.read(1)
                if data:
                    heard = True
                    data += self._port.read(self._port.in_waiting)
                for body in parser.feed(data):
                    if _fits(command, body):
                        return body, True
        except (OSError, termios.error) as error:
            fix = "plug it in again; dmesg says what happened to the port"
            raise self._failed("is gone", fix) from error
        for body in parser.end():
            if _fits(command, body):
                return body, True
        return None, heard

    def _open(self) -> None:
        if self._closed:
            raise UnavailableError(f"the ID card reader at {self._name} is closed")
        if self._port is not None:
            return
        try:
            self._port = self._opens(self._name)
        except (OSError, ValueError, termios.error) as error:
            fix = (
                f"see that it is plugged in and that this user may open it: ls -l {self._name}"
                f" (group dialout); where it is in use: fuser {self._name}"
            )
            raise UnavailableError(
                f"the ID card reader's port {self._name} cannot be opened", fix
            ) from error
        self._look_ends_s = math.inf
        self._ask(_STATUS)
        _log.info("id_reader_opened", port=self._name)

    def _let_go(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError, termios.error):
                port.close()

    def _failed(self, said: str, fix: str | None) -> UnavailableError:
        self._let_go()
        return UnavailableError(f"the ID card reader at {self._name} {said}", fix)


def _fits(command: _Command, body: bytes) -> bool:
    if len(body) < 3:
        return False
    code, data = body[2], body[3:]
    if code == command.success:
        return len(data) == command.data_bytes
    # The other commands' answers; a code that is nobody's answer is the reader's own trouble.
    others = {_NO_CARD, _CARD_GONE, _NOT_READ, _FIND.success, _READ.success} - command.refusals
    return code not in others


def _document(data: bytes) -> IdDocument:
    if not data.startswith(_SIZES):
        raise _refusal(_NOT_READ)
    blocks = data[len(_SIZES) :]
    return decode_document(blocks[:TEXT_BYTES], blocks[TEXT_BYTES:])


def _refusal(code: int) -> RefusedError:
    if code in _NOT_BELIEVED:
        return RefusedError("not_authentic", "the reader does not believe the card")
    if code == _OTHER_CARD:
        return RefusedError("not_an_id_card", "what lies on the reader is no ID card")
    return RefusedError("unreadable_document", "the card cannot be read: lay it on again")
