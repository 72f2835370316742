"""Many kiosks from one table: a folder with gate.toml for each, and their labels on sheets."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.cli.running.interview import Interview
from agent.config import ConfigFile
from agent.config.load import config_in
from agent.errors import RefusedError
from agent.operations.config.boot_file import NAME, read_boot_file
from agent.operations.config.first_answers import NONE
from agent.operations.config.first_card import of_another, on_card
from agent.operations.config.first_found import Found
from agent.operations.config.first_gate import FirstGate, config_text
from agent.operations.config.first_questions import questions
from agent.operations.config.fleet import Row, named, read_fleet, rendered, variables_of
from agent.operations.config.label import card_label, write_labels
from agent.operations.files import read_text, write_whole

LABELS = "labels.pdf"
_NOT_ASKED = frozenset({"key-file", "broker-password-file"})
"""What a kiosk makes or keeps itself."""
_FILES = frozenset({"broker-ca", "broker-cert", "broker-key", "command-key", "registry-key"})


@dataclass(slots=True)
class Kiosk:
    """One kiosk's folder: its name, what gate.toml says, and what lies beside it."""

    line: int
    text: str = field(repr=False)
    beside: Mapping[str, Path]


def make_batch(table: Path, template: Path | None, out: Path) -> list[tuple[str, Path]]:
    """Write a folder for each row of ``table`` into ``out``, and the labels; each kiosk's file.

    Without a ``template`` the columns are the questions of ``gate-agent init``.

    Raises:
        RefusedError: ``fleet``: what is wrong with the table; ``file_exists``.
        ConfigError: a row's config is wrong.
        UnavailableError: something cannot be read or written.
    """
    if template is None:
        asked = [one.name for one in questions(table.parent) if one.name not in _NOT_ASKED]
        kiosks = [_by_answers(row, table.parent) for row in read_fleet(table, asked)]
    else:
        text = read_text(template)
        rows = read_fleet(table, [*variables_of(text)])
        kiosks = [_by_template(row, text, template) for row in rows]
    made = named([(one.line, config_in(one.text, table)) for one in kiosks])
    folders = [out / one.name.removesuffix(".toml") for one in made]
    contents = [
        {NAME: one.text.encode(), **{name: file.read_bytes() for name, file in one.beside.items()}}
        for one in kiosks
    ]
    for folder, content in zip(folders, contents, strict=True):
        for name, wanted in content.items():
            place = folder / name
            if place.exists() and place.read_bytes() != wanted:
                fix = "name another folder, or remove it"
                raise RefusedError("file_exists", f"{place} says something else\nFix: {fix}")
    for folder, content in zip(folders, contents, strict=True):
        folder.mkdir(parents=True, exist_ok=True)
        for name, wanted in content.items():
            if not (folder / name).exists():
                write_whole(wanted, folder / name)
    write_labels([card_label(one.kiosk, one.text) for one in made], out / LABELS)
    return [(one.kiosk, folder / NAME) for one, folder in zip(made, folders, strict=True)]


def _by_answers(row: Row, folder: Path) -> Kiosk:
    def usage(message: str) -> object:
        raise RefusedError("fleet", f"line {row.line}: {message.replace('--', 'column ')}")

    found = of_another(Found(pad=("on the card",)))
    # A file is meant beside the table, wherever the command is given.
    given = {
        name: str(folder / cell) if name in _FILES and cell != NONE else cell
        for name, cell in row.cells.items()
        if cell
    }
    interview = Interview(found, given, False, usage, lambda _question, _gate: None)
    gate = interview.gate(questions(folder), FirstGate())
    gate, beside = on_card(replace(gate, key_file=None), folder)
    # What lies beside the table stays there; the card's folder gets a copy.
    beside |= {
        name: folder / name
        for name in _names_of(gate)
        if name not in beside and (folder / name).is_file()
    }
    return Kiosk(row.line, config_text(gate), beside)


def _names_of(gate: FirstGate) -> list[str]:
    named = (gate.broker_ca, gate.broker_cert, gate.broker_key, gate.command_key, gate.registry_key)
    return [one for one in named if one is not None]


def _by_template(row: Row, text: str, template: Path) -> Kiosk:
    made: ConfigFile = rendered(text, row.cells, template)
    # The files that it names lie beside the template.
    probe = template.parent / f".{template.name}.{row.line}"
    try:
        probe.write_text(made.text)
        file = read_boot_file(template.parent, probe.name)
    finally:
        probe.unlink(missing_ok=True)
    assert file is not None
    beside = {one.name: template.parent / one.name for one in file.beside if one.is_here}
    return Kiosk(row.line, made.text, beside)
