"""The packet error code of SMBus: one byte behind a message, by which a spoilt one is told."""

_POLYNOMIAL = 0x07


def _of_byte(value: int) -> int:
    for _ in range(8):
        value = (value << 1) ^ _POLYNOMIAL if value & 0x80 else value << 1
    return value & 0xFF


_TABLE = bytes(_of_byte(value) for value in range(256))


def pec(message: bytes) -> int:
    """CRC-8 (x^8 + x^2 + x + 1, from 0) over every byte of the message, addresses included.

    It finds every error of one or two bits, and every burst of up to eight. Source: SMBus 3.1, 6.4.
    """
    code = 0
    for byte in message:
        code = _TABLE[code ^ byte]
    return code
