"""The steps of ``gate-agent init``: look, ask, show, write, enrol, and what comes next."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import typer

from agent.app.desk.first_gate import Made, must_be_free, must_open, write_first_gate
from agent.app.desk.first_look import look, try_broker, try_camera
from agent.app.open.paths import state_dir
from agent.cli.common import emit, say, warn
from agent.cli.running.interview import Interview, note, secret
from agent.cli.terminal.style import plain
from agent.cli.terminal.table import heading, record
from agent.config import ConfigFile, load_config
from agent.operations.config.describe import faults_of, risks, told
from agent.operations.config.first_answers import place_beside, shown
from agent.operations.config.first_asking import Question
from agent.operations.config.first_found import Found
from agent.operations.config.first_gate import Eye, FirstGate, config_of, config_text
from agent.operations.config.first_questions import questions
from agent.technician.doctor import Check, Probe, run_checks

_TRY_S = 12.0
_CATEGORY = "resident"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was said on the command line; ``answers`` by the names of the questions."""

    file: Path
    state: Path | None
    answers: Mapping[str, str]
    pull_resistor: bool
    asks: bool
    person: tuple[str, str] | None
    as_json: bool
    checks: list[Check] = field(default_factory=list)


def make(context: typer.Context, wanted: Wanted) -> None:
    """All of it.

    Raises:
        RefusedError: ``file_exists``, ``other_key``, ``too_many_tries``.
        KeyUnavailableError: the key's place cannot be written.
        UnavailableError: the config's place cannot be.
        Abort: somebody did not want it.
    """
    file = wanted.file
    must_be_free(file)
    if not file.parent.is_dir():
        context.fail(f"--out: there is no folder {file.parent}")
    found = look(state_dir(wanted.state))
    if not wanted.as_json:
        heading("What is there")
        record(found.lines())
        say()
    interview = Interview(found, wanted.answers, wanted.asks, context.fail, partial(_try, wanted))
    begun = FirstGate(pull_resistor=wanted.pull_resistor)
    gate = interview.gate(questions(file.parent), begun)
    must_open(state_dir(wanted.state), file.parent / str(gate.key_file))
    gate, password = _password(wanted, gate)
    if not wanted.as_json:
        heading(f"{file.name} as it will be")
        for line in config_text(_masked(gate)).splitlines():
            say(plain(line))
        say()
    if wanted.asks and not typer.confirm(f"Write {plain(file)}?", default=True, err=True):
        raise typer.Abort
    made = write_first_gate(
        config_text(gate),
        file,
        state_dir(wanted.state),
        key_file=file.parent / str(gate.key_file),
        private=_masked(gate) != gate,
        password=password,
    )
    _tell(wanted, gate, found, made)
    try:
        _enrol(context, wanted, gate)
    finally:
        if not wanted.as_json:
            heading("What comes next")
            for line in _next(wanted):
                say(f"  {line}")


def _try(wanted: Wanted, question: Question, gate: FirstGate) -> None:
    """Open the camera, reach the broker: what is found is told, and refuses no answer."""
    probe: Probe | None = None
    file = ConfigFile(wanted.file, config_of(gate))
    if question.name == "camera":
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


def _tell(wanted: Wanted, gate: FirstGate, found: Found, made: Made) -> None:
    file = load_config(made.file, found.pad)
    warnings = [*map(told, faults_of(file, risks(file, found.pad)))]
    if wanted.as_json:
        emit(
            {
                "found": found.as_json(),
                "tried": [one.as_json() for one in wanted.checks],
                "answers": {
                    one.name: one.shows(getattr(gate, one.sets))
                    for one in questions(wanted.file.parent)
                    if one.needs(gate, found)
                },
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
