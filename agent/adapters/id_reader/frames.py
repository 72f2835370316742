"""Frames of the ID card readers' interface (GA/T 467), without input or output.

    AA AA AA 96 69 | length, 2 bytes, high first | body | checksum

The length counts body and checksum; the checksum is the XOR of length and body. A request's body is
command, parameter and data, a reply's SW1, SW2, SW3 and data. Nothing escapes the preamble inside a
body, so a beginning that turns out to be none is given up by one byte only: what looked like its
body is searched again.
"""

from functools import reduce
from operator import xor

PREAMBLE = b"\xaa\xaa\xaa\x96\x69"
LONGEST_BODY = 2400
"""Text, photograph and two fingerprints make 2,307 bytes."""
_LEAST_LENGTH = 3  # command, parameter, checksum
_HEAD_BYTES = len(PREAMBLE) + 2


def frame(body: bytes) -> bytes:
    """``body`` as it goes over the line."""
    head = (len(body) + 1).to_bytes(2, "big")
    return PREAMBLE + head + body + bytes([checksum(head + body)])


def checksum(data: bytes) -> int:
    """The XOR of all bytes."""
    return reduce(xor, data, 0)


class FrameParser:
    """Bytes in, in any portions; whole bodies out.

    ``broken`` counts beginnings that were none: a wrong checksum or an impossible length. What it
    holds is never longer than one frame.
    """

    def __init__(self) -> None:
        self.broken = 0
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies that ``data`` completes, in order."""
        self._held += data
        return self._bodies(more=True)

    def end(self) -> list[bytes]:
        """The bodies behind a beginning that will never be completed; nothing is held any more."""
        found = self._bodies(more=False)
        self._held.clear()
        return found

    def _bodies(self, *, more: bool) -> list[bytes]:
        found: list[bytes] = []
        while (start := self._held.find(PREAMBLE)) >= 0:
            del self._held[:start]
            end = self._end_of_frame()
            if end is not None and end > len(self._held):
                if more:
                    return found
                end = None
            if end is not None and not checksum(bytes(self._held[len(PREAMBLE) : end])):
                found.append(bytes(self._held[_HEAD_BYTES : end - 1]))
                del self._held[:end]
            else:
                self.broken += 1
                del self._held[0]
        # The end may be the beginning of a preamble.
        del self._held[: -(len(PREAMBLE) - 1)]
        return found

    def _end_of_frame(self) -> int | None:
        """Where the frame that begins here ends; None where its length is impossible."""
        if len(self._held) < _HEAD_BYTES:
            return _HEAD_BYTES
        length = int.from_bytes(self._held[len(PREAMBLE) : _HEAD_BYTES], "big")
        return _HEAD_BYTES + length if _LEAST_LENGTH <= length <= LONGEST_BODY + 1 else None
