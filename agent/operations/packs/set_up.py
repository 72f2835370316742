"""Installs the recommended pack or, where it cannot be had, one that can; and attack detection.

Trying is bounded: all sources that do not answer together cost no more than the patience given.
What was chosen stays: a later run only makes it whole again.
"""

from pathlib import Path

from agent.errors import ModelPackError, RefusedError, UnavailableError
from agent.operations.packs.choice import (
    ALWAYS_TO_BE_HAD,
    RECOMMENDED,
    Choice,
    PackInUse,
    choice_of,
    has_choice,
    in_use,
    installed_face_packs,
    writable,
    write_choice,
)
from agent.operations.packs.fetch import ProgressCallback
from agent.operations.packs.install import install
from agent.operations.packs.web import Patience
from agent.vision.packs.manifest import pad_pack_names


def set_up(
    state: Path,
    *,
    brought: Path | None = None,
    patience: Patience,
    progress: ProgressCallback | None = None,
    has_people: bool = False,
) -> PackInUse:
    """The pack that is in use from now on; ``has_people`` where a gallery is there already.

    ``brought`` is a folder of files, or of folders named as the packs; what it lacks is fetched.

    Raises:
        UnavailableError: no pack could be installed at all.
        ModelPackError: a file of the chosen pack is not the one its manifest declares.
    """
    writable(state)
    if brought is not None and not brought.is_dir():
        raise UnavailableError(f"{brought} is no folder", "name the folder where the files are")
    attempt = _Attempt(state, brought, progress)
    before = choice_of(state)
    if before is not None and (has_choice(state) or has_people):
        attempt.must(before.pack, None)
        chosen = before
    elif has_choice(state) or len(installed_face_packs(state)) > 1:
        raise ModelPackError(
            "several model packs are installed, and which one was chosen cannot be read",
            "gate-agent models choose NAME, one of: " + ", ".join(installed_face_packs(state)),
        )
    elif (reason := attempt.may(RECOMMENDED, patience)) is None:
        chosen = Choice(RECOMMENDED, "it is the recommended one")
    else:
        attempt.must(ALWAYS_TO_BE_HAD, None)
        chosen = Choice(ALWAYS_TO_BE_HAD, f"{RECOMMENDED} could not be had: {reason}")
    reasons = {name: attempt.may(name, patience) for name in pad_pack_names()}
    missing = {name: reason for name, reason in reasons.items() if reason is not None}
    made = Choice(chosen.pack, chosen.why, missing)
    if made != before or not has_choice(state):
        write_choice(state, made)
    return in_use(None, state)


class _Attempt:
    """Installs a pack from the folder brought along, else from its sources."""

    def __init__(
        self, state: Path, brought: Path | None, progress: ProgressCallback | None
    ) -> None:
        self._state = state
        self._brought = brought
        self._progress = progress

    def may(self, name: str, patience: Patience) -> str | None:
        """Why ``name`` could not be installed, in a line; None where it is."""
        try:
            self.must(name, patience)
        except (UnavailableError, RefusedError) as error:
            return _in_a_line(error)
        return None

    def must(self, name: str, patience: Patience | None) -> None:
        """Install ``name``; one that is whole stays as it is."""
        wrong: ModelPackError | None = None
        for folder in self._folders(name):
            try:
                install(name, self._state, folder, self._progress)
            except ModelPackError as error:
                wrong = wrong or error  # a file that is there and another: worth to be told
            except UnavailableError:
                continue  # it lies elsewhere
            else:
                return
        try:
            install(name, self._state, None, self._progress, patience=patience)
        except UnavailableError as error:
            raise wrong or error from error

    def _folders(self, name: str) -> list[Path]:
        if self._brought is None:
            return []
        own = self._brought / name
        return [own, self._brought] if own.is_dir() else [self._brought]


def _in_a_line(error: Exception) -> str:
    """What went wrong without its fix."""
    said, _, _ = str(error).partition("\nFix: ")
    return "; ".join(line.strip() for line in said.splitlines())
