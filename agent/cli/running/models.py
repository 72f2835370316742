"""``gate-agent models``: install, list, verify, show and remove model packs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli import completion
from agent.cli.common import (
    Commands,
    Config,
    Csv,
    Json,
    StateDir,
    Task,
    emit,
    examples,
    file_option,
    one_form,
    say,
    user,
)
from agent.cli.progress import progress
from agent.cli.running.models_text import show_list, show_used, state_cell
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import line, record, table

app = Commands(
    "models setup",
    "models list",
    "models choose retail",
)

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A pack, as gate-agent models list.", autocompletion=completion.packs
    ),
]
Installed = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A pack, as gate-agent models list.",
        autocompletion=completion.installed_packs,
    ),
]


GiveUpAfter = Annotated[
    float | None,
    typer.Option(
        "--give-up-after",
        metavar="SECONDS",
        min=0.1,
        max=7200.0,
        help="Wait so long in all for sources that do not answer [default: 2 hours each].",
    ),
]


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app, rich_help_panel=Task.RUN, name="models", help="Model packs: what recognises faces."
    )


@app.command(
    "install",
    epilog=examples(
        "models install dlib",
        "models install dlib --from /media/usb",
        "models install yunet-mobilefacenet --from DIR --accept-licence LicenseRef-none-stated",
    ),
)
def install(
    name: Name,
    *,
    from_dir: Annotated[
        Path | None,
        file_option("--from", "Take the files from here: no network needed.", "DIR"),
    ] = None,
    accept_licence: Annotated[
        str | None,
        typer.Option("--accept-licence", metavar="SPDX", help="Accept a licence that is not free."),
    ] = None,
    give_up_after_s: GiveUpAfter = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Install a pack.

    Each file is checked by its sha256. A second run checks again and changes nothing.
    """
    from agent.operations.packs import install as models
    from agent.operations.packs.choice import keep_first
    from agent.operations.packs.web import Patience

    folder = state_dir(state)
    with progress(wanted=not as_json) as advance:
        result = models.install(
            name,
            folder,
            from_dir,
            lambda now: advance(f"{now.phase} {now.file}", now.done_bytes, now.total_bytes),
            accept_licence,
            Patience(give_up_after_s),
        )
    manifest = result.pack.manifest
    keep_first(folder, manifest.name)
    if result.changed:
        _record(folder, manifest.name, "installed", manifest.version)
    if as_json:
        emit(
            {
                "pack": manifest.name,
                "version": manifest.version,
                "changed": result.changed,
                "directory": str(result.pack.directory),
            }
        )
    else:
        state_now = "installed" if result.changed else "is installed and whole; nothing to do"
        say(f"{manifest.name} {manifest.version} {state_now}")


