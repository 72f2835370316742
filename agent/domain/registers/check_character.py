"""ISO/IEC 7064, hybrid system MOD 37,36: one check character over 0 to 9 and A to Z.

It finds every wrong character, and two neighbours that changed places but for one pair in 630. The
pure system MOD 37-2 finds all of those, and ends one code in 37 with an asterisk, which no file's
name may have: photographs are named by the code.
"""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_M = len(ALPHABET)


def check_character(text: str) -> str:
    """The character behind ``text``, which is of the alphabet alone."""
    remainder = _M
    for char in text:
        remainder = _next(remainder, char)
    return ALPHABET[(1 - remainder) % _M]


def is_checked(text: str) -> bool:
    """Whether the last character of ``text`` is that of those before it."""
    whole = len(text) > 1 and all(char in ALPHABET for char in text)
    return whole and check_character(text[:-1]) == text[-1]


def _next(remainder: int, char: str) -> int:
    found = (remainder + ALPHABET.index(char)) % _M or _M
    return found * 2 % (_M + 1)
