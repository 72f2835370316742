"""An update: from a signed package to a release that is confirmed, or back to the one before.

    verified   signature, machine, version, forms of the state, free space      nothing is changed
    laid out   the new release stands beside the current one                    the gate runs on
    judged     the doctor of the new one, beside the running agent              worse: it goes
    begun      ``pending`` names the release before                             a cut: back to it
    turned     by dpkg where it is its package, else here                       a cut: back to it
    restarted  the agent comes up, the doctor again                             worse: back, restart
    confirmed  ``pending`` goes; two releases stay

Only the program goes back, never the state: a release that keeps it in another form is refused.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agent.credentials.signed.release import SignedRelease
from agent.errors import RefusedError, UnavailableError
from agent.operations.releases.claims import verified
from agent.operations.releases.home import Home
from agent.operations.releases.judging import Judged, worse
from agent.operations.releases.package import Advance, Said, lay_out
from agent.operations.releases.versions import newer
from agent.operations.releases.wheelhouse import build, read_wheelhouse

_SPARE_BYTES = 64_000_000
_STEPS = 6


class Service(Protocol):
    """The agent that runs, and whoever installs packages."""

    def runs(self) -> bool:
        """Whether it is to run: then it is restarted, and must come up."""

    def restart(self) -> None:
        """Start it anew, by what is current."""

    def comes_up(self) -> bool:
        """Whether it answers within its time."""

    def knows_packages(self) -> bool:
        """Whether dpkg has installed the agent here."""

    def objects(self, file: Path) -> str | None:
        """Why dpkg would not install ``file``; None where it would."""

    def install(self, file: Path) -> None:
        """Have dpkg install it: its script turns ``current``.

        Raises:
            UnavailableError: it did not.
        """


@dataclass(frozen=True, slots=True)
class Plan:
    """What an update would do: ``older`` needs a person, ``same`` is nothing to do."""

    file: Path
    before: str
    signed: SignedRelease
    said: Said

    @property
    def same(self) -> bool:
        """It is what runs."""
        return self.said.version == self.before

    @property
    def older(self) -> bool:
        """It is older than what runs."""
        return newer(self.before, self.said.version)

    def by_dpkg(self, service: Service) -> bool:
        """Whether dpkg installs it: it is a package, and one of the agent is known to dpkg."""
        return not self.file.is_dir() and service.knows_packages()

    def as_json(self) -> dict[str, Any]:
        """What is told of it."""
        return {"from": self.before, "to": self.said.version, "older": self.older}


def planned(file: Path, home: Home, formats: Mapping[str, int], *, by_dpkg: bool) -> Plan:
    """Look at everything that can be known before anything is changed.

    ``formats`` are those in which the current release keeps its state.

    Raises:
        UnavailableError: something cannot be read, or there is not enough room.
        RefusedError: ``not_signed``, ``other_machine``, ``no_package``, ``other_state``.
    """
    before = home.current()
    if before is None:
        fix = "apt install ./gate-agent.deb (docs/install.md)"
        raise UnavailableError(f"no release stands in {home.folder}", fix)
    signed, said = verified(file, home.root)
    plan = Plan(file, before, signed, said)
    if not plan.same:
        _reads_the_state(said, formats)
        # dpkg keeps its own files of it until the next one.
        _has_room(home, said.size_bytes * (2 if by_dpkg else 1))
    return plan


def _reads_the_state(said: Said, formats: Mapping[str, int]) -> None:
    if said.state is None:
        raise RefusedError("other_state", f"{said.version} does not say in which form its state is")
    names = sorted({*formats, *said.state})
    other = [name for name in names if formats.get(name) != said.state.get(name)]
    if other:
        raise RefusedError(
            "other_state",
            f"{said.version} keeps {', '.join(other)} in another form: there would be no way back"
            "\nFix: take the releases between one after the other; or stop the gate, make a backup"
            " and install by hand (docs/update.md)",
        )


def _has_room(home: Home, needed: int) -> None:
    free = shutil.disk_usage(home.folder).free
    if free < needed + _SPARE_BYTES:
        said = f"{needed // 1_000_000} MB are needed in {home.folder}, {free // 1_000_000} are free"
        raise UnavailableError(said, "free space")


def carry_out(
    plan: Plan,
    home: Home,
    service: Service,
    judge: Callable[[Path], Judged],
    advance: Advance,
) -> None:
    """Make the plan's release the current one, confirmed; the caller holds the home.

    Raises:
        RefusedError: ``worse``, before anything was turned; ``rolled_back``, after.
        UnavailableError: something cannot be read or written; the release before is current.
    """
    version = plan.said.version
    advance("doctor", 0, _STEPS)
    was = judge(home.program(plan.before))
    _lay_out(plan, home, advance)
    home.place(version)
    advance("doctor of the new release", 2, _STEPS)
    _judged(was, judge, home.program(version), lambda: home.drop(version), "worse")
    if plan.by_dpkg(service) and (why := service.objects(plan.file)) is not None:
        home.drop(version)
        raise UnavailableError(f"dpkg would not install it: {why}", "see what it needs")
    advance("turn", 3, _STEPS)
    runs = service.runs()
    home.begin(plan.before)

    def back() -> None:
        home.turn(plan.before)
        if runs:
            service.restart()
        home.confirm()

    try:
        _turn(plan, home, service)
        advance("restart", 4, _STEPS)
        if runs:
            service.restart()
            if not service.comes_up():
                raise RefusedError("rolled_back", f"{version} does not come up")  # noqa: TRY301 - the way back is one
        advance("doctor", 5, _STEPS)
        _judged(was, judge, home.program(version), lambda: None, "rolled_back")
    except (RefusedError, UnavailableError) as error:
        back()
        if isinstance(error, RefusedError):
            said = f"{error}; {plan.before} is current again"
            raise RefusedError(error.reason, said) from error
        raise
    except BaseException:
        back()
        raise
    home.confirm()
    home.keep(version, plan.before)
    advance("", _STEPS, _STEPS)


def _lay_out(plan: Plan, home: Home, advance: Advance) -> None:
    if plan.file.is_dir():
        place = home.releases / plan.said.version
        build(read_wheelhouse(plan.file), home.unfinished, place, advance)
    else:
        lay_out(plan.file, home.unfinished, plan.said.size_bytes, advance)


def _turn(plan: Plan, home: Home, service: Service) -> None:
    if plan.by_dpkg(service):
        service.install(plan.file)
    # dpkg's script has turned it where that is the version of its package; where not, here.
    if home.current() != plan.said.version:
        home.turn(plan.said.version)


def _judged(
    was: Judged,
    judge: Callable[[Path], Judged],
    program: Path,
    undo: Callable[[], None],
    reason: str,
) -> None:
    """Twice where it is worse: what fails once may be a broker that was away for a moment."""
    wrong = worse(was, judge(program)) and worse(was, judge(program))
    if wrong:
        undo()
        raise RefusedError(reason, f"{program.parents[1].name} is worse: {'; '.join(wrong)}")
