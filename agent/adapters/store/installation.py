"""The installation: who it is, how far each file of its state had come, and what is in fault.

    judge  --> fault latched, durable --> remains moved aside --> stores opened
    settle --> files stamped --> counters read --> files flushed --> counters remembered
    bring  --> fault latched, event to tell, durable --> file disowned
    accept --> file stamped, flushed --> fault gone, event to tell, durable

Whatever is killed in between is done again: a fault is durable before anything is made in the place
of what is missing, and a counter is remembered only once the file that it counts is durable.
Remembered late it only demands less. The file itself is replaced whole under a lock of the folder,
so commands and the agent may use it at the same time.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from agent.adapters.store import standing, verdicts
from agent.adapters.store.aside import put_aside
from agent.adapters.store.installation_file import InstallationFile
from agent.adapters.store.names import INSTALLATION
from agent.adapters.store.sqlite import BUSY_TIMEOUT_S
from agent.adapters.store.standing import Found, Presence
from agent.adapters.store.verdicts import Known
from agent.domain.credential.near import did_you_mean
from agent.domain.record.events import Event, EventType
from agent.errors import RefusedError, StoreError

_PAUSE_S = 0.01

_log = structlog.get_logger(__name__)
Tell = Callable[[EventType, Mapping[str, Any]], Event]


class Installation:
    """Implements ``ports.StateKeeper`` for the state folder; safe in any thread and process."""

    def __init__(
        self, folder: Path, files: Sequence[str], mirrors: Sequence[str], tell: Tell
    ) -> None:
        """``files`` are watched over; ``mirrors``, some of them, remember the others as well.

        ``tell`` makes the events of what is done here. Nothing is read or made yet.
        """
        self._folder = folder
        self._files = tuple(files)
        self._file = InstallationFile(folder, self._files)
        self._mirrors = tuple(mirrors)
        self._tell = tell

    def begin(self) -> None:
        """Make it known, where it is not yet: before the first file of it is made.

        Raises:
            StoreError: the folder cannot be written.
        """
        self.judge(())

    def look(self) -> dict[str, str]:
        """What is wrong, by file, changing nothing; a folder that nothing was made in is well.

        Raises:
            StoreError: this user may not know.
        """
        found = self._examine(self._files)
        known = self._known(found)
        judged = {name: verdicts.verdict(known, name, found[name]) for name in self._files}
        # The agent, and nobody else, sets such a file aside: it may be in use.
        broken = {
            name: verdicts.BROKEN
            for name in self._files
            if judged[name] is None and found[name].damaged
        }
        return {name: wrong for name, wrong in judged.items() if wrong is not None} | broken

    def counters(self) -> dict[str, tuple[Found, int | None]]:
        """Each file as it is, and how far it is remembered to have come."""
        found = self._examine(self._files)
        known = self._known(found)
        return {name: (found[name], known.files.get(name)) for name in self._files}

    @property
    def identity(self) -> str | None:
        """Whose the files shall be; None where nothing was made yet."""
        read = self._read()
        return read.identity if isinstance(read, Known) else None

    def past(self, name: str) -> tuple[str, int] | None:
        """The identity that the file shall carry, and how far it had come at least."""
        known = self._read()
        return (known.identity, known.files.get(name) or 0) if isinstance(known, Known) else None

    def judge(self, names: Iterable[str] | None = None) -> dict[str, str]:
        """The faults of these files (all), latched and durable; what is left of one is moved aside.

        To be called before a store opens the file: it may then be made anew.

        Raises:
            StoreError: the folder cannot be read or written.
        """
        wanted = self._files if names is None else tuple(names)
        with self._locked():
            found = self._examine(self._files)
            known = self._known(found)
            judged = {name: verdicts.verdict(known, name, found[name]) for name in wanted}
            wrong = {name: what for name, what in judged.items() if what is not None}
            changed = replace(known, faults={**known.faults, **wrong})
            if changed != self._read():
                self._write(changed, durable=True)
            for name in wrong:
                self._disown(name, found[name], known)
        return {name: what for name, what in changed.faults.items() if name in wanted}

    def condemn(self, name: str, wrong: str) -> str:
        """Its store cannot go on with the file: it is in fault, durably, and moved aside.

        For the file's owner only, the agent that starts: another process may be writing to it. The
        new name, or what else is said of it, is for people.

        Raises:
            StoreError: the folder cannot be read or written.
        """
        self.judge(())
        with self._locked():
            known = self._read()
            if isinstance(known, Known) and name not in known.faults:
                faults = {**known.faults, name: wrong}
                self._write(replace(known, faults=faults), durable=True)
            return put_aside(self._folder / name) or "nothing"

    def bring(self, doubted: Mapping[str, str], by: str) -> None:
        """The files were brought here from a backup, and those ``doubted`` are in fault by that.

        They stay where they are. An event to tell says so and who did it; fault and event are
        durable.

        Raises:
            StoreError: the folder cannot be read or written.
        """
        self.judge(())
        with self._locked():
            known = self._read()
            if isinstance(known, Known):
                found = self._examine(self._files)
                files = [name for name, one in found.items() if one.presence is Presence.THERE]
                data = {"files": files, "from": "a backup", "by": by}
                event = self._tell(EventType.STATE_ADOPTED, data)
                faults = {**doubted, **known.faults}
                changed = replace(known, faults=faults, untold=(*known.untold, event))
                self._write(changed, durable=True)
        self.judge(doubted)

    def settle(self, names: Iterable[str] | None = None) -> None:
        """Take files that were just made or adopted, and remember how far each has come by now.

        Costs a flush of each file that has gone on, and one of its own.

        Raises:
            StoreError: a file cannot be flushed, or what is remembered cannot be written.
        """
        with self._locked():
            known = self._read()
            if not isinstance(known, Known):
                return  # gone under a running agent: the next start says so
            failed: StoreError | None = None
            files = dict(known.files)
            for name in self._files if names is None else names:
                if name not in known.faults:
                    try:
                        files[name] = self._settled(known, name)
                    except StoreError as error:
                        failed = error  # the others are remembered all the same
            if files != known.files:
                changed = replace(known, files=files)
                self._write(changed)
                self._mirror(changed)
            if failed is not None:
                raise failed

    def accept(self, name: str, reason: str, by: str) -> None:
        """A person says that the file counts as it is from now on.

        Raises:
            RefusedError: ``unknown_file``, ``no_fault``, ``unreadable``.
            StoreError: something cannot be written.
        """
        if name not in self._files:
            known_files = ", ".join(self._files)
            near = did_you_mean(name, self._files)
            said = f"no such file{near}; there are: {known_files}\nFix: gate-agent state show"
            raise RefusedError("unknown_file", said)
        self.judge([name])
        with self._locked():
            known = self._read()
            if not isinstance(known, Known) or name not in known.faults:
                raise RefusedError("no_fault", f"{name} is in no fault\nFix: gate-agent state show")
            path, found = self._folder / name, standing.examine(self._folder / name)
            if found.presence is Presence.UNREADABLE:
                fix = f"put a copy of {path} back, or move it away"
                raise RefusedError("unreadable", f"{name} cannot be read\nFix: {fix}")
            for mirror in self._mirrors:
                # First: else it would demand again what is accepted as lost.
                beside = self._folder / mirror
                if standing.examine(beside).presence is Presence.THERE:
                    standing.forget_beside(beside, name)
            counter = None
            if found.presence is Presence.THERE:
                standing.stamp(path, known.identity)
                counter = standing.examine(path).counter
                standing.flush(path)
                standing.flush_name(path)
            data = {"file": name, "detail": known.faults[name], "reason": reason, "by": by}
            faults = {one: what for one, what in known.faults.items() if one != name}
            self._write(
                replace(
                    known,
                    files={**known.files, name: counter},
                    faults=faults,
                    untold=(*known.untold, self._tell(EventType.STATE_ACCEPTED, data)),
                ),
                durable=True,
            )

    def tell(self, append: Callable[[Event], object]) -> None:
        """Hand over the events that wait; one that was handed over before keeps its id.

        Raises:
            StoreError: the journal cannot be written; they wait on.
        """
        known = self._read()
        if not isinstance(known, Known) or not known.untold:
            return
        for event in known.untold:
            append(event)
        told = {event.id for event in known.untold}
        with self._locked():
            now = self._read()
            if isinstance(now, Known):
                left = tuple(event for event in now.untold if event.id not in told)
                self._write(replace(now, untold=left))

    def _examine(self, names: Iterable[str]) -> dict[str, Found]:
        return {name: standing.examine(self._folder / name) for name in names}

    def _known(self, found: Mapping[str, Found]) -> Known:
        """As it is remembered; else as a new one, or as far as other files remember it."""
        read = self._read()
        if isinstance(read, Known):
            # An older copy of what is remembered must not demand less than the files do.
            files = dict(read.files)
            sound = {
                name: one
                for name, one in found.items()
                if one.identity == read.identity and name not in read.faults
            }
            for name, counter in verdicts.mirrored(read.identity, sound, files).items():
                files[name] = max(files.get(name) or 0, counter)
            return replace(read, files=files)
        if read is None and verdicts.is_first(found):
            known = verdicts.first(found)
            adopted = [name for name, one in found.items() if one.presence is Presence.THERE]
            whence = "an earlier version"
        else:
            known = verdicts.recovered(found)
            adopted = [name for name in found if name not in known.faults]
            whence = "what the other files remember"
        if not adopted:
            return known
        event = self._tell(EventType.STATE_ADOPTED, {"files": adopted, "from": whence})
        return replace(known, untold=(event,))

    def _disown(self, name: str, found: Found, known: Known) -> None:
        """Once the fault is durable: no store trips over what is left, and no copy catches up."""
        path = self._folder / name
        if found.presence is Presence.THERE:
            if found.identity == known.identity:
                try:
                    standing.stamp(path, None)
                except StoreError as error:
                    # The fault stands without it, and whoever opens the file says what it is.
                    _log.warning("state_not_disowned", file=name, error=str(error))
        elif found.log:
            put_aside(path)

    def _settled(self, known: Known, name: str) -> int | None:
        path, before = self._folder / name, known.files.get(name)
        found = standing.examine(path)
        if found.presence is not Presence.THERE:
            return before
        if before is None and found.identity in (None, known.identity):
            standing.stamp(path, known.identity)
            standing.flush_name(path)
        elif before is None or found.identity != known.identity or found.counter <= before:
            return before
        standing.flush(path)
        return found.counter

    def _mirror(self, known: Known) -> None:
        remembered = {
            name: (known.identity, counter)
            for name, counter in known.files.items()
            if counter is not None and name not in known.faults
        }
        for name in self._mirrors:
            if known.files.get(name) is not None and name not in known.faults:
                try:
                    standing.keep_beside(self._folder / name, remembered)
                except StoreError as error:
                    _log.warning("standing_not_mirrored", file=name, error=str(error))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The folder to itself, for some milliseconds; a process that dies lets it go."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self._file.unwritten(error) from error
        ends_s = time.monotonic() + BUSY_TIMEOUT_S
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    if time.monotonic() >= ends_s:
                        fix = f"another process holds {self._folder}; try again"
                        raise StoreError(f"{INSTALLATION} is locked", fix) from error
                    time.sleep(_PAUSE_S)
                else:
                    break
            yield
        finally:
            os.close(descriptor)

    def _read(self) -> Known | str | None:
        return self._file.read()

    def _write(self, known: Known, *, durable: bool = False) -> None:
        self._file.write(known, durable=durable)
