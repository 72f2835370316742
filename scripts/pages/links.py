"""Where the project's files stand in the site, and links between them; knows nothing of mkdocs."""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START = "docs/README.md"

_LINK = re.compile(r"(?P<text>\[[^\[\]]*)?\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
_ENTRY = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<target>[^)#\s]+)\)", re.MULTILINE)


def place(path: str) -> str:
    """Where the file ``path`` of the project stands in the site's sources.

    What is no page is shown as text, whatever a browser would make of its name.
    """
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.endswith(".md"):
        return f"project/{path.replace('README.md', 'overview.md')}"
    return f"files/{path}.txt"


def targets(page: str) -> Iterator[str]:
    """The files of the project that the page ``page`` links to."""
    for target in re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text()):
        if "://" not in target:
            yield _within(page, target)


def beside_docs() -> list[str]:
    """The files outside docs/ that its pages link to, and so on, in order."""
    found: set[str] = set()
    waiting = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")]
    while waiting:
        for target in targets(waiting.pop()):
            if not target.startswith("docs/") and target not in found and (ROOT / target).is_file():
                found.add(target)
                waiting += [target] * target.endswith(".md")
    return sorted(found)


def rewritten(text: str, page: str) -> str:
    """``text`` of the project's file ``page``, its links as they must be in the site.

    A link to a folder becomes its words: no page of the site stands for a folder.
    """
    here = posixpath.dirname(place(page))

    def new(link: re.Match[str]) -> str:
        target, text = link["target"], link["text"] or ""
        if "://" in target or target.startswith("mailto:"):
            return link[0]
        path = _within(page, target)
        if (ROOT / path).is_dir() and text:
            return text.removeprefix("[")
        shown = posixpath.relpath(place(path), here or ".")
        return f"{text}]({shown}{link['anchor'] or ''})"

    return _LINK.sub(new, text)


def groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """The headings of docs/README.md, each with the titles and places of the pages under it."""
    found = []
    for part in re.split(r"^## ", (ROOT / START).read_text(), flags=re.MULTILINE)[1:]:
        heading = part.partition("\n")[0].strip()
        pages = [
            (entry["title"], place(_within(START, entry["target"])))
            for entry in _ENTRY.finditer(part)
        ]
        found.append((heading, pages))
    return found


def _within(page: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
