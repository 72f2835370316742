"""ID numbers that nobody has, and the times in which a simulated reader must answer."""

from agent.adapters.id_reader.ga467 import Timing

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
BRISK = Timing(reply_s=0.3, read_s=1.0, retries=2, poll_s=0.02)
LEISURELY = Timing(reply_s=30.0, read_s=60.0, retries=2, look_s=120.0, poll_s=0.02)
"""For a real terminal, whose simulator has to share a busy machine."""


def number(start: str = "110105", birth: str = "20010203", serial: str = "000") -> str:
    """A number with its check character, by the weights of GB 11643; 000 is never given out."""
    digits = start + birth + serial
    total = sum(int(d) * w for d, w in zip(digits, WEIGHTS, strict=True))
    return digits + "10X98765432"[total % 11]


def wide(text: str) -> str:
    """``text`` as a Chinese keyboard types it: full-width."""
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


RESIDENT = number()
OTHER = number(serial="001")
NAME = "欧阳无名"
