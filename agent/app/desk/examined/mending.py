"""What ``doctor --fix`` may do at this kiosk, planned from what lies there now.

A key is made by the rule of ``key init`` and only where nothing can have been sealed by another; a
pack is installed only where it was chosen. What nobody chose, accepted or brought is no repair.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from agent.adapters.store.aside import put_aside
from agent.app.desk.examined.owners import Ill, as_made, ills
from agent.app.desk.examined.packaged import bus_repairs, unit_repairs
from agent.app.open.files.keys import first_key
from agent.app.open.files.kiosk_keys import make_kiosk_keys
from agent.app.open.files.state import FOLDER_MODE, KEY, LOCK, REGISTRY, SEALING_KEY, SIGNING_KEY
from agent.app.open.site import site_of
from agent.config import ConfigFile
from agent.errors import ModelPackError
from agent.operations.examination.repair import Repair
from agent.operations.packs.choice import choice_of
from agent.operations.packs.install import install
from agent.operations.packs.web import Patience
from agent.vision.packs.manifest import pad_pack_names
from agent.vision.packs.packs import is_installed, load_any_pack
from agent.vision.packs.place import CHOSEN

_PATIENCE_S = 60.0
"""For sources that do not answer; a download that makes headway is let finish."""


def repairs(file: ConfigFile, state: Path, brought: Path | None) -> Iterator[Repair]:
    """Each step that is due; ``brought``: where packs' files lie, None for their sources."""
    if not os.path.lexists(state):
        made = partial(state.mkdir, FOLDER_MODE, parents=True, exist_ok=True)
        yield Repair("state directory", f"make {state}", made)
    elif state.is_dir():
        yield from _owners(state)
        if LOCK.at(state).is_dir() and not LOCK.at(state).is_symlink():
            step = f"set the folder {LOCK.name} aside: no agent holds a folder"
            yield Repair("agent", step, partial(put_aside, LOCK.at(state)))
    yield from _keys(file, state)
    yield from _packs(file, state, brought)
    if file.config.thermometer.on_i2c:
        yield from bus_repairs(Path(f"/dev/i2c-{file.config.thermometer.bus}"))
    yield from unit_repairs(state)


def _owners(state: Path) -> Iterator[Repair]:
    root = os.geteuid() == 0
    try:
        found = [one for one in ills(state) if root or not one.foreign]
    except OSError:
        return
    for one in found:
        yield Repair("file owners", _step(one), partial(as_made, one, state))


def _step(one: Ill) -> str:
    if one.foreign:
        return f"give {one.place} to the state's owner, mode {one.wanted:04o}"
    step = f"chmod {one.wanted:04o} {one.place}, which had {one.mode:04o}"
    if one.place.name == KEY.name and one.open:
        # Nothing tells who read it meanwhile.
        return f"{step}; if others were here meanwhile, then gate-agent key rotate"
    return step


def _keys(file: ConfigFile, state: Path) -> Iterator[Repair]:
    site = site_of(state, file.path)
    nothing_sealed = not os.path.lexists(REGISTRY.at(state))
    if site.key_file == KEY.at(state) and nothing_sealed and not os.path.lexists(site.key_file):
        yield Repair("gallery key", f"make {site.key_file}", partial(first_key, site))
    own = [row.name for row in (SIGNING_KEY, SEALING_KEY) if not os.path.lexists(row.at(state))]
    if own:
        step = f"make {' and '.join(own)}; the backend wants them: gate-agent key show"
        yield Repair("gallery key", step, partial(make_kiosk_keys, site))


def _packs(file: ConfigFile, state: Path, brought: Path | None) -> Iterator[Repair]:
    named, chosen = file.config.face.pack, choice_of(state)
    faces = [named] if named != CHOSEN else [] if chosen is None else [chosen.pack]
    wanted = [] if chosen is None else [one for one in chosen.missing if one in pad_pack_names()]
    attacks = [one for one in pad_pack_names() if one in wanted or is_installed(one, state)]
    whence = "its source" if brought is None else str(brought)
    patience = Patience(_PATIENCE_S)
    for check, names in (("model pack", faces), ("attack detection", attacks)):
        for name in names:
            if not _whole(name, state):
                do = partial(install, name, state, brought, patience=patience)
                yield Repair(check, f"install {name} from {whence}", do)


def _whole(name: str, state: Path) -> bool:
    try:
        load_any_pack(name, state)
    except ModelPackError:
        return False
    return True
