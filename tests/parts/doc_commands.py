"""The commands that the pages tell people to type: collected, and read by the programs' parsers."""

import argparse
import io
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from backend import commands as backend
from card import commands as card
from debian import commands as debian
from emulated import commands as emulated
from places import ROOT

from agent.cli.main import program

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)((?:    \S[^\n]*\n)+)")
_INLINE = re.compile(r"(?<!`)`((?:scripts/|backend |(?:\.venv/bin/)?gate-agent )[^`]+)`(?!`)")
_ENDS_A_COMMAND = {"&&", "||", "|", ";", "&"}
_PLACEHOLDER = re.compile(r"\[?[A-Z]{1,8}\]?(?:…|\.\.\.)?|\.\.\.")
_SHELL = {"", "sh", "console", "text"}


@dataclass(frozen=True)
class Told:
    """One command as a page tells it, without what the shell does around it."""

    page: str
    words: tuple[str, ...]
    whole: bool
    """Whether it stands in a block, to be typed as it is; else it may lack what it needs."""

    def __str__(self) -> str:
        """For the test's name."""
        return f"{self.page}: {' '.join(self.words)}"


@cache
def pages() -> list[Path]:
    """Every page whose commands somebody may type."""
    found = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]
    return [page for page in found if page.name != "CHANGELOG.md"]


@cache
def told() -> list[Told]:
    """All commands of all pages, in their order, each of a page once."""
    return [*dict.fromkeys(one for page in pages() for one in of_page(page))]


def of_page(page: Path) -> Iterator[Told]:
    """What the page tells to type in blocks, then what it names in its text."""
    text, name = page.read_text(), page.relative_to(ROOT).as_posix()
    blocks = [block for language, block in _FENCE.findall(text) if language in _SHELL]
    prose = _FENCE.sub("", text)
    for block in [*blocks, *_INDENTED.findall(prose)]:
        for words in commands_in(block):
            yield Told(name, words, whole=True)
    for code in _INLINE.findall(prose):
        for words in commands_in(" ".join(code.split())):
            yield Told(name, words, whole=False)


def commands_in(block: str) -> Iterator[tuple[str, ...]]:
    """The commands of ours in some lines of shell, each from its program's name on."""
    for line in re.sub(r"\\\n\s*", " ", block).splitlines():
        if not re.search(r"gate-agent|scripts/|as_agent|backend ", line) or "──" in line:
            continue
        try:
            words = [*_lexer(line)]
        except ValueError:
            continue  # no line of shell: a drawing, an answer
        while words:
            end = next((n for n, word in enumerate(words) if word in _ENDS_A_COMMAND), len(words))
            ours = _ours(words[:end])
            if ours:
                yield ours
            words = words[end + 1 :]


def _lexer(line: str) -> shlex.shlex:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
    lexer.whitespace_split = True
    return lexer


def _ours(words: list[str]) -> tuple[str, ...]:
    while words and (words[0] in {"$", "sudo"} or re.match(r"[A-Z_]+=", words[0])):
        words = words[1:]
    if words[:2] == ["-u", "gate-agent"]:
        words = words[2:]
    for sign in ("<", ">", ">>"):
        words = words[: words.index(sign)] if sign in words else words
    if not words:
        return ()
    first = words[0].removeprefix(".venv/bin/")
    if first == "as_agent":
        first = "gate-agent"
    if first == "backend":
        first = "scripts/backend/backend"
    ours = first == "gate-agent" or (first.startswith("scripts/") and len(first) > len("scripts/"))
    return (first, *words[1:]) if ours and "…" not in first else ()


# --- parsing -------------------------------------------------------------------------------------


def fault(one: Told) -> str | None:
    """What the program's own parser says against the command; None where nothing."""
    first, *rest = one.words
    rest = ["1" if _PLACEHOLDER.fullmatch(word) else word for word in rest]
    if first in {"gate-agent", "scripts/demo"}:
        said = _by_click(program(), rest if first == "gate-agent" else ["demo", *rest])
    elif (made := _PARSERS.get(first)) is not None:
        said = _by_argparse(made(rest), rest[1:] if rest[:1] == ["verify"] else rest)
    else:
        said = _by_text(first, rest)
    if said is not None and not one.whole and re.search(r"[Mm]issing|are required|'1'", said):
        return None  # a command that is only named
    return said


def _by_click(command: Any, rest: list[str]) -> str | None:
    path: list[str] = []
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        path.append(rest[0])
        found = command.commands.get(rest[0])
        if rest[0] == "1":
            return None  # a placeholder: any command
        if found is None:
            return f"there is no gate-agent {' '.join(path)}"
        command, rest = found, rest[1:]
    if hasattr(command, "commands"):
        known = {option for one in command.params for option in one.opts} | {"--help"}
        return next((f"no such option: {word}" for word in rest[:1] if word not in known), None)
    try:
        # As the whole program has it: a command remembers its option for help.
        command.make_context(" ".join(path), list(rest), help_option_names=["-h", "--help"])
    except Exception as error:  # noqa: BLE001 - the parser's classes are typer's private ones
        return None if type(error).__name__ == "Exit" else f"{type(error).__name__}: {error}"
    return None


def _by_argparse(parser: argparse.ArgumentParser, rest: list[str]) -> str | None:
    err = io.StringIO()
    try:
        with redirect_stderr(err):
            parser.parse_args(rest)
    except SystemExit as ended:
        return err.getvalue().strip() if ended.code else None
    return None


def _by_text(script: str, rest: list[str]) -> str | None:
    """A script of the shell's: it is there, can be run, and knows the options that it is given."""
    path = ROOT / script
    if not path.exists():
        return f"there is no {script}"
    if not path.is_file():
        return None  # a folder that is named
    text = path.read_text()
    options = {word.partition("=")[0] for word in rest if word.startswith("--")}
    unknown = [option for option in sorted(options) if option not in text]
    if rest and not path.stat().st_mode & 0o111:
        return f"{script} cannot be run"
    # What scripts/test is given goes to pytest.
    return f"{script} knows no {unknown}" if unknown and script != "scripts/test" else None


_PARSERS: dict[str, Callable[[list[str]], argparse.ArgumentParser]] = {
    "scripts/backend/backend": lambda _: backend.parser(),
    "scripts/flash": lambda _: card._parser(),
    "scripts/rig": lambda _: emulated._parser(),
    "scripts/deb": lambda rest: (
        debian._verify_parser() if rest[:1] == ["verify"] else debian._build_parser()
    ),
}
