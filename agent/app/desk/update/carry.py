"""An update of this machine, or of a folder that stands for one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.app.desk.update.service import NoService, SystemService
from agent.app.open.files.formats import FORMATS
from agent.domain.foreign.json_text import read_json
from agent.errors import UnavailableError
from agent.operations.about import RELEASE
from agent.operations.files import read_text
from agent.operations.releases.home import Home
from agent.operations.releases.judging import Doctor
from agent.operations.releases.package import Advance, state_of
from agent.operations.releases.update import Plan, Service, carry_out, planned

MACHINE = Path("/")


class Update:
    """What is under ``root``: its releases, its service, the state by which doctors look."""

    def __init__(self, root: Path, config: Path, state: Path) -> None:
        self.home = Home(root)
        self._service: Service = SystemService() if root == MACHINE else NoService()
        self._doctor = Doctor(config, state)

    def planned(self, file: Path) -> Plan:
        """See that ``file`` may be installed; nothing is changed.

        Raises:
            UnavailableError: something is missing, or there is not enough room.
            RefusedError: it is not signed, not for this machine, or keeps the state otherwise.
        """
        by_dpkg = not file.is_dir() and self._service.knows_packages()
        return planned(file, self.home, self._formats(), by_dpkg=by_dpkg)

    def carry_out(self, plan: Plan, advance: Advance) -> None:
        """Do it; the caller holds the home.

        Raises:
            UnavailableError: something is missing; the release before is current.
            RefusedError: ``worse``, ``rolled_back``.
        """
        with _told():
            carry_out(plan, self.home, self._service, self._doctor.judge, advance)

    def settle(self) -> str | None:
        """End an update that was cut short; the version to which it went back.

        Raises:
            UnavailableError: something cannot be written.
        """
        with _told():
            went_back = self.home.settle()
        if went_back is not None and self._service.runs():
            self._service.restart()
        return went_back

    def _formats(self) -> dict[str, int]:
        """Of the current release; one that says nothing is of the time of this program."""
        current = self.home.current()
        if current is not None:
            try:
                said = state_of(read_json(read_text(self.home.releases / current / RELEASE)))
            except (UnavailableError, ValueError):
                said = None
            if said is not None:
                return said
        return dict(FORMATS)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = f"{error.filename or 'the disk'}: {error.strerror or error}"
        raise UnavailableError(said, "free space, or see the disk") from error
