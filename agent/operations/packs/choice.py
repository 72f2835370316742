"""Which face pack was chosen here and why: written down once, changed only by a person's word.

Templates of different packs are never compared, so a pack that came or went by itself would shut
everybody out. What a config or a command names goes before the choice; the choice stands where they
name none.
"""

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from agent.errors import ConfigError, ModelPackError, NotInstalledError, UnavailableError
from agent.operations.files import write_whole
from agent.vision.packs.manifest import Manifest, manifest_names, pad_pack_names, read_any_manifest
from agent.vision.packs.manifest_base import PackManifest
from agent.vision.packs.packs import is_installed, load_pad_pack
from agent.vision.packs.place import CHOICE_NAME, CHOSEN

RECOMMENDED = "retail"
"""The pack that is tried first."""
ALWAYS_TO_BE_HAD = "dlib"
"""The pack that installs wherever pip works."""
_NAMED = "the config names it"
_NONE_YET = "nothing was chosen yet (gate-agent models setup) and it can always be had"
_LARGEST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen pack, why it is this one, and what could not be installed then, with reasons."""

    pack: str
    why: str
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PackInUse:
    """The face pack in use as people should know it, and the attack detection beside it."""

    pack: str
    version: str
    why: str
    not_measured_for: tuple[str, ...]
    attack_detection: tuple[str, ...]
    missing: Mapping[str, str]
    installed: bool = True

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys."""
        return {
            "pack": self.pack,
            "version": self.version,
            "why": self.why,
            "not_measured_for": list(self.not_measured_for),
            "attack_detection": list(self.attack_detection),
            "missing": dict(self.missing),
            "installed": self.installed,
        }

    def lines(self) -> list[str]:
        """The same in words, for a terminal."""
        said = [f"model pack: {self.pack} {self.version}, because {self.why}"]
        if not self.installed:
            said.append(
                "  it is NOT installed: no face is known until"
                f" gate-agent models install {self.pack}"
            )
        said += [f"  not measured for: {whom}" for whom in self.not_measured_for]
        if self.pack != RECOMMENDED:
            said.append(
                f"  recommended: {RECOMMENDED}. Later: gate-agent models install {RECOMMENDED},"
                f" then gate-agent models choose {RECOMMENDED}, and enrol everybody again"
            )
        if self.attack_detection:
            said.append(f"attack detection: {', '.join(self.attack_detection)}")
        else:
            said.append("attack detection: NONE is installed: a resident's photograph may pass")
        if self.attack_detection:
            known = {*self.attack_detection, *self.missing}
            said += [
                f"  NOT installed: {name}, no pack suffices alone: gate-agent models install {name}"
                for name in pad_pack_names()
                if name not in known
            ]
        said += [
            f"  NOT installed: {name} ({reason});"
            f" later: gate-agent models install {name} --from DIR"
            for name, reason in self.missing.items()
        ]
        return said


def choice_of(state: Path) -> Choice | None:
    """What was chosen; where nobody wrote that down, the only face pack there is.

    None where several are installed or none, and where the note cannot be read: then only a pack
    that is named is used.
    """
    try:
        with (state / CHOICE_NAME).open("rb") as stream:
            note = json.loads(stream.read(_LARGEST_BYTES))
        missing = {str(name): str(reason) for name, reason in note["missing"].items()}
        return Choice(str(note["pack"]), str(note["why"]), missing)
    except FileNotFoundError:
        installed = installed_face_packs(state)
        return Choice(installed[0], "it is the only one installed") if len(installed) == 1 else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def has_choice(state: Path) -> bool:
    """Whether a choice was written down, readable or not."""
    return os.path.lexists(state / CHOICE_NAME)


def write_choice(state: Path, choice: Choice) -> None:
    """Write ``choice`` down, whole or not at all.

    Raises:
        UnavailableError: the state folder cannot be written.
    """
    content = (json.dumps(asdict(choice), indent=1) + "\n").encode()
    write_whole(content, state / CHOICE_NAME)


def keep_first(state: Path, name: str) -> None:
    """After an install by hand: where nothing was chosen, the first face pack is what is in use."""
    if has_choice(state):
        return
    others = [one for one in installed_face_packs(state) if one != name]
    if len(others) == 1:
        write_choice(state, Choice(others[0], "it was in use before another was installed"))
    elif not others and name in installed_face_packs(state):
        write_choice(state, Choice(name, "it was the first to be installed"))


