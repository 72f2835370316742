"""What ``gate-agent init`` says of a card for another kiosk, and of a kiosk's label."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.app.open.site import Site
from agent.cli.common import emit, say, warn
from agent.cli.running.interview import Wanted
from agent.cli.terminal.style import plain
from agent.cli.terminal.table import heading
from agent.config import load_config
from agent.operations.config.describe import faults_of, risks, told
from agent.operations.config.first_found import Found
from agent.operations.config.first_gate import FirstGate
from agent.operations.config.first_questions import questions

if TYPE_CHECKING:
    from agent.operations.passes.print import Card


def check_label(file: Path) -> None:
    """Nothing, where a label can be written under this name.

    Raises:
        RefusedError: ``file_type``.
    """
    from agent.operations.config.label import check_label

    check_label(file)


def make_label(file: Path | None, gate: FirstGate, site: Site | None) -> dict[str, Any]:
    """Write the kiosk's label into ``file``; what JSON says of it, nothing where none is wanted.

    Without ``site`` the kiosk has not started yet, and so has no keys.

    Raises:
        UnavailableError: it cannot be written.
    """
    if file is None:
        return {}
    from agent.app.open.files.kiosk_keys import make_kiosk_keys, public_keys
    from agent.operations.config.first_gate import config_text
    from agent.operations.config.label import card_label, keys_label, write_labels

    keys = None
    if site is None:
        made = card_label(f"{gate.community}/{gate.grid}/{gate.kiosk}", config_text(gate))
    else:
        make_kiosk_keys(site)
        keys = public_keys(site)
        made = keys_label(keys)
    write_labels([made], file)
    return {"label": {"file": str(file), "keys": keys, "lines": _lines(made)}}


def _lines(card: "Card") -> list[str]:
    return [card.foot, *(" ".join(line) for line in card.lines)]


def say_label(label: Mapping[str, Any]) -> None:
    """The same for people."""
    if label:
        said = ", ".join(label["label"]["lines"])
        say(plain(f"wrote {label['label']['file']}, the label: {said}"))


def answers(folder: Path, gate: FirstGate, found: Found) -> dict[str, str]:
    """What was answered, by the names of the questions."""
    return {
        one.name: one.shows(getattr(gate, one.sets))
        for one in questions(folder)
        if one.needs(gate, found)
    }


def tell_card(
    wanted: Wanted,
    gate: FirstGate,
    found: Found,
    beside: Mapping[str, Path],
    password: tuple[Path, str] | None,
) -> None:
    """What was written on the card."""
    label = make_label(wanted.label, gate, None)
    file = load_config(wanted.file, found.pad)
    warnings = [*map(told, faults_of(file, risks(file, found.pad)))]
    files = [str(wanted.file.parent / name) for name in beside]
    files += [] if password is None else [str(password[0])]
    if wanted.as_json:
        emit(
            {
                "found": found.as_json(),
                "tried": [one.as_json() for one in wanted.checks],
                "answers": answers(wanted.file.parent, gate, found),
                "file": str(wanted.file),
                "files": files,
                "key": None,
                "password_file": None if password is None else str(password[0]),
                "warnings": warnings,
                "next": [],
            }
            | label
        )
        return
    for one in warnings:
        warn(one)
    for written in (str(wanted.file), *files):
        say(f"wrote {plain(written)}")
    say_label(label)
    say()
    heading("What comes next")
    say(
        "  Put the card into the kiosk. It takes gate.toml over at its start, keeps what is secret,"
    )
    say("  makes its keys, and writes gate-status.txt beside it.")
