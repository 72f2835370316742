"""The config as one of its tables sees it, and what a table says where another fails it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from agent.config.lines import KeyPath
from agent.domain.credential.near import nearest

Finding = tuple[KeyPath, str] | tuple[KeyPath, str, str]
"""The key that is wrong, why, and how to mend it; no key where none of the file is meant."""
UNREAD = "-unread-"
"""Stands for a name that could not be read."""

_NAMED = 8

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Whole:
    """Every table of a config, asked for by its class: so a table knows only those it needs.

    Nothing is to be said of what stands at ``mended`` in place of the file's own values. Paths are
    relative to ``folder``, where the file is. ``pad`` names the attack detection packs that are
    installed where the agent runs, None where nobody has looked.
    """

    tables: tuple[BaseModel, ...]
    mended: Collection[KeyPath] = ()
    folder: Path = Path()
    pad: Collection[str] | None = None

    def rows(self, kind: type[T]) -> tuple[T, ...]:
        """The tables of a class, in the order of the file; none where it has none."""
        return tuple(table for table in self.tables if isinstance(table, kind))

    def one(self, kind: type[T]) -> T:
        """The only table of a class that every config has one of."""
        (table,) = self.rows(kind)
        return table

    def unsure(self, *path: str | int) -> bool:
        """Whether what stands at ``path`` is not what the file says."""
        return unsure(path, self.mended)

    def resolve(self, path: Path) -> Path:
        """``path`` as the config means it: absolute, or beside the config file."""
        return (self.folder / path).resolve()


def unsure(path: KeyPath, mended: Collection[KeyPath]) -> bool:
    """Whether what stands at ``path`` is not what the file says."""
    return any(path[: len(one)] == one for one in mended)


def instead(word: str, known: Sequence[str]) -> str:
    """What to write for an unknown word: what is like it, else what there is."""
    near = nearest(word, known)
    if near is not None:
        return f"did you mean {near!r}?"
    more = ", ..." if len(known) > _NAMED else ""
    return f"there is {', '.join(map(repr, known[:_NAMED])) or 'none'}{more}"


def known(path: KeyPath, name: str, names: Sequence[str], what: str = "") -> Iterator[Finding]:
    """A finding where ``name`` is none of ``names``; ``what`` stands before it in the message."""
    # Where an id could not be read, it may be the one that is meant.
    if name not in names and UNREAD not in (name, *names):
        yield path, f"there is no {what}{name!r}", instead(name, names)


def repeated(table: str, names: Sequence[str]) -> Iterator[Finding]:
    """A finding for each id that another of the same table has before it."""
    for i, name in enumerate(names):
        if name in names[:i] and name != UNREAD:
            yield (table, i, "id"), f"{name!r} is named twice", "rename one"
