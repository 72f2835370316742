"""Help, completion, and the promise that every command is documented."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from gate_command import Gate
from places import ROOT

from agent.cli.main import program

DOCS = ROOT / "docs" / "cli.md"


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with its words."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


PROGRAM = program()
EVERY = dict(commands(PROGRAM))
CONTRACT = """
init, run, watch, demo, simulate, bench, fleet, doctor, console, secure-outputs,
door show, door lockdown, door free-passage, door resume, door release,
passback list, passback forgive, command keygen, command sign, command send, enrol, identify,
scan, status, clear-fault, version, bundle, update,
holders list, holders show, holders enable, holders disable, holders set, holders category,
holders remove, holders export, holders import, holders references, holders re-enrol,
holders bind-document, holders unbind-document, cards bind, cards unbind, cards list,
cards import, categories, register import, registry show, registry send,
rules list, rules reset,
id-document read, thermometer read, thermometer set-emissivity,
gallery check, key init, key rotate, key show, key show-id, state show, state accept,
backup, restore, replace,
models list, models setup, models chosen, models choose,
models install, models verify, models remove, models show,
config check, config show, config wiring, config schema, config schedule, config adopt,
config report,
config render,
events list, events tail, events export, events verify,
evaluate pairs, evaluate identities, evaluate operating-point, evaluate pad, evaluate thermal,
evaluate playback,
pass keygen, pass issue, pass verify, pass print, pass revoke, pass trust, pass delegate,
pass distrust, pass issuers, health verify, health trust, health issuers, health distrust,
voice prepare, voice list, voice say, clock show, clock confirm, clock set-back
"""

FORMER: dict[tuple[str, ...], tuple[str, ...]] = {
    ("verify", "health"): ("health", "verify"),
    ("trust", "install"): ("health", "trust"),
    ("trust", "list"): ("health", "issuers"),
    ("trust", "remove"): ("health", "distrust"),
}
"""Old spellings, which scripts have: they work as ever and are shown nowhere but in the docs."""
COMMANDS = {words: command for words, command in EVERY.items() if words not in FORMER}


def test_the_commands_are_those_of_the_contract() -> None:
    assert set(COMMANDS) == {tuple(name.split()) for name in CONTRACT.split(",")}
    assert set(EVERY) == {*COMMANDS, *FORMER}


@pytest.mark.parametrize("words", FORMER, ids=" ".join)
def test_an_old_spelling_takes_what_the_new_one_takes_and_is_not_shown(
    words: tuple[str, ...], gate: Gate
) -> None:
    def taken(command: Any) -> list[tuple[str, list[str]]]:
        return [(one.name, one.opts) for one in command.params]

    new = FORMER[words]
    assert taken(EVERY[words]) == taken(EVERY[new])
    assert f"    gate-agent {' '.join(new)}" in gate(*words, "--help").out
    assert not re.search(rf"^  {words[0]} ", gate("--help").out, flags=re.MULTILINE)
    section = DOCS.read_text().partition(f"### gate-agent {' '.join(new)}\n")[2].split("\n### ")[0]
    assert f"`gate-agent {' '.join(words)}`" in section


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_helps_with_an_example_of_itself(words: tuple[str, ...], gate: Gate) -> None:
    shown = gate(*words, "--help")
    assert shown.code == 0
    assert f"\n    gate-agent {' '.join(words)}" in shown.out
    assert shown.err == ""
    assert max(map(len, shown.out.splitlines())) <= 100


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_that_an_example_uses_exists(words: tuple[str, ...], gate: Gate) -> None:
    shown = gate(*words, "--help").out
    options, _, shown_examples = shown.partition("Examples:")
    used = set(re.findall(r"(?<=\s)--[a-z-]+", shown_examples))
    known = set(re.findall(r"--[a-z-]+", options))
    assert used <= known


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_line_of_the_list_of_commands_is_cut_short(words: tuple[str, ...], gate: Gate) -> None:
    # click ends a long first sentence with dots: the list must say what a command does.
    listed = gate(*words[:-1], "--help").out
    line = next(line for line in listed.splitlines() if line.startswith(f"  {words[-1]} "))
    assert not line.endswith("...")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_documented(words: tuple[str, ...]) -> None:
    page = DOCS.read_text()
    heading = f"### gate-agent {' '.join(words)}"
    assert f"{heading}\n" in page
    section = page.partition(f"{heading}\n")[2].split("\n### ")[0]
    options = {
        option
        for parameter in COMMANDS[words].params
        for option in parameter.opts
        if option.startswith("--")
    }
    common = {"--config", "--state-dir", "--json", "--help"}
    assert [option for option in sorted(options - common) if f"`{option}" not in section] == []
    if "--json" in options:
        assert "JSON" in section


def test_help_is_plain_text(program: Gate) -> None:
    shown = program("--help", FORCE_COLOR="1")
    assert shown.code == 0
    assert "\x1b" not in shown.out


def test_help_imports_nothing_heavy(program: Gate) -> None:
    shown = program("--help", PYTHONPROFILEIMPORTTIME="1")
    imported = set(re.findall(r"\|\s+([a-z0-9_.]+)$", shown.err, flags=re.MULTILINE))
    assert "typer" in imported
    assert not imported & {"numpy", "cv2", "onnxruntime", "pydantic", "rich", "sqlite3"}


def test_an_answer_in_json_imports_nothing_that_draws(program: Gate) -> None:
    shown = program("version", "--json", PYTHONPROFILEIMPORTTIME="1")
    imported = set(re.findall(r"\|\s+([a-z0-9_.]+)$", shown.err, flags=re.MULTILINE))
    assert "typer" in imported
    assert "rich" not in imported


def test_completion_offers_commands(program: Gate) -> None:
    offered = program(
        _GATE_AGENT_COMPLETE="complete_bash", COMP_WORDS="gate-agent ev", COMP_CWORD="1"
    )
    assert offered.out.split() == ["events", "evaluate"]
