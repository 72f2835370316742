"""What the built pages would load from elsewhere: none may, for it tells a stranger who reads."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

_LOADS = {"src", "srcset", "data", "poster", "action", "formaction"}
_TOLD_ONLY = {"canonical", "next", "prev", "alternate"}  # a link that says where, and loads nothing
_ELSEWHERE = re.compile(r"\s*(?:https?:|wss?:|//)", re.IGNORECASE)
_IN_STYLE = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])(?:https?:|//)", re.IGNORECASE)


def foreign(site: Path) -> list[str]:
    """Each thing that a page or style sheet below ``site`` loads from another address."""
    found = []
    for file in sorted(site.rglob("*.html")):
        reader = _Reader()
        reader.feed(file.read_text())
        found += [f"{file.relative_to(site)}: {what}" for what in reader.found]
    for file in sorted(site.rglob("*.css")):
        if _IN_STYLE.search(file.read_text()):
            found.append(f"{file.relative_to(site)}: a url of another address")
    return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element; a link that a reader follows by themselves is none of them."""
        self.found += [f"<{tag} {name}={value}>" for name, value in _loaded(tag, attrs)]
        if "mermaid" in (dict(attrs).get("class") or "").split():
            self.found.append(f"<{tag} class=mermaid>: the theme would fetch what draws it")

    def handle_data(self, data: str) -> None:
        """Text, that of a style element too."""
        if self.lasttag == "style" and _IN_STYLE.search(data):
            self.found.append("<style>: a url of another address")


def _loaded(tag: str, attrs: list[tuple[str, str | None]]) -> Iterator[tuple[str, str]]:
    if tag == "link" and dict(attrs).get("rel") in _TOLD_ONLY:
        return
    for name, value in attrs:
        loads = name in _LOADS or (name == "href" and tag in {"link", "image", "use", "base"})
        sought = _ELSEWHERE.match if loads else _IN_STYLE.search
        if value and (loads or name == "style") and sought(value):
            yield name, value
