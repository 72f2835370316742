"""The resident code: what stands on the paper file, and by which paper and record find each other.

    XFL-3-1-1502-2-K      community, building, unit, room, sequence within the room; check character

It says where somebody lives, so it is no ``HolderId``: it is sealed at rest and leaves in no event.
The check character is made over the parts at their full width (``3`` as ``003``), so that a digit
that slips from one part into the next is found as well.
"""

import re
import unicodedata
from dataclasses import dataclass

from agent.domain.registers.check_character import check_character

_WIDTHS = {"building": 3, "unit": 2, "room": 5, "sequence": 2}
_LONGEST_COMMUNITY = 8
_PARTS = 6
_SEPARATORS = re.compile(r"[\s\-_/.\u2010-\u2015\u2212\u30fc\uff0d]+")
_WORD = re.compile(r"[0-9A-Z]+")


@dataclass(frozen=True, slots=True, order=True)
class ResidentCode:
    """Where somebody is filed; parts are of ``0-9 A-Z``, without zeros before them."""

    community: str
    building: str
    unit: str
    room: str
    sequence: int

    @property
    def check(self) -> str:
        """The check character."""
        padded = [
            getattr(self, name).rjust(width, "0")
            for name, width in _WIDTHS.items()
            if name != "sequence"
        ]
        return check_character(
            "".join((self.community, *padded, f"{self.sequence:0{_WIDTHS['sequence']}}"))
        )

    def __str__(self) -> str:
        """As it is written."""
        parts = (self.community, self.building, self.unit, self.room, str(self.sequence))
        return "-".join((*parts, self.check))


def resident_code(
    community: str, building: str, unit: str, room: str, sequence: int
) -> ResidentCode:
    """The code of these parts, as people write them.

    Raises:
        ValueError: a part is empty, too long, or of other characters; it is named.
    """
    found = {"building": building, "unit": unit, "room": room}
    words = {name: _part(name, value, _WIDTHS[name]) for name, value in found.items()}
    if not 1 <= sequence < 10 ** _WIDTHS["sequence"]:
        raise ValueError("the sequence of a resident code is 1 to 99")
    begins = _part("community", community, _LONGEST_COMMUNITY)
    return ResidentCode(begins, words["building"], words["unit"], words["room"], sequence)


def parse_resident_code(text: str) -> ResidentCode:
    """The code that ``text`` says: in any width, with spaces or other dashes, in small letters.

    Raises:
        ValueError: it is none, or its check character is that of another.
    """
    folded = unicodedata.normalize("NFKC", text).strip().upper()
    parts = _SEPARATORS.split(folded)
    if len(parts) != _PARTS or not parts[4].isascii() or not parts[4].isdigit():
        raise ValueError("a resident code reads community-building-unit-room-sequence-check")
    community, building, unit, room, sequence = parts[:5]
    code = resident_code(community, building, unit, room, int(sequence))
    if parts[5] != code.check:
        raise ValueError("the check character of the resident code does not fit: it is misspelt")
    return code


def community_code(community: str) -> str:
    """What a community's codes begin with where its config says nothing: of its own id."""
    word = "".join(_WORD.findall(unicodedata.normalize("NFKC", community).upper()))
    return word[:_LONGEST_COMMUNITY] or "C"


def _part(name: str, text: str, longest: int) -> str:
    word = unicodedata.normalize("NFKC", text).strip().upper()
    if _WORD.fullmatch(word) is None or len(word.lstrip("0")) > longest:
        raise ValueError(f"the {name} of a resident code is 1 to {longest} of 0-9 A-Z")
    return word.lstrip("0") or "0"
