"""``gate-agent models``: install, list, verify, show and remove model packs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import state_dir
from agent.cli.common import Json, StateDir, emit, examples, fields, file_option, say, table, user
from agent.cli.progress import progress

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A pack, as gate-agent models list.")]


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(app, name="models", help="Model packs: what recognises faces.")


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
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Install a pack.

    Each file is checked by its sha256. A second run checks again and changes nothing.
    """
    from agent.operations.packs import install as models

    folder = state_dir(state)
    with progress(wanted=not as_json) as advance:
        result = models.install(
            name,
            folder,
            from_dir,
            lambda now: advance(f"{now.phase} {now.file}", now.done_bytes, now.total_bytes),
            accept_licence,
        )
    manifest = result.pack.manifest
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


@app.command("list", epilog=examples("models list", "models list --json"))
def list_(*, state: StateDir = None, as_json: Json = False) -> None:
    """List the packs.

    Every pack that has a manifest, with its state: absent, installed or broken.
    """
    from agent.operations.packs import install as models

    statuses = models.list_packs(state_dir(state))
    if as_json:
        emit([_status(status) for status in statuses])
        return
    table(
        ("pack", "for", "version", "state", "licence", "description"),
        [
            (
                s.manifest.name,
                s.manifest.kind,
                s.manifest.version,
                s.state,
                s.manifest.licence.spdx,
                s.manifest.description,
            )
            for s in statuses
        ],
    )


@app.command("verify", epilog=examples("models verify dlib"))
def verify(name: Name, *, state: StateDir = None, as_json: Json = False) -> None:
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
def remove(name: Name, *, state: StateDir = None, as_json: Json = False) -> None:
    """Remove an installed pack.

    References made by it stay, and wait for it to come back.
    """
    from agent.errors import RefusedError
    from agent.operations.packs import install as models

    folder = state_dir(state)
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
    fields(
        {
            "pack": f"{manifest.name} {manifest.version}",
            "state": status.state,
            "problem": None if status.problem is None else status.problem.splitlines()[0],
            "description": manifest.description,
            "licence": f"{manifest.licence.spdx}: {manifest.licence.text}",
            "measured for": ", ".join(said.measured_for) or None,
            "not measured for": ", ".join(said.not_measured_for) or None,
            "measured on": said.measured_on,
        }
    )
    if manifest.kind == "pad":
        row = (f"{said.score:.4f}", said.bpcer, said.apcer, said.bona_fide, said.attacks)
        table(("threshold", "BPCER", "APCER", "bona fide", "attacks"), [row])
        return
    table(
        ("FMR", "threshold", "FNMR"),
        [(f"{point.fmr:g}", f"{point.threshold:.4f}", point.fnmr) for point in said.curve],
    )


def _record(state: Path, pack: str, change: str, version: str | None) -> None:
    from agent.app.open.files.stores import record
    from agent.app.open.site import command_site
    from agent.domain.record.events import EventType

    data = {"pack": pack, "change": change, "version": version, "by": user()}
    record(command_site(state, None), EventType.MODEL_CHANGED, data)


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
    }
