"""Help as people read it: panels of commands and options where somebody looks, else plain text.

    a terminal      panels as wide as it is, at most 100 columns; colours as its tables have them
    anything else   the same under headings, without a frame or colour, and without rich

Texts are shown as they stand: brackets in them are no markup. Examples are broken before an option
and with a backslash, so that what is copied from any width is one command.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from agent.cli.terminal.offered import make_quick, unmarked_offers
from agent.cli.terminal.style import is_coloured, is_terminal
from agent.domain.credential.near import nearest

if TYPE_CHECKING:
    from rich.console import Console

WIDEST = 100
COMMON = "Common"
"""The panel of what most commands share."""
_EXAMPLES = "Examples:\n"
_INDENT = 2
_NARROWEST_TEXT = 24
_USUAL = 80
_NO_MATTER = 25
_TYPED = re.compile(r"(?P<name>.*?) <(?:list\[(?P<list>[^\]]+)\]|(?P<kind>[^<>]+))>")
_VALUES = {"str": "TEXT", "path": "FILE", "int range": "N", "float range": "NUMBER"}
F = TypeVar("F", bound=Callable[..., Any])
_Rows = list[tuple[str, str]]


class Panel(StrEnum):
    """What an option is about, where a command has many."""

    SAYS = "What it says"
    WHERE = "Where it holds"
    FACE = "The face on it"
    WHO = "Who it is"
    PHOTOGRAPHS = "The photographs"
    ANYWAY = "All the same"
    OUTPUT = "Output"


class Task(StrEnum):
    """What somebody wants to do: the panels of the commands."""

    RUN = "Run"
    PEOPLE = "People"
    PASSES = "Passes"
    DOORS = "Doors"
    LOOK_AFTER = "Look after"
    MEASURE = "Measure"


def examples(*lines: str) -> str:
    """The end of a help: commands without their first word, each on a line of its own."""
    return _EXAMPLES + "\n".join(lines)


def broken(line: str, width: int) -> str:
    """A command as a shell reads it, in rows of at most ``width`` where its words allow."""
    rows = [""]
    # Before an option, a file or a pipe, never within quotes or what belongs to an option.
    parts: list[str] = []
    for word in re.findall(r"(?:'[^']*'|[^\s'])+", f"gate-agent {line}"):
        if parts and not word.startswith(("--", "<", ">", "|")):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    for word in parts:
        if rows[-1] and len(rows[-1]) + len(word) + len(" ") + len(" \\") > width:
            rows.append("    ")
        rows[-1] += f"{' ' * bool(rows[-1].strip())}{word}"
    return " \\\n".join(rows)


class Command(TyperCommand):
    """A command that helps so."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """As Typer's, without its braces."""
        return [_unbraced(piece) for piece in super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer's; while a shell completes, without converting anything."""
        if ctx.resilient_parsing:
            make_quick(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """As Typer's, with whole texts."""
        return unmarked_offers(super().shell_complete(ctx, incomplete))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help into ``formatter``."""
        _help(self, ctx, formatter)


class Group(TyperGroup):
    """A group that helps so, and knows which command was meant."""

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """As Typer's, with whole texts."""
        return unmarked_offers(super().shell_complete(ctx, incomplete))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Note that help which nobody asked for goes to stderr; convert as ``Command`` does."""
        if ctx.resilient_parsing:
            make_quick(self.get_params(ctx))
        ctx.meta[__name__] = sys.stdout if args else sys.stderr
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help into ``formatter``."""
        _help(self, ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of the first word.

        Raises:
            UsageError: there is none; it says the nearest that is no old spelling.
        """
        if args and not ctx.resilient_parsing and args[0] not in self.commands:
            known = [name for name, command in self.commands.items() if not command.hidden]
            near = nearest(args[0], known)
            if near is not None:
                ctx.fail(f"No such command {args[0]!r}. Did you mean {near!r}?")
        return super().resolve_command(ctx, args)


class Commands(typer.Typer):
    """A group of commands, all of which help so."""

    def __init__(self, *lines: str, after: str = "", **settings: Any) -> None:
        """``lines`` are examples of the group, ``after`` is a paragraph behind them."""
        super().__init__(
            cls=Group,
            no_args_is_help=True,
            rich_markup_mode=None,
            suggest_commands=False,
            epilog=f"{examples(*lines)}\n\n{after}",
            **settings,
        )

    def command(self, name: str | None = None, **settings: Any) -> Callable[[F], F]:
        """As Typer's."""
        return super().command(name, **{"cls": Command, **settings})


def _help(command: Any, ctx: Any, formatter: Any) -> None:
    stream: TextIO = ctx.meta.get(__name__, sys.stdout)
    if is_terminal(stream):
        formatter.write(_framed(command, ctx, stream))
    else:
        _plain(command, ctx, formatter)


def _panels(command: Any, ctx: Any) -> Iterator[tuple[str, _Rows, bool]]:
    """Each panel's title and rows, and whether its rows are commands."""
    found: dict[str, _Rows] = {}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None:
            is_option = parameter.param_type_name == "option"
            record = (_worded(record[0], is_option=is_option), record[1])
            usual = "Options" if is_option else "Arguments"
            panel = getattr(parameter, "rich_help_panel", None) or usual
            if parameter.name == "help" and COMMON in found:
                panel = COMMON
            found.setdefault(panel, []).append(record)
    rest = [name for name in found if name not in ("Arguments", COMMON)]
    groups: dict[str, _Rows] = {}
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            panel = inner.rich_help_panel or "Commands"
            groups.setdefault(panel, []).append((name, _summary(inner)))
    order = [str(task) for task in Task]
    for panel in sorted(groups, key=lambda one: order.index(one) if one in order else -1):
        yield panel, groups[panel], True
    for panel in ("Arguments", *rest, COMMON):
        if panel in found:
            yield panel, found[panel], False


def _worded(name: str, *, is_option: bool) -> str:
    """``--hours NUMBER`` for Typer's ``--hours <float range>``; an argument's own name says it."""
    found = _TYPED.fullmatch(name)
    if found is None:
        return name
    kind = found["list"] or found["kind"]
    return f"{found['name']} {_VALUES.get(kind, kind)}" if is_option else found["name"]


def _unbraced(piece: str) -> str:
    """``IMAGE...`` for Typer's ``{IMAGE}...``, ``[IMAGE]...`` for ``[[IMAGE]...]...``."""
    return re.sub(r"\{(\w+)\}", r"\1", re.sub(r"\[(\[\w+\]\.\.\.)\]\.\.\.", r"\1", piece))


def _summary(command: Any) -> str:
    """The first sentence of a command's help."""
    return (command.short_help or command.help or "").partition("\n\n")[0].replace("\n", " ")


def _paragraphs(command: Any) -> list[str]:
    text = (command.help or "").partition("\f")[0].strip()
    return [" ".join(one.split()) for one in text.split("\n\n") if one.strip()]


def _end(command: Any) -> tuple[list[str], list[str]]:
    """The lines of the examples, and the paragraphs behind them."""
    shown, _, rest = (command.epilog or "").removeprefix(_EXAMPLES).partition("\n\n")
    return [line for line in shown.splitlines() if line], [rest] if rest else []


def _plain(command: Any, ctx: Any, formatter: Any) -> None:
    command.format_usage(ctx, formatter)
    formatter.write_paragraph()
    with formatter.indentation():
        for number, paragraph in enumerate(_paragraphs(command)):
            if number:
                formatter.write_paragraph()
            formatter.write_text(paragraph)
    for title, rows, _ in _panels(command, ctx):
        with formatter.section(title):
            formatter.write_dl(rows)
    lines, rest = _end(command)
    if lines:
        with formatter.section("Examples"):
            for line in lines:
                for row in broken(line, formatter.width - 2 * _INDENT).splitlines():
                    formatter.write(f"{' ' * 2 * _INDENT}{row}\n")
    for paragraph in rest:
        formatter.write_paragraph()
        formatter.write_text(paragraph)


def _framed(command: Any, ctx: Any, stream: TextIO) -> str:
    from rich.padding import Padding
    from rich.text import Text

    console = _console(stream)
    with console.capture() as captured:
        usage = Text(f"Usage: {ctx.command_path} ", style="bold")
        usage.append(" ".join(command.collect_usage_pieces(ctx)), style="not bold")
        console.print(usage)
        for paragraph in _paragraphs(command):
            console.print()
            console.print(Padding(Text(paragraph), (0, _INDENT)))
        console.print()
        for title, rows, are_commands in _panels(command, ctx):
            console.print(_panel(title, rows, console.width, are_commands=are_commands))
        lines, rest = _end(command)
        if lines:
            console.print()
            console.print(Text("Examples:", style="bold"))
        for line in lines:
            for row in broken(line, console.width - _INDENT).splitlines():
                console.print(Text(f"{' ' * _INDENT}{row}"), soft_wrap=True)
        for paragraph in rest:
            console.print()
            console.print(Text(paragraph, style="dim"))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _console(stream: TextIO) -> "Console":
    from rich.console import Console

    return Console(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        color_system="standard" if is_coloured(stream) else None,
        # Unless both are told, rich takes a terminal without abilities to have 80 columns.
        width=min(_columns(stream), WIDEST),
        height=_NO_MATTER,
    )


def _columns(stream: TextIO) -> int:
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL
    except OSError:
        return _USUAL


def _panel(title: str, rows: Sequence[tuple[str, str]], width: int, *, are_commands: bool) -> Any:
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    # Names that leave too little room for the text beside them are folded.
    inside = width - 4
    names = max(len(name) for name, _ in rows)
    if not are_commands:
        names = min(names, max(inside // 3, 26))
    shown = Table.grid(padding=(0, 2, 0, 0), expand=True)
    shown.add_column(width=min(names, max(inside - _NARROWEST_TEXT, inside // 3)), overflow="fold")
    shown.add_column(ratio=1, overflow="fold")
    for name, text in rows:
        option, _, value = name.partition(" ")
        called = Text(option, style="bold cyan")
        called.append(f" {value}" if value else "", style="cyan")
        shown.add_row(called, Text(text))
    return Panel(shown, title=Text(title, style="bold"), title_align="left", border_style="dim")