def choose(state: Path, name: str) -> Choice:
    """Make the installed face pack ``name`` the one that is used where none is named.

    Raises:
        NotInstalledError: it is not installed.
        ModelPackError: there is none of this name, or it recognises no face.
    """
    manifest = read_any_manifest(name)
    if not isinstance(manifest, Manifest):
        raise ModelPackError(
            f"The model pack {name!r} tells attacks: it is used whenever it is installed",
            "choose a pack that recognises faces: gate-agent models list",
        )
    if not is_installed(name, state):
        fix = f"gate-agent models install {name}"
        raise NotInstalledError(f"the model pack {name} is not installed", fix)
    before = choice_of(state)
    missing = {} if before is None else before.missing
    chosen = Choice(name, "a person chose it", missing)
    write_choice(state, chosen)
    return chosen


def pack_of(named: str | None, state: Path) -> str:
    """The pack to use where a config or command says ``named``, or nothing.

    Where none is installed it is the one that can always be had, so the fix names it. Where none
    was chosen of several the word for that comes back; whoever needs a pack is then told what to
    do, and whoever needs none goes on.
    """
    if named not in (None, CHOSEN):
        return str(named)
    choice = choice_of(state)
    if choice is not None:
        return choice.pack
    try:
        nothing_there = not has_choice(state) and not installed_face_packs(state)
    except PermissionError:
        nothing_there = True  # whoever opens the pack names the folder that is closed
    return ALWAYS_TO_BE_HAD if nothing_there else CHOSEN


def in_use(named: str | None, state: Path) -> PackInUse:
    """The pack in use, with what people should know of it.

    Raises:
        ModelPackError: none was chosen, or there is none of this name.
        ConfigError: its manifest is wrong.
    """
    name = pack_of(named, state)
    manifest = read_any_manifest(name)
    choice = choice_of(state)
    unnamed = _NONE_YET if choice is None else choice.why
    why = unnamed if named in (None, CHOSEN) else _NAMED
    missing = {} if choice is None else choice.missing
    return PackInUse(
        pack=name,
        version=manifest.version,
        why=why,
        not_measured_for=manifest.measured.not_measured_for,
        attack_detection=installed_pad_packs(state),
        missing={one: why for one, why in missing.items() if not is_installed(one, state)},
        installed=is_installed(name, state),
    )


def installed_face_packs(state: Path) -> list[str]:
    """The face packs of which a folder is there, those for tests left out."""
    found = []
    for name in manifest_names():
        if is_installed(name, state):
            try:
                manifest = read_any_manifest(name)
            except ConfigError:
                continue
            if isinstance(manifest, Manifest) and not manifest.for_tests_only:
                found.append(name)
    return found


def installed_pad_packs(state: Path) -> tuple[str, ...]:
    """The attack detection packs of which a folder is there, by name."""
    return tuple(name for name in pad_pack_names() if is_installed(name, state))


def pad_troubles(state: Path) -> list[str]:
    """What is wrong with the attack detection that is installed, and what is missing beside it."""
    names = installed_pad_packs(state)
    said = []
    for name in names:
        try:
            load_pad_pack(name, state)
        except (ModelPackError, ConfigError) as error:
            why = str(error).replace("\nFix: ", ": ")
            said.append(
                f"the attack detection {name} cannot be used, and the gate does not start: {why}"
            )
    absent = [name for name in pad_pack_names() if name not in names]
    if names and absent:
        said.append(
            f"attack detection is {' and '.join(names)} without {' and '.join(absent)}, and none"
            f" suffices alone: gate-agent models install {absent[0]}"
        )
    return said


def writable(state: Path) -> None:
    """Passes if the state folder is there or can be made.

    Raises:
        UnavailableError: it cannot.
    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fix = "run as the user who owns the state directory"
        raise UnavailableError(f"{state}: {error.strerror}", fix) from error


def check_accepted(manifest: PackManifest, accepted: Collection[str]) -> None:
    """Passes if the gate may use the pack by its licence.

    Raises:
        UnavailableError: the licence is not free for commercial use, and the config does not name
            it.
    """
    licence = manifest.licence
    if not licence.free_for_commercial_use and licence.spdx not in accepted:
        raise UnavailableError(
            f"The model pack {manifest.name} is not free for commercial use: {licence.text}",
            f'accept its licence, if it allows what you do: accept_licences = ["{licence.spdx}"]'
            " under [face]",
        )
