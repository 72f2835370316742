"""DER (ITU-T X.690), as much as takes a certificate apart: what lies where, and nothing judged.

A certificate's key, dates and usages are plain to see also where something else in it is encoded
as a strict reader does not allow: a default value written out (cA FALSE, critical FALSE), an odd
serial number, an extension that nobody needs here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

SEQUENCE, OBJECT_ID, OCTET_STRING = 0x30, 0x06, 0x04
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
URI_NAME = 0x86
"""A uniformResourceIdentifier among the general names."""

_LONG_TAG = 0x1F
_LONG_LENGTH = 0x80
_MOST_LENGTH_BYTES = 4
_MOST_ID = 128
"""Bytes of an object identifier: beyond it its numbers only cost time."""


def context(number: int) -> int:
    """The tag of a constructed field that a definition numbers."""
    return 0xA0 | number


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, its content, and both with the length as they came."""

    tag: int
    content: bytes = field(repr=False)
    whole: bytes = field(repr=False)

    def inside(self, *tags: int) -> list["Element"]:
        """What it is made of; with ``tags`` it must itself have one of them.

        Raises:
            ValueError: another tag, or content that is no row of elements.
        """
        if tags and self.tag not in tags:
            raise ValueError("DER: an element of another kind")
        return list(elements(self.content))


def elements(data: bytes) -> Iterator[Element]:
    """The elements that stand in ``data`` one after another.

    Raises:
        ValueError: cut short, of an indefinite length, or with a tag of more than one byte.
    """
    start = 0
    while start < len(data):
        found = _at(data, start)
        yield found
        start += len(found.whole)


def only_element(data: bytes) -> Element:
    """The one element that ``data`` is.

    Raises:
        ValueError: it is none, or more follows.
    """
    found = list(elements(data))
    if len(found) != 1:
        raise ValueError("DER: not one element")
    return found[0]


def object_id(element: Element) -> str:
    """Dotted, as ``1.2.840``.

    Raises:
        ValueError: it is none.
    """
    content = element.content
    if element.tag != OBJECT_ID or not content or content[-1] & 0x80 or len(content) > _MOST_ID:
        raise ValueError("DER: no object identifier")
    numbers, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _at(data: bytes, start: int) -> Element:
    head = data[start : start + 2]
    if len(head) < 2 or head[0] & _LONG_TAG == _LONG_TAG:
        raise ValueError("DER: no element")
    begin, length = start + 2, head[1]
    if length & _LONG_LENGTH:
        count = length & ~_LONG_LENGTH
        if not 1 <= count <= _MOST_LENGTH_BYTES:
            raise ValueError("DER: a length of another form")
        length = int.from_bytes(data[begin : begin + count])
        begin += count
    if begin + length > len(data):
        raise ValueError("DER: cut short")
    return Element(head[0], data[begin : begin + length], data[start : begin + length])
