"""Where releases stand, which one is current, and what is under way; each step whole or not at all.

    HOME/releases/VERSION   whole, and never changed
    HOME/current            a link to one of them: what runs, turned in one step
    HOME/pending            an update was begun and not yet confirmed: boot, process, release before

    no pending                             current is what a person or an update has confirmed
    pending of this boot, process alive    an update is under way
    pending of any other                   it was cut short: current goes back to the release before

``settle`` of the package (scripts/debian/files/settle) goes by the same at each start of the
service, in a shell, because the release that is current then may be one that does not start.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.errors import RefusedError, UnavailableError
from agent.lifecycle import boot_id
from agent.operations.files import sync_folder, write_whole
from agent.operations.releases.versions import is_version

HOME = Path("opt", "gate-agent")
PROGRAM = Path("bin", "gate-agent")
_HALF = (".new", ".old", ".gone-")
_DRAFTS = (".current", ".pending.")


@dataclass(frozen=True, slots=True)
class Home:
    """The home of all releases below ``root``, the file system's root but in tests."""

    root: Path

    @property
    def folder(self) -> Path:
        """Where they stand."""
        return self.root / HOME

    @property
    def releases(self) -> Path:
        """A folder a release."""
        return self.folder / "releases"

    @property
    def unfinished(self) -> Path:
        """Where the next one is laid out."""
        return self.releases / ".new"

    def program(self, version: str) -> Path:
        """What is run of a release."""
        return self.releases / version / PROGRAM

    def has(self, version: str) -> bool:
        """Whether it stands here."""
        return is_version(version) and self.program(version).is_file()

    def current(self) -> str | None:
        """The version that runs; None where there is none."""
        try:
            link = (self.folder / "current").readlink()
        except OSError:
            return None
        return link.name if len(link.parts) == 2 and self.has(link.name) else None

    @contextmanager
    def held(self) -> Iterator[None]:
        """No other update meanwhile.

        Raises:
            RefusedError: ``update_runs``; another one is under way.
            UnavailableError: this user may not write here, or no release stands here.
        """
        try:
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            fix = "install the package first: apt install ./gate-agent.deb (docs/install.md)"
            raise UnavailableError(f"{self.folder}: {error.strerror}", fix) from error
        try:
            if not os.access(self.folder, os.W_OK):
                fix = "sudo gate-agent update ..."
                raise UnavailableError(f"{self.folder} is not for this user to change", fix)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RefusedError("update_runs", "another update is under way") from error
            yield
        finally:
            os.close(descriptor)

    def turn(self, version: str) -> None:
        """Make ``version`` the current one; whatever happens, ``current`` names a whole release."""
        link = self.folder / ".current"
        link.unlink(missing_ok=True)
        link.symlink_to(Path("releases", version))
        link.replace(self.folder / "current")
        sync_folder(self.folder)

    def begin(self, before: str) -> None:
        """From now on the current release is not confirmed: else ``before`` becomes it again."""
        said = f"{boot_id()}\n{os.getpid()}\n{before}\n"
        write_whole(said.encode(), self.folder / "pending")
        sync_folder(self.folder)

    def confirm(self) -> None:
        """The current release is the right one."""
        (self.folder / "pending").unlink(missing_ok=True)
        sync_folder(self.folder)

    def settle(self) -> str | None:
        """End what was cut short; the version to which it went back, None where nothing was.

        Only for whoever holds the home: then the process that began it is gone.
        """
        self._tidy()
        try:
            _boot, _process, before = (self.folder / "pending").read_text("ascii").splitlines()
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            before = ""  # it is written whole: somebody else made this one
        went_back = None
        if self.has(before) and self.current() != before:
            self.turn(before)
            went_back = before
        self.confirm()
        return went_back

    def place(self, version: str) -> None:
        """What was laid out becomes a release, whole and on the disk."""
        os.sync()
        place = self.releases / version
        self.drop(version)
        self.unfinished.rename(place)
        sync_folder(self.releases)

    def drop(self, version: str) -> None:
        """Remove a release that is not current."""
        place = self.releases / version
        if place.is_dir():
            gone = self.releases / f".gone-{version}"
            shutil.rmtree(gone, ignore_errors=True)
            place.rename(gone)  # at once: half a release must not have its name
            shutil.rmtree(gone)

    def _tidy(self) -> None:
        """Remove what a cut left half done."""
        for one in self.releases.iterdir() if self.releases.is_dir() else ():
            if one.name.startswith(_HALF):
                shutil.rmtree(one)
        for one in self.folder.iterdir():
            if one.name.startswith(_DRAFTS):
                one.unlink()

    def keep(self, *versions: str) -> None:
        """Remove every release but these."""
        for one in sorted(self.releases.iterdir()):
            if one.is_dir() and one.name not in versions:
                self.drop(one.name)
