"""The same release as a folder of wheels, for kiosks that take no package: docs/update.md."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from agent.operations.about import RELEASE
from agent.operations.bill import SHIPPED
from agent.operations.releases.wheelhouse import BILL, NAME
from debian.tree import Built
from debian.wheels import Wheel

_WHEEL = "Wheel-Version: 1.0\nGenerator: gate-agent\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def lay(built: Built, wheels: Sequence[Wheel], stage: Path, folder: Path) -> Path:
    """Make the wheelhouse in ``folder`` of the environment in ``stage``; the file to be signed."""
    folder.mkdir(parents=True)
    for wheel in wheels:
        shutil.copyfile(wheel.path, folder / wheel.path.name)
    _own_wheel(built, stage / "app", folder / f"gate_agent-{built.agent}-py3-none-any.whl")
    shutil.copyfile(stage / SHIPPED, folder / BILL)
    files = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.iterdir())
    }
    said = {**json.loads((stage / RELEASE).read_bytes()), "files": files}
    told = folder / NAME
    told.write_text(json.dumps(said, indent=2) + "\n")
    return told


def _own_wheel(built: Built, app: Path, wheel: Path) -> None:
    time = datetime.fromtimestamp(built.time, UTC).timetuple()[:6]
    files = {
        str(path.relative_to(app)): path.read_bytes()
        for path in sorted(app.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }
    files[f"gate_agent-{built.agent}.dist-info/WHEEL"] = _WHEEL.encode()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, time)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
