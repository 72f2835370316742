"""The steps of ``gate-agent init``: look, ask, show, write, enrol, and what comes next."""

import os
import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import typer

from agent.app.desk.first_gate import (
    Made,
    must_be_free,
    must_open,
    write_card,
    write_first_gate,
)
from agent.app.desk.first_look import look, try_broker, try_camera
from agent.app.open.paths import state_dir
from agent.app.open.site import command_site
from agent.cli.common import emit, say, warn
from agent.cli.running.first_card import answers, check_label, make_label, say_label, tell_card
from agent.cli.running.interview import Interview, Wanted, note, secret
from agent.cli.terminal.style import plain
from agent.cli.terminal.table import heading, record
from agent.config import ConfigFile, load_config
from agent.operations.config.describe import faults_of, risks, told
from agent.operations.config.first_answers import place_beside, shown
from agent.operations.config.first_asking import Question
from agent.operations.config.first_card import of_another, on_card
from agent.operations.config.first_found import Found
from agent.operations.config.first_gate import Eye, FirstGate, config_of, config_text
from agent.operations.config.first_questions import questions
from agent.technician.doctor import Probe, run_checks

_TRY_S = 12.0
_CATEGORY = "resident"


def make(context: typer.Context, wanted: Wanted) -> None:
    """All of it.

    Raises:
        RefusedError: ``file_exists``, ``other_key``, ``too_many_tries``.
        KeyUnavailableError: the key's place cannot be written.
        UnavailableError: the config's place cannot be.
        Abort: somebody did not want it.
    """
    file = wanted.file
    found = _looked(context, wanted)
    interview = Interview(found, wanted.answers, wanted.asks, context.fail, partial(_try, wanted))
    begun = FirstGate(pull_resistor=wanted.pull_resistor)
    gate = interview.gate(questions(file.parent), begun)
    if not wanted.is_card:
        must_open(state_dir(wanted.state), file.parent / str(gate.key_file))
    gate, password = _password(wanted, gate)
    if wanted.is_card:
        _make_card(wanted, gate, found, password)
        return
    _agreed(wanted, gate)
    made = write_first_gate(
        config_text(gate),
        file,
        state_dir(wanted.state),
        key_file=file.parent / str(gate.key_file),
        private=_masked(gate) != gate,
        password=password,
    )
    label = make_label(wanted.label, gate, command_site(state_dir(wanted.state), made.file))
    _tell(wanted, gate, found, made, label)
    try:
        _enrol(context, wanted, gate)
    finally:
        if not wanted.as_json:
            heading("What comes next")
            for line in _next(wanted):
                say(f"  {line}")


def _looked(context: typer.Context, wanted: Wanted) -> Found:
    """What is there, once it is sure that something can be written."""
    must_be_free(wanted.file)
    if not wanted.file.parent.is_dir():
        option = "--boot" if wanted.is_card else "--out"
        context.fail(f"{option}: there is no folder {wanted.file.parent}")
    if wanted.label is not None:
        check_label(wanted.label)
    found = look(state_dir(wanted.state))
    if wanted.is_card:
        return of_another(found)
    if not wanted.as_json:
        heading("What is there")
        record(found.lines())
        say()
    return found


def _agreed(wanted: Wanted, gate: FirstGate) -> None:
    """Show the config; somebody who is asked wants it.

    Raises:
        Abort: nobody does.
    """
    if not wanted.as_json:
        heading(f"{wanted.file.name} as it will be")
        for line in config_text(_masked(gate)).splitlines():
            say(plain(line))
        say()
    if wanted.asks and not typer.confirm(f"Write {plain(wanted.file)}?", default=True, err=True):
        raise typer.Abort


def _make_card(
    wanted: Wanted, gate: FirstGate, found: Found, password: tuple[Path, str] | None
) -> None:
    # The gallery's key is made on the kiosk, and never leaves it.
    typed = () if password is None else (password[0].name,)
    gate, beside = on_card(replace(gate, key_file=None), wanted.file.parent, typed)
    _agreed(wanted, gate)
    write_card(config_text(gate), wanted.file, beside, password)
    tell_card(wanted, gate, found, beside, password)


