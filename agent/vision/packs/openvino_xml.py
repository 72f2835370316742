"""Reads the XML of an OpenVINO network as a tree of elements; no I/O.

The file comes from the network, so nothing of XML is taken that such a file does not need: no
document type and thus no entity, no processing instruction, UTF-8 only, and bounds on size, depth,
elements and attributes. The text between elements is kept only where it is short, as sizes are.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from agent.errors import ModelPackError

LARGEST_XML_BYTES = 8 << 20
_MOST_ELEMENTS = 100_000
_DEEPEST = 16
_MOST_ATTRIBUTES = 32
_LONGEST_TEXT = 512


class OpenvinoFormatError(ModelPackError, ValueError):
    """The bytes are no OpenVINO network of the kind expected; nothing of them is used."""


@dataclass(eq=False)
class Element:
    """An element with its attributes, children and the text directly inside it, stripped."""

    tag: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str) -> list["Element"]:
        """The children of this tag."""
        return [child for child in self.children if child.tag == tag]

    def one(self, tag: str) -> "Element":
        """The only child of this tag.

        Raises:
            OpenvinoFormatError: there is none, or more.
        """
        found = self.all(tag)
        if len(found) != 1:
            raise OpenvinoFormatError(f"OpenVINO network: {len(found)} <{tag}> in <{self.tag}>")
        return found[0]

    def get(self, name: str) -> str:
        """An attribute.

        Raises:
            OpenvinoFormatError: it is not there.
        """
        if name not in self.attributes:
            raise OpenvinoFormatError(f"OpenVINO network: <{self.tag}> without {name}")
        return self.attributes[name]


def read_xml(data: bytes) -> Element:
    """The root element of ``data``.

    Raises:
        OpenvinoFormatError: it is no XML, or more of it than such a network needs.
    """
    if len(data) > LARGEST_XML_BYTES:
        raise OpenvinoFormatError(f"OpenVINO network: {len(data)} bytes of XML")
    tree = _Tree()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.characters
    parser.StartDoctypeDeclHandler = tree.refuse
    parser.EntityDeclHandler = tree.refuse
    parser.ProcessingInstructionHandler = tree.refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, OpenvinoFormatError):
            raise
        raise OpenvinoFormatError(f"OpenVINO network: {error}") from error
    if tree.root is None:
        raise OpenvinoFormatError("OpenVINO network: no element")
    return tree.root


class _Tree:
    """Takes what the parser finds, and bounds it."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS or len(self._open) >= _DEEPEST:
            raise OpenvinoFormatError("OpenVINO network: too many elements, or nested too deeply")
        longest = max(map(len, (tag, *attributes, *attributes.values())))
        if len(attributes) > _MOST_ATTRIBUTES or longest > _LONGEST_TEXT:
            raise OpenvinoFormatError("OpenVINO network: too many attributes, or too long ones")
        element = Element(tag, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _tag: str) -> None:
        element = self._open.pop()
        element.text = element.text.strip()

    def characters(self, text: str) -> None:
        element = self._open[-1]
        if len(element.text) + len(text) <= _LONGEST_TEXT:
            element.text += text

    def refuse(self, *_what: object) -> None:
        raise OpenvinoFormatError("OpenVINO network: a document type or an instruction in its XML")
