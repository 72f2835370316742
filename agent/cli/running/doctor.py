"""``gate-agent doctor``."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.app.open.paths import config_path, state_dir
from agent.cli import completion
from agent.cli.common import Config, Json, StateDir, Task, counted, emit, examples, file_option, say
from agent.cli.fixes import fitted
from agent.cli.running.doctor_text import show
from agent.cli.terminal.style import plain

if TYPE_CHECKING:
    from agent.app.desk.doctor import ExaminedKiosk
    from agent.domain.door.signal import InputChange
    from agent.operations.examination.repair import Mended
    from agent.technician.verdict import Check

_EXAMPLES = (
    "doctor",
    "doctor --fix",
    "doctor --watch 60",
    "doctor --pulse turnstile",
    "doctor --json",
)


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "doctor",
        rich_help_panel=Task.RUN,
        epilog=examples(
            "doctor",
            "doctor --fix",
            "doctor --watch 60",
            "doctor --pulse turnstile",
            "doctor --json",
        ),
    )(doctor)


def doctor(
    context: typer.Context,
    *,
    config: Config = None,
    state: StateDir = None,
    pulse: Annotated[
        str | None,
        typer.Option(
            "--pulse",
            metavar="DOOR",
            help="Release this door once, for a second.",
            autocompletion=completion.outputs,
        ),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="First mend what needs no person's judgement.")
    ] = False,
    brought: Annotated[
        Path | None,
        file_option("--from", "With --fix: the folder with the files of model packs."),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Look over the whole journal, not its newest part.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Pulse and mend without asking.")] = False,
    watch: Annotated[
        float | None,
        typer.Option(
            "--watch", metavar="SECONDS", min=1, max=3600, help="Then tell each input's changes."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Look the kiosk over; nothing moves.

    The pin map, inputs, sensors, cameras, broker, clock and disk. A door moves only by --pulse.
    A running agent is asked for what it holds, but its pins. --fix mends modes and owners, makes
    what is missing, and tells each step. Exit code 1 if something failed.
    """
    from agent.app.desk.doctor import ExaminedKiosk
    from agent.operations.examination.examine import examined
    from agent.technician.doctor import pin_rows

    if brought is not None and not fix:
        raise typer.BadParameter("it goes with --fix", param_hint="--from")
    kiosk = ExaminedKiosk(config_path(config), state_dir(state), deep=deep)
    if pulse is not None:
        _may_pulse(kiosk, pulse, yes=yes, as_json=as_json)
    fixed = _mend(kiosk, brought, yes=yes, as_json=as_json) if fix else []
    checks = examined(kiosk)
    active: dict[str, bool | None] = {}
    free = not kiosk.agent_runs()
    if free:
        checks += _inputs(kiosk, active)
    if free and pulse is not None:
        checks.append(_pulse(kiosk, pulse))
    checks = [_fitted(check, context, config, state) for check in checks]
    rows = pin_rows(kiosk.uses(), active)
    if as_json:
        told = {
            "checks": [one.as_json() for one in checks],
            "pins": [one.as_json() for one in rows],
        }
        emit({**told, "fixed": [one.as_json() for one in fixed]} if fix else told)
    else:
        show(rows, checks)
    if free and watch is not None:
        _watch(kiosk, watch, as_json=as_json)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _fitted(
    check: "Check", context: typer.Context, config: Path | None, state: Path | None
) -> "Check":
    if check.fix is None:
        return check
    places = (("--config", config), ("--state-dir", state))
    given = [word for name, place in places if place is not None for word in (name, str(place))]
    return replace(check, fix=fitted(check.fix, given, context.find_root().command))


def _mend(
    kiosk: "ExaminedKiosk", brought: Path | None, *, yes: bool, as_json: bool
) -> "list[Mended]":
    from agent.errors import RefusedError
    from agent.operations.examination.repair import mended

    planned = kiosk.repairs(brought)
    if not planned:
        if not as_json:
            say("nothing to mend without a person's judgement\n")
        return []
    if not yes:
        if as_json or not sys.stdin.isatty():
            message = "nothing is mended unless somebody says so\nFix: add --yes"
            raise RefusedError("not_confirmed", message)
        for one in planned:
            say(f"{one.check}: {plain(one.step)}")
        typer.confirm(f"Do {counted(len(planned), 'step')}?", abort=True)

    def tell(one: "Mended") -> None:
        if not as_json:
            said = "done" if one.ok else f"FAILED: {one.detail}" + f" ({one.fix})" * bool(one.fix)
            say(plain(f"{one.check}: {one.step}: {said}"))

    found = mended(lambda: kiosk.repairs(brought), tell)
    if not as_json:
        say()
    return found


def _may_pulse(kiosk: "ExaminedKiosk", door: str, *, yes: bool, as_json: bool) -> None:
    from agent.errors import RefusedError

    kiosk.check_output(door)
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        message = "a door moves only when somebody says so\nFix: add --yes, and stand clear of it"
        raise RefusedError("not_confirmed", message)
    typer.confirm(f"Release door {plain(door)} for a second? Stand clear of it", abort=True)


def _inputs(kiosk: "ExaminedKiosk", active: dict[str, bool | None]) -> "list[Check]":
    from agent.technician.doctor import check_input

    checks = []
    for one in kiosk.file.config.input:
        check, active[one.id] = check_input(one, kiosk.input_reader(one))
        checks.append(check)
    return checks


def _pulse(kiosk: "ExaminedKiosk", name: str) -> "Check":
    from agent.errors import UnavailableError
    from agent.technician.doctor import PULSE_S, failed, pulse

    said = f"pulse {name}"
    try:
        with kiosk.door_and_inputs(name, PULSE_S) as (door, inputs):
            beside = kiosk.watchers(name)
            return pulse(
                door,
                inputs,
                name=said,
                feedback=beside.get("feedback"),
                contact=beside.get("contact"),
            )
    except UnavailableError as error:
        return failed(said, error)


def _watch(kiosk: "ExaminedKiosk", seconds: float, *, as_json: bool) -> None:
    from agent.technician.doctor import meaning, watch

    kinds = {one.id: one.kind for one in kiosk.file.config.input}

    def tell(change: "InputChange") -> None:
        if as_json:
            emit({"input": change.input, "active": change.active, "initial": change.initial})
            return
        found = " (as found)" if change.initial else ""
        say(f"{change.input}: {meaning(kinds[change.input], active=change.active)}{found}")

    with kiosk.inputs() as inputs:
        if inputs is not None:
            watch(inputs, seconds, tell)
