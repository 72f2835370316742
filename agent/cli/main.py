"""``gate-agent``: the commands, and the one place where every failure ends."""

import functools
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from agent.cli.care import (
    backup,
    bundle,
    clock,
    daemon,
    events,
    key,
    restore,
    state,
    thermometer,
    update,
    version,
    voice,
)
from agent.cli.common import Commands, say
from agent.cli.doors import command, door
from agent.cli.failures import DEBUG_VARIABLE, FAILED, INTERRUPTED, report
from agent.cli.fixes import fitted
from agent.cli.measure import bench, evaluate, fleet, simulate
from agent.cli.passes import health, passes, scan
from agent.cli.people import (
    cards,
    categories,
    documents,
    enrol,
    gallery,
    holders,
    identify,
    references,
    register,
    registry,
    rules,
)
from agent.cli.running import (
    config,
    console,
    demo,
    doctor,
    init,
    models,
    run,
    secure_outputs,
    watch,
)

NAME = "gate-agent"

app = Commands(
    "init",
    "doctor",
    "enrol r-1042 --name 'Lin Yu' --category resident lin-1.jpg lin-2.jpg",
    "run",
    "watch",
    after="Exit codes: 0 done, 1 failed or refused, 2 usage, 69 something needed is unavailable,"
    " 70 internal, 78 config, 130 Ctrl-C.",
    name=NAME,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - what typer hands a callback
    if wanted:
        from agent.operations.about import agent_version

        say(f"{NAME} {agent_version()}")
        raise typer.Exit


@app.callback()
def gate_agent(
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help=f"Tracebacks on stderr [also: {DEBUG_VARIABLE}=1].")
    ] = False,
    version: Annotated[  # noqa: ARG001 - its callback has answered
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="The agent's version."
        ),
    ] = False,
) -> None:
    """The firmware of a community gate kiosk: recognises, decides, releases, reports."""
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"


_RUN = (init, config, models, doctor, console, run, watch, demo, secure_outputs)
_PEOPLE = (
    *(enrol, holders, references, gallery, identify),
    *(documents, cards, categories, register, registry, rules),
)
_PASSES = (passes, health, scan)
_LOOK_AFTER = (
    *(daemon, events, state, backup, restore, bundle, update, clock, key),
    *(thermometer, voice, version),
)
_MEASURE = (evaluate, bench, simulate, fleet)
for part in (*_RUN, *_PEOPLE, *_PASSES, door, command, *_LOOK_AFTER, *_MEASURE):
    part.add_to(app)


@functools.cache
def program() -> Any:  # typer keeps the class to itself
    """All commands as they are parsed; to make that of them costs more than most of them take."""
    return typer.main.get_command(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Installed as ``gate-agent``."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _mend_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names hold characters that a terminal's encoding may not.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = program().main(given, prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:
            raise KeyboardInterrupt  # noqa: TRY301 - typer turned it into a number
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - every failure ends here
        debug = bool(os.environ.get(DEBUG_VARIABLE))
        return report(
            error,
            as_json="--json" in given,
            debug=debug,
            fitted=lambda fix: fitted(fix, given, program()),
        )
    except SystemExit as ended:
        # Typer itself ends so when the reader of stdout went away.
        return ended.code if isinstance(ended.code, int) else FAILED
    return code if isinstance(code, int) else 0


def _mend_streams() -> None:
    """Give each closed standard stream the null device.

    Else the next file that is opened takes its number, and a library's warning lands in it.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            # It gets the lowest number that is free, which is this one; programs inherit it.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for as long as the process
