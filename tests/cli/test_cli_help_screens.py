"""Help as people see it: panels by task, as wide as the terminal, examples that can be copied."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from gate_command import Gate
from screens import WIDTHS, golden_screen, screen

from agent.cli.main import program
from agent.cli.terminal.help import Task, broken

ROOT = program()
WIDEST = 100


def groups(group: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of each group that is seen, the root's among them."""
    yield path
    for name, command in group.commands.items():
        if hasattr(command, "commands") and not command.hidden:
            yield from groups(command, (*path, name))


GROUPS = list(groups())
MANY_OPTIONS = ("pass issue", "enrol", "evaluate operating-point")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_first_page_is_held(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("help", monkeypatch, width, "--help")
    assert max(map(len, shown.splitlines())) <= min(width, WIDEST)
    titles = re.findall(r"^╭─ (.+?) ─+╮$", shown, flags=re.MULTILINE)
    assert titles == [*map(str, Task), "Options"]


def test_the_first_page_is_held_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("help", monkeypatch, 80, "--help", colour=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "\x1b[1;36mdoctor" in shown
    assert [line.rstrip() for line in plain.splitlines()] == screen(
        monkeypatch, 80, "--help"
    ).splitlines()


@pytest.mark.parametrize("words", GROUPS[1:], ids=" ".join)
def test_each_group_is_held(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    golden_screen(f"help-{'-'.join(words)}", monkeypatch, 80, *words, "--help")


@pytest.mark.parametrize("words", MANY_OPTIONS)
def test_commands_with_many_options_are_held(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen(
        f"help-{words.replace(' ', '-')}", monkeypatch, 80, *words.split(), "--help"
    )
    assert "╭─ Common ─" in shown


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("words", MANY_OPTIONS)
def test_nothing_is_wider_than_the_terminal(
    words: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = screen(monkeypatch, width, *words.split(), "--help")
    assert max(map(len, shown.splitlines())) <= min(width, WIDEST)
    # Brackets mean themselves.
    assert "[default: GATE_AGENT_CONFIG" in " ".join(re.sub("[│\n]", " ", shown).split())


def test_a_terminal_without_abilities_has_its_width_too(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = screen(monkeypatch, 60, "door", "--help")
    setenv = monkeypatch.setenv
    monkeypatch.setattr(
        monkeypatch, "setenv", lambda name, to: setenv(name, "dumb" if name == "TERM" else to)
    )
    assert screen(monkeypatch, 60, "door", "--help") == wanted


@pytest.mark.parametrize("words", GROUPS, ids=lambda words: " ".join(words) or "root")
def test_every_example_of_a_group_is_a_command_with_its_options(
    words: tuple[str, ...], gate: Gate
) -> None:
    shown = gate(*words, "--help").out.partition("Examples:\n")[2].partition("\n\n")[0]
    lines = re.sub(r"\\\n\s+", "", shown).splitlines()
    assert lines
    assert all(len(line) <= WIDEST for line in lines)
    for line in lines:
        program, *rest = shlex.split(line.partition(" < ")[0])
        assert program == "gate-agent"
        assert tuple(rest[: len(words)]) == words
        command: Any = ROOT
        while hasattr(command, "commands"):
            command = command.commands[rest.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("width", [40, 60, 76, 96])
def test_a_broken_example_is_the_same_command_to_a_shell(width: int) -> None:
    line = "pass issue r-1042 --key office.pem --name 'Lin -- Yu' --issuer office --out card.pdf"
    shown = broken(line, width)
    assert shlex.split(shown.replace("\\\n", "")) == ["gate-agent", *shlex.split(line)]
    assert max(map(len, shown.splitlines())) <= width


def test_help_that_nobody_asked_for_is_the_same_on_stderr(gate: Gate) -> None:
    unasked = gate("pass")
    assert (unasked.code, unasked.out) == (2, "")
    assert unasked.err.rstrip("\n") == gate("pass", "--help").out.rstrip("\n")
