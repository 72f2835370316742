"""An environment of Python that a release is: laid out of wheels, without pip.

    RELEASE/pyvenv.cfg  bin/python -> the system's   bin/gate-agent
            lib/pythonX.Y/site-packages              the wheels

No code of a wheel runs: a wheel is an archive, and what it brings as programs is left out.
"""

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from agent.errors import UnavailableError


def site_packages(stage: Path, python: str) -> Path:
    """Where the wheels of an environment in ``stage`` go, made where it is not there."""
    site = stage / "lib" / f"python{python}" / "site-packages"
    site.mkdir(parents=True, exist_ok=True)
    return site


def make_venv(stage: Path, home: Path, python: str, interpreter: str, architecture: str) -> None:
    """What makes the folder ``stage`` an environment; it says that it lies in ``home``."""
    # On a Raspberry Pi picamera2, and on Debian 13 lgpio, come from the distribution.
    system = "true" if architecture == "arm64" else "false"
    (stage / "pyvenv.cfg").write_text(
        f"home = {Path(interpreter).parent}\ninclude-system-site-packages = {system}\n"
        f"version = {python}\nexecutable = {interpreter}\n"
    )
    programs = stage / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "python").symlink_to(interpreter)
    program = programs / "gate-agent"
    # -I: neither PYTHONPATH nor a user's packages reach into the gate.
    program.write_text(
        f"#!{home}/bin/python -I\nimport sys\n\nfrom agent.cli.entry import main\n\n"
        "sys.exit(main())\n"
    )
    program.chmod(0o755)


def unpack(wheel: Path, site: Path, prefix: Path) -> None:
    """Lay the wheel's files where the environment has them; its programs are left out.

    ``site`` is the environment's site-packages and ``prefix`` its root.

    Raises:
        UnavailableError: it would write outside of the environment.
    """
    with zipfile.ZipFile(wheel) as archive:
        for item in archive.infolist():
            target = _place(PurePosixPath(item.filename), site, prefix)
            if target is None or item.is_dir():
                continue
            if not target.resolve().is_relative_to(prefix.resolve()):
                raise UnavailableError(
                    f"{wheel.name} reaches outside of its folder", "use no such wheel"
                )
            if target.exists():
                raise UnavailableError(
                    f"{wheel.name} brings {target.relative_to(site)}, as another does",
                    "see which packages of the lock overlap",
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(item) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)


def _place(name: PurePosixPath, site: Path, prefix: Path) -> Path | None:
    first, *rest = name.parts
    if not first.endswith(".data") or not rest:
        return site / name
    scheme, *inner = rest
    match scheme:
        case "purelib" | "platlib":
            return site.joinpath(*inner)
        case "data":
            return prefix.joinpath(*inner)
        case _:  # programs and headers: a kiosk runs one program only
            return None