def _try(wanted: Wanted, question: Question, gate: FirstGate) -> None:
    """Open the camera, reach the broker: what is found is told, and refuses no answer."""
    probe: Probe | None = None
    file = ConfigFile(wanted.file, config_of(gate))
    if question.name == "camera" and not wanted.is_card:
        probe = partial(try_camera, file)
    elif question.name == "broker-port":
        authority = None if gate.broker_ca is None else file.resolve(gate.broker_ca)
        probe = partial(try_broker, file.config, authority)
    if probe is None:
        return
    name = question.name.partition("-")[0]
    (check,) = run_checks([(name, probe)], _TRY_S)
    wanted.checks.append(check)
    if check.ok and not wanted.as_json:
        note(check.detail)
    elif not check.ok:
        warn(f"{name}: {check.detail}" + (f"\nFix: {check.fix}" if check.fix else ""))


def _password(wanted: Wanted, gate: FirstGate) -> tuple[FirstGate, tuple[Path, str] | None]:
    """The gate with the file that the broker's password goes into, where somebody types one."""
    if not wanted.asks or gate.broker_user is None or gate.broker_password_file is not None:
        return gate, None
    word = secret(f"Password of {plain(gate.broker_user)} there (not shown; none: Enter)")
    if not word:
        return gate, None
    names = (f"broker{number}.password" for number in ("", *range(2, 1000)))
    # Another gate's may lie there; nobody is to answer everything again for that.
    file = next(one for one in map(wanted.file.with_name, names) if not os.path.lexists(one))
    return replace(gate, broker_password_file=place_beside(file.parent, file)), (file, word)


def _masked(gate: FirstGate) -> FirstGate:
    """The gate as a screen may show it: without the login of a camera's address."""
    source = gate.camera.source
    if not isinstance(source, str):
        return gate
    return replace(gate, camera=Eye(gate.camera.kind, shown(source)))


def _tell(wanted: Wanted, gate: FirstGate, found: Found, made: Made, label: dict[str, Any]) -> None:
    file = load_config(made.file, found.pad)
    warnings = [*map(told, faults_of(file, risks(file, found.pad)))]
    if wanted.as_json:
        emit(
            {
                "found": found.as_json(),
                "tried": [one.as_json() for one in wanted.checks],
                "answers": answers(wanted.file.parent, gate, found),
                "file": str(made.file),
                "key": {
                    "file": str(made.key_file),
                    "key_id": made.key_id,
                    "made": made.key_is_new,
                },
                "password_file": None if made.password_file is None else str(made.password_file),
                "warnings": warnings,
                "next": _next(wanted),
            }
            | label
        )
        return
    for one in warnings:
        warn(one)
    say(f"wrote {plain(made.file)}")
    if made.password_file is not None:
        say(f"wrote {plain(made.password_file)}, for its owner only")
    if made.key_is_new:
        say(f"made {plain(made.key_file)} (key id {made.key_id})")
        say("Keep a copy in a safe place: without it every holder must be enrolled again.")
    else:
        say(f"kept {plain(made.key_file)}, which was there (key id {made.key_id})")
    say_label(label)
    if not gate.counts_faces:
        say(
            "A face opens nothing here: --accept-no-pad counts faces without attack detection,"
            " gate-agent models setup installs it."
        )
    say()


def _enrol(context: typer.Context, wanted: Wanted, gate: FirstGate) -> None:
    """The first person, by the gate's camera: the same as ``enrol --camera``."""
    person = wanted.person
    if person is None and wanted.asks and gate.counts_faces and gate.camera.is_live:
        person = _whom()
    if person is None:
        return
    from agent.cli.people.enrol import enrol

    enrol(
        context,
        person[0],
        None,
        name=person[1],
        category=_CATEGORY,
        camera=True,
        config=wanted.file,
        state=wanted.state,
        as_json=wanted.as_json,
    )


def _whom() -> tuple[str, str] | None:
    if not typer.confirm("Enrol the first resident by this camera now?", default=False, err=True):
        return None
    id_: str = typer.prompt("Their id (never an ID number)", default="r-1", err=True)
    name: str = typer.prompt("Their name, for the desk only", err=True)
    return id_, name


def _next(wanted: Wanted) -> list[str]:
    place = wanted.file
    named = place.name if place.parent == Path.cwd() else str(place)
    words = ["--config", named]
    if wanted.state is not None:
        words += ["--state-dir", str(wanted.state)]
    return [f"gate-agent {command} {shlex.join(words)}" for command in ("doctor", "run", "watch")]
