"""Enrols holders again by another pack: templates of different packs are never compared.

Whoever has references of the new pack is left alone, so what was cut short goes on where it ended.
Everybody else who has references of another pack is made new ones of their photographs: those of a
folder, named by the holder's id (``r-1042.jpg``, or all files in ``r-1042/``), else those the kiosk
keeps. Without a good one they must come again. References of other packs stay, sealed and unused,
until the holder is enrolled again by that pack or removed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from agent.domain.credential.holder import Holder, HolderId
from agent.domain.sight.merging import Merging
from agent.errors import EnrolmentRefusedError, GateAgentError, ImageError, RefusedError
from agent.operations.people.photographs import face_of, read_photograph, same_person
from agent.operations.people.references import merged
from agent.ports import Reference
from agent.vision.face.engine import FaceEngine
from agent.vision.stills.cores import Lent, cores
from agent.vision.stills.images import decode_image

Store = Callable[[Holder, tuple[Reference, ...]], None]
Kept = Callable[[HolderId], Sequence[bytes]]
Photographs = Mapping[HolderId, Sequence[Path]]


@dataclass(frozen=True, slots=True)
class Standing:
    """Who has references of a pack already, and who has only others'."""

    have: tuple[HolderId, ...]
    lack: tuple[HolderId, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why somebody could not be enrolled again: one line, and its word."""

    holder: HolderId
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class ReEnrolment:
    """How it went; ``without`` had no photograph, ``strangers`` are names of files of nobody."""

    standing: Standing
    made: Mapping[HolderId, tuple[int, ...]] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()
    without: tuple[HolderId, ...] = ()
    strangers: tuple[str, ...] = ()

    @property
    def must_come(self) -> list[HolderId]:
        """Who is not known by the new pack, and has to be photographed again."""
        return sorted({*self.without, *(one.holder for one in self.failed)})

    def as_json(self, pack: str, pack_version: str) -> dict[str, Any]:
        """As ``gate-agent holders re-enrol --json`` prints it."""
        return {
            "pack": pack,
            "pack_version": pack_version,
            "had": list(self.standing.have),
            "re_enrolled": [
                {"holder": holder, "references": len(parts), "photographs": sum(parts)}
                for holder, parts in sorted(self.made.items())
            ],
            "failed": [
                {"holder": one.holder, "reason": one.reason, "error": one.error}
                for one in self.failed
            ],
            "must_come": list(self.must_come),
            "strangers": list(self.strangers),
        }


def standing(
    packs: Iterable[tuple[HolderId, str, str, int]], pack: str, pack_version: str
) -> Standing:
    """Who has references of this version of the pack, and who of others only."""
    have: set[HolderId] = set()
    everybody: set[HolderId] = set()
    for holder, one, version, _count in packs:
        everybody.add(holder)
        if (one, version) == (pack, pack_version):
            have.add(holder)
    return Standing(tuple(sorted(have)), tuple(sorted(everybody - have)))


def photographs_in(
    folder: Path, holders: Iterable[HolderId]
) -> tuple[dict[HolderId, list[Path]], tuple[str, ...]]:
    """The files of each holder in ``folder``, and the names that are nobody's.

    Raises:
        RefusedError: ``no_folder``.
    """
    known = set(holders)
    found: dict[HolderId, list[Path]] = {}
    strangers = []
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        message = f"{folder}: {error.strerror}\nFix: --photos DIR, a folder of files named by id"
        raise RefusedError("no_folder", message) from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        # An id may hold a dot itself, so the whole name comes before the one without its ending.
        owner = next((HolderId(n) for n in (entry.name, entry.stem) if n in known), None)
        if owner is None:
            strangers.append(entry.name)
        elif entry.is_dir():
            inside = sorted(one for one in entry.iterdir() if not one.name.startswith("."))
            found.setdefault(owner, []).extend(inside)
        else:
            found.setdefault(owner, []).append(entry)
    return found, tuple(strangers)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where photographs come from: files by holder, else what the kiosk keeps.

    ``strangers`` are names of files that are nobody's.
    """

    files: Photographs
    kept: Kept
    strangers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Making:
    """By what references are made; ``force`` takes a poor photograph too."""

    open_engine: Callable[[], FaceEngine]
    merging: Merging
    force: bool = False


def re_enrol(
    before: Standing,
    holders: Mapping[HolderId, Holder],
    sources: Sources,
    making: Making,
    store: Store,
    *,
    workers: int | None = None,
    advance: Callable[[int, int], None] = lambda _done, _total: None,
) -> ReEnrolment:
    """Make and store references of all who lack them; looks at photographs on all cores.

    ``store`` is called from this thread only, once a holder, in one transaction each.
    """
    todo: dict[HolderId, Sequence[Path | bytes]] = {}
    for owner in before.lack:
        if owner in holders and (found := sources.files.get(owner) or sources.kept(owner)):
            todo[owner] = found
    made: dict[HolderId, tuple[int, ...]] = {}
    failed = []

    def references(engine: FaceEngine, owner: HolderId) -> tuple[Reference, ...]:
        return _references(owner, todo[owner], engine, making)

    work = Lent(making.open_engine, references)

    for done, (owner, future) in enumerate(_spread(work, list(todo), workers), start=1):
        try:
            new = future.result()
            store(holders[owner], new)
            made[owner] = tuple(len(one.photographs) for one in new)
        except (RefusedError, ImageError) as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            failed.append(Failure(owner, error.reason, said))
        advance(done, len(todo))
    failed.sort(key=lambda one: one.holder)
    without = tuple(owner for owner in before.lack if owner not in todo)
    return ReEnrolment(before, made, tuple(failed), without, sources.strangers)


def _spread(
    work: Callable[[HolderId], tuple[Reference, ...]],
    owners: Sequence[HolderId],
    workers: int | None,
) -> Iterator[tuple[HolderId, Future[tuple[Reference, ...]]]]:
    """Each owner's work as it ends; what has not begun is let go where the caller stops."""
    if not owners:
        return
    count = min(workers or cores(), len(owners))
    with ThreadPoolExecutor(count, thread_name_prefix="enrols") as pool:
        futures = {pool.submit(partial(work, owner)): owner for owner in owners}
        try:
            for future in as_completed(futures):
                yield futures[future], future
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _references(
    owner: HolderId,
    source: Sequence[Path | bytes],
    engine: FaceEngine,
    making: Making,
) -> tuple[Reference, ...]:
    photographs = []
    for number, one in enumerate(source, start=1):
        if isinstance(one, Path):
            photographs.append(read_photograph(str(one), engine, force=making.force))
            continue
        called = f"kept photograph {number}"
        try:
            photographs.append(face_of(called, decode_image(one), engine, force=making.force))
        except EnrolmentRefusedError:
            raise
        except GateAgentError as error:
            raise ImageError("unreadable_image", f"{called}: {error}") from error
    same_person((), photographs, making.merging)
    templates = [one.template for one in photographs]
    return merged(owner, engine.manifest, templates, making.merging)
