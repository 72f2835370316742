"""What a name is made of: judged by what each character is, in any script, and kept as written.

No normal form is made of it: NFC would replace ideographs that people write their names with
(U+FA11 and its like) by others. Only what cannot be seen is touched: every kind of space becomes
U+0020, and none stands at either end.

Characters of planes 2 and 3 are taken whether this Python knows them or not: they hold ideographs
only, and Unicode adds some thousand in a year (extensions H and I). Private use is taken, because
ID cards carry rare characters there. What steers the text around it is refused: it could make one
name look like another.
"""

import unicodedata

LONGEST_NAME = 200

_JOINERS_AND_MARKS = frozenset("\u200c\u200d\u200e\u200f\u061c\u180e")
"""Of the format characters those without which Persian, Hindi, Arabic or Mongolian is misspelt."""
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and a pattern that show nothing: fillers of Korean, and Braille without a dot."""
_UNREAD = "\ufffd"
_REFUSED = {
    "Cc": "a control character",
    "Cf": "an invisible format character",
    "Cs": "half a character",
    "Cn": "no character that is known",
    "Zl": "a line break",
    "Zp": "a line break",
}
_IDEOGRAPHS = range(0x20000, 0x3FFFE)
_LAST_OF_PLANE = 0xFFFE


def objection(char: str) -> str | None:
    """Why ``char`` may stand in no name and in no line of text; None where it may."""
    if char in _JOINERS_AND_MARKS:
        return None
    category = unicodedata.category(char)
    code = ord(char)
    if category == "Cn" and code in _IDEOGRAPHS and code & _LAST_OF_PLANE != _LAST_OF_PLANE:
        return None
    return _REFUSED.get(category)


def spelt_out(text: str) -> str:
    """``text`` with whatever may stand in no line of text as Python's escape."""
    return "".join(
        char.encode("unicode_escape").decode() if objection(char) else char for char in text
    )


def is_line(text: str) -> bool:
    """Whether ``text`` is one line without what is invisible and steers it; spaces may be any."""
    return not any(map(objection, text))


def tidy(text: str) -> str:
    """``text`` with every kind of space as U+0020, and none at either end."""
    folded = (" " if unicodedata.category(char) == "Zs" else char for char in text)
    return "".join(folded).strip(" ")


def person_name(text: str, *, longest: int = LONGEST_NAME) -> str:
    """``text`` as a name.

    Raises:
        ValueError: it is empty, too long, or holds what no name may; the character is named by its
            code, the name is not quoted.
    """
    name, rule = tidy(text), f"a name is 1 to {longest} printable characters"
    for char in name:
        why = "a sign for what could not be read" if char == _UNREAD else objection(char)
        if why is not None:
            raise ValueError(f"{rule}, and U+{ord(char):04X} is {why}")
    if len(name) > longest or not any(_seen(char) for char in name):
        raise ValueError(rule)
    return name


def _seen(char: str) -> bool:
    return unicodedata.category(char)[0] not in "MZ" and char not in _JOINERS_AND_MARKS | _BLANKS