@app.command(
    "setup",
    epilog=examples(
        "models setup",
        "models setup --from /media/usb",
        "models setup --give-up-after 20",
    ),
)
def set_up(
    *,
    from_dir: Annotated[
        Path | None,
        file_option("--from", "Look here first: the files of all packs, or a folder each.", "DIR"),
    ] = None,
    give_up_after_s: GiveUpAfter = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Install what a gate needs.

    The recommended pack or, where no source has it, one that can be had; attack detection; and a
    note of which was chosen and why. What was chosen before stays.
    """
    from agent.app.open.files.state import REGISTRY
    from agent.operations.packs.set_up import set_up
    from agent.operations.packs.web import Patience

    folder = state_dir(state)
    with progress(wanted=not as_json) as advance:
        found = set_up(
            folder,
            brought=from_dir,
            patience=Patience(give_up_after_s),
            progress=lambda now: advance(
                f"{now.phase} {now.file}", now.done_bytes, now.total_bytes
            ),
            has_people=REGISTRY.at(folder).exists(),
        )
    _tell(found, as_json=as_json)


@app.command("chosen", epilog=examples("models chosen", "models chosen --json"))
def chosen(*, state: StateDir = None, as_json: Json = False) -> None:
    """Say which pack is used.

    Where neither a config nor --pack names one: which, why, and for whom it was not measured.
    """
    from agent.operations.packs.choice import in_use

    _tell(in_use(None, state_dir(state)), as_json=as_json)


@app.command("choose", epilog=examples("models choose retail"))
def choose(
    name: Installed, *, yes: Yes = False, state: StateDir = None, as_json: Json = False
) -> None:
    """Use another installed pack.

    Templates of different packs are never compared: everybody is enrolled again. A pack that the
    config names goes before it. Asks first, at a terminal.
    """
    from agent.operations.packs.choice import choose, in_use

    folder = state_dir(state)
    confirm(f"Use {name}? Whoever has no reference of it is enrolled again.", yes=yes)
    choose(folder, name)
    _tell(in_use(None, folder), as_json=as_json)


@app.command("list", epilog=examples("models list", "models list --json"))
def list_(
    *, config: Config = None, state: StateDir = None, as_json: Json = False, as_csv: Csv = False
) -> None:
    """List the packs.

    Every pack that has a manifest, with its state: absent, installed or broken; and which is used.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.app.open.site import command_site
    from agent.config.tables.face import CHOSEN_PACK
    from agent.operations.packs import install as models
    from agent.operations.packs.choice import in_use

    folder = state_dir(state)
    statuses = models.list_packs(folder)
    used = command_site(folder, given_config_path(config)).face.pack
    if as_json:
        emit([{**_status(one), "used": one.manifest.name == used} for one in statuses])
        return
    if as_csv:
        rows = [{**_status(one), "used": one.manifest.name == used} for one in statuses]
        sheet_of(tuple(rows[0]), rows)
        return
    show_list(statuses, used)
    if used == CHOSEN_PACK:
        line("* none is chosen. Fix: gate-agent models setup, or models choose NAME")
        return
    show_used(in_use(_named(config), folder), star=True)


@app.command("verify", epilog=examples("models verify dlib"))
def verify(name: Installed, *, state: StateDir = None, as_json: Json = False) -> None:
    """Check the files of an installed pack.

    Exit code 69 where one is not the file that the manifest declares.
    """
    from agent.operations.packs import install as models

    pack = models.verify(name, state_dir(state))
    if as_json:
        emit({"pack": name, "version": pack.manifest.version, "files": sorted(pack.files)})
    else:
        say(f"{name} {pack.manifest.version}: {len(pack.files)} files, all as declared")


@app.command("remove", epilog=examples("models remove dlib"))
def remove(
    name: Installed, *, yes: Yes = False, state: StateDir = None, as_json: Json = False
) -> None:
    """Remove an installed pack.

    References made by it stay, and wait for it to come back. Asks first, at a terminal.
    """
    from agent.errors import RefusedError
    from agent.operations.packs import install as models

    folder = state_dir(state)
    confirm(
        f"Remove the model pack {name}? A gate that uses it knows no face until it is back.",
        yes=yes,
    )
    if not models.remove(name, folder):
        message = f"The model pack {name} is not installed\nFix: gate-agent models list"
        raise RefusedError("not_installed", message)
    _record(folder, name, "removed", None)
    if as_json:
        emit({"pack": name, "removed": True})
    else:
        say(f"{name} removed")


@app.command("show", epilog=examples("models show dlib", "models show dlib --json"))
def show(name: Name, *, state: StateDir = None, as_json: Json = False) -> None:
    """Show a pack.

    Its licence, thresholds and the measurement behind them.
    """
    from agent.operations.packs import install as models

    status = next((s for s in models.list_packs(state_dir(state)) if s.manifest.name == name), None)
    if status is None:
        models.verify(name, state_dir(state))  # says that there is none, and which there are
        return
    manifest = status.manifest
    if as_json:
        emit({**_status(status), "manifest": manifest.model_dump(mode="json")})
        return
    said: Any = manifest.measured
    record(
        {
            "pack": Cell(f"{manifest.name} {manifest.version}", Meaning.STRONG),
            "state": state_cell(status.state),
            "problem": status.problem and Cell(status.problem.splitlines()[0], Meaning.BAD),
            "description": manifest.description,
            "licence": f"{manifest.licence.spdx}: {manifest.licence.text}",
            "measured for": ", ".join(said.measured_for) or None,
            "not measured for": ", ".join(said.not_measured_for) or None,
            "measured on": said.measured_on,
        }
    )
    say()
    if manifest.kind == "pad":
        row = (f"{said.score:.4f}", said.bpcer, said.apcer, said.bona_fide, said.attacks)
        table(("threshold", "BPCER", "APCER", "bona fide", "attacks"), [row])
        return
    bounds = [point.fnmr_bounds for point in said.curve]
    table(
        ("FMR", "threshold", "FNMR", "90 % bounds by persons"),
        [
            (
                f"{point.fmr:g}",
                f"{point.threshold:.4f}",
                point.fnmr,
                None if ends is None else f"{ends[0]:g} to {ends[1]:g}",
            )
            for point, ends in zip(said.curve, bounds, strict=True)
        ],
    )


def _record(state: Path, pack: str, change: str, version: str | None) -> None:
    from agent.app.open.files.stores import record
    from agent.app.open.site import command_site
    from agent.domain.record.events import EventType

    data = {"pack": pack, "change": change, "version": version, "by": user()}
    record(command_site(state, None), EventType.MODEL_CHANGED, data)


def _named(config: Path | None) -> str | None:
    """What the config says; None where there is none."""
    from agent.config import load_config

    path = given_config_path(config)
    return None if path is None else load_config(path).config.face.pack


def _tell(found: Any, *, as_json: bool) -> None:
    """The pack in use."""
    if as_json:
        emit(found.as_json())
        return
    show_used(found)


def _status(status: Any) -> dict[str, Any]:
    manifest = status.manifest
    return {
        "pack": manifest.name,
        "kind": manifest.kind,
        "version": manifest.version,
        "state": status.state,
        "problem": status.problem,
        "licence": manifest.licence.spdx,
        "free_for_commercial_use": manifest.licence.free_for_commercial_use,
        "description": manifest.description,
        "for_tests_only": manifest.for_tests_only,
    }
