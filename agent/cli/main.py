"""``gate-agent``: the commands, and the one place where every failure ends."""

import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from agent.cli import (
    config,
    daemon,
    documents,
    enrol,
    evaluate,
    events,
    gallery,
    holders,
    identify,
    key,
    models,
    passes,
    run,
    scan,
    trust,
    verify,
    version,
)
from agent.cli.failures import DEBUG_VARIABLE, FAILED, report

NAME = "gate-agent"
_INTERRUPTED = 130

app = typer.Typer(
    name=NAME,
    no_args_is_help=True,
    # Plain help: it comes three times as fast, and brackets in it mean themselves.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 100},
)


@app.callback(
    epilog="Exit codes: 0 done, 1 failed or refused, 2 usage, 69 something needed is"
    " unavailable, 70 internal, 78 config."
)
def gate_agent(
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help=f"Tracebacks on stderr [also: {DEBUG_VARIABLE}=1].")
    ] = False,
) -> None:
    """The firmware of a community gate kiosk: recognises, decides, releases, reports."""
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"


for part in (run, enrol, identify, holders, gallery, key, models, config, events, evaluate):
    part.add_to(app)
for part in (passes, documents, scan, verify, trust, daemon, version):
    part.add_to(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Installed as ``gate-agent``."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names hold characters that a terminal's encoding may not.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = typer.main.get_command(app).main(given, prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
        if code == _INTERRUPTED:
            raise KeyboardInterrupt  # noqa: TRY301 - typer turned it into a number
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - every failure ends here
        debug = bool(os.environ.get(DEBUG_VARIABLE))
        return report(error, as_json="--json" in given, debug=debug)
    except SystemExit as ended:
        # Typer itself ends so when the reader of stdout went away.
        return ended.code if isinstance(ended.code, int) else FAILED
    return code if isinstance(code, int) else 0
