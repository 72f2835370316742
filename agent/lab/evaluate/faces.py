"""Measures a model pack on photographs: listed pairs, or every photograph with every other."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from agent.credentials.passes.quantised import dequantise, quantise
from agent.domain.sight.comparison import Metric, Templates, row_scores
from agent.domain.sight.error_rates import FMRS, Scores, error_rates, pairs_needed
from agent.domain.sight.image import Template
from agent.domain.sight.resampling import (
    CONFIDENCE,
    Intervals,
    PairPersons,
    Persons,
    intervals,
)
from agent.errors import ImageError, RefusedError, UnavailableError
from agent.lab.evaluate.pair_listing import persons_of, read_pairs, require_files
from agent.vision.stills.cores import each_in_order

TemplateOf = Callable[[Path], Template | tuple[Template, Template] | None]
"""The template of an image's one face, None where it failed to acquire.

Where a pack makes probes and references in two ways it is both, in this order: of each pair the
first named, or the later one of two images of a folder, is the probe.
Raises ``ImageError`` where the file is no image; that too is a failure to acquire.
"""
Progress = Callable[[str, int, int], None]

_SUFFIXES = {
    *(".bmp", ".dib", ".jpg", ".jpeg", ".jpe", ".jp2", ".png", ".webp", ".heic", ".heif"),
    *(".tif", ".tiff"),
    *(".pbm", ".pgm", ".ppm", ".pxm", ".pnm", ".pfm", ".sr", ".ras", ".hdr", ".pic", ".gif"),
}
_BLOCK_PAIRS = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """The images that were compared: a template a row, NaN where it failed to acquire.

    ``persons`` numbers whose image each is, ``names`` are their paths; ``references`` are the
    templates that enrolment would make of them, None where those are the same.
    """

    names: tuple[str, ...] = field(repr=False)
    persons: Persons = field(repr=False)
    templates: Templates = field(repr=False)
    references: Templates | None = field(default=None, repr=False)

    @property
    def enrolled(self) -> Templates:
        """A template a row, as enrolment would make it."""
        return self.templates if self.references is None else self.references


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What an evaluation found: a score for each pair, -inf where an image failed to acquire.

    ``persons`` says whose the pairs are, None where nobody knows; then no interval is told.
    """

    pack: str
    metric: Metric
    images: int
    failed_to_acquire: tuple[str, ...]
    genuine: Scores = field(repr=False)
    impostor: Scores = field(repr=False)
    acquisition: Mapping[str, Any]
    reference_bits: int | None = None
    persons: PairPersons | None = None
    images_of: FaceSet | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys; null where there are no pairs to say, or too few."""
        rates = error_rates(self.genuine, self.impostor)
        found = self.intervals()
        return {
            "pack": self.pack,
            "images": self.images,
            "failed_to_acquire": list(self.failed_to_acquire),
            "genuine": rates.genuine,
            "impostor": rates.impostor,
            "auc": rates.auc,
            "accuracy": rates.accuracy,
            "accuracy_threshold": rates.accuracy_threshold,
            "fnmr": dict(rates.fnmr),
            "threshold": dict(rates.threshold),
            "acquisition": dict(self.acquisition),
            "reference_bits": self.reference_bits,
            "persons": self.persons and self.persons.count,
            "impostor_needed": {name: pairs_needed(fmr) for name, fmr in FMRS.items()},
            "confidence": CONFIDENCE,
            "fnmr_interval": found and dict(found.fnmr),
            "fnmr_upper": found and _upper(rates.fnmr, found.fnmr),
            "threshold_interval": found and dict(found.threshold),
        }

    def intervals(self) -> Intervals | None:
        """How far the figures may be off, by persons."""
        if self.persons is None:
            return None
        return intervals(self.genuine, self.impostor, self.persons)


def _upper(
    fnmr: Mapping[str, float | None], spans: Mapping[str, tuple[float, float] | None]
) -> dict[str, float | None]:
    """By FMR the 95 % bound by persons: the upper end of a 90 % interval, never below the rate."""
    told: dict[str, float | None] = {}
    for name, rate in fnmr.items():
        span = spans.get(name)
        told[name] = None if rate is None or span is None else max(rate, span[1])
    return told


@dataclass(frozen=True, slots=True)
class Method:
    """How templates are made and compared, and the limits that acquisition held to."""

    pack: str
    metric: Metric
    template_of: TemplateOf
    acquisition: Mapping[str, Any]
    reference_bits: int | None = None
    """A pair's one template in so few bits a component, as on a gate pass; None leaves it whole."""
    least_impostor_pairs: int = 0
    """Fewer are refused before the long work, where a report that needs so many is asked for."""
    workers: int = 1
    """Threads that ``template_of`` is called by."""


def evaluate_pairs(images: Path, listing: Path, method: Method, progress: Progress) -> Measured:
    """Compare the pairs that ``listing`` names (file_x, file_y, decision) in ``images``.

    Raises:
        RefusedError: the listing is malformed, empty, names a file that is not there, or has too
            few pairs.
        UnavailableError: the listing or the folder cannot be read.
    """
    pairs = read_pairs(listing)
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.one, pair.other)))
    require_files(images, listing, pairs)
    same = np.array([pair.same for pair in pairs])
    _require_pairs(int((~same).sum()), method)
    table, references, failed = _templates(
        [images / name for name in names], names, method, progress
    )
    at = {name: i for i, name in enumerate(names)}
    ones = np.array([at[pair.one] for pair in pairs])
    others = np.array([at[pair.other] for pair in pairs])
    references = _as_references(references, method.reference_bits)
    parts = range(0, len(pairs), _BLOCK_PAIRS)
    blocks = [slice(part, part + _BLOCK_PAIRS) for part in parts]
    scores = np.concatenate(
        [_scores(table[ones[block]], references[others[block]], method.metric) for block in blocks]
    )
    of = persons_of(pairs)
    owners = np.array([of[name] for name in names])
    persons = PairPersons(owners[ones[same]], np.stack((owners[ones], owners[others]), 1)[~same])
    images_of = FaceSet(tuple(names), owners, table, references)
    return _measured(method, images_of, failed, scores, same, persons)


def evaluate_identities(folder: Path, method: Method, progress: Progress) -> Measured:
    """Compare every image below ``folder`` with every other; a folder is a person.

    An image is what has an image's suffix or what OpenCV knows by its first bytes; what is hidden
    is left out.

    Raises:
        RefusedError: it holds fewer than two images, too few pairs, or one folder twice.
        UnavailableError: there is no such folder, or it cannot be read.
    """
    if not folder.is_dir():
        raise UnavailableError(f"{folder} is no folder")
    try:
        people = folders_in(folder)
        files = [
            (number, path) for number, person in enumerate(people) for path in images_below(person)
        ]
    except OSError as error:
        raise UnavailableError(f"{folder} cannot be read: {error.strerror}") from error
    if len(files) < 2:
        raise RefusedError("no_images", f"{folder} holds no folders of images, one a person")
    owners = np.array([number for number, _ in files])
    people_images = np.bincount(owners)
    _require_pairs((len(files) ** 2 - int((people_images**2).sum())) // 2, method)
    names = [str(path.relative_to(folder)) for _, path in files]
    table, references, failed = _templates([path for _, path in files], names, method, progress)
    references = _as_references(references, method.reference_bits)
    scores = np.full(len(files) * (len(files) - 1) // 2, -np.inf)
    start = 0
    for row in range(len(files) - 1):
        pairs = slice(start, start + len(files) - 1 - row)
        scores[pairs] = _scores(table[row + 1 :], references[row], method.metric)
        start = pairs.stop
    one, other = (owners[rows] for rows in np.triu_indices(len(files), 1))
    same = one == other
    persons = PairPersons(one[same], np.stack((one, other), 1)[~same])
    images_of = FaceSet(tuple(names), owners, table, references)
    return _measured(method, images_of, failed, scores, same, persons)


def _require_pairs(impostor: int, method: Method) -> None:
    if impostor < method.least_impostor_pairs:
        message = f"{impostor} impostor pairs make no curve: it takes {method.least_impostor_pairs}"
        raise RefusedError("too_few_pairs", message)


def folders_in(folder: Path) -> list[Path]:
    """Its folders, in order; a link counts as the folder that it leads to.

    Raises:
        RefusedError: one holds what another holds too: it would be counted twice, as two people.
        OSError: it cannot be read.
    """
    found = sorted(path for path in folder.iterdir() if path.is_dir())
    places: dict[Path, Path] = {}
    for path in found:
        if (other := places.setdefault(path.resolve(), path)) is not path:
            raise _counted_twice(path, other)
    # What lies in the folder itself has all of that above it that a link may lead to.
    for place, other in (*places.items(), (folder.resolve() / "any", folder)):
        for above in place.parents:
            if above in places:
                raise _counted_twice(places[above], other)
    return found


def _counted_twice(one: Path, other: Path) -> RefusedError:
    message = f"{one} leads to what {other} holds too, which would be counted twice"
    return RefusedError("counted_twice", f"{message}\nFix: remove the link")


def images_below(person: Path) -> Iterator[Path]:
    """Its images, nested ones too, in order; what is hidden is left out."""
    if person.name.startswith("."):
        return
    for path in sorted(person.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(person).parts)
        if not hidden and path.is_file() and _is_image(path):
            yield path


def _is_image(path: Path) -> bool:
    if path.suffix.lower() in _SUFFIXES:
        return True
    return os.access(path, os.R_OK) and bool(cv2.haveImageReader(str(path)))


def _templates(
    paths: Sequence[Path], names: Sequence[str], method: Method, progress: Progress
) -> tuple[Templates, Templates, tuple[str, ...]]:
    """A probe and a reference a row, NaN where an image failed to acquire; the names of those."""

    def of(path: Path) -> tuple[Template, Template] | None:
        try:
            found = method.template_of(path)
        except ImageError:
            return None
        sides = found if found is None or isinstance(found, tuple) else (found, found)
        # A template with a hole is none.
        return sides if sides is not None and np.isfinite(sides).all() else None

    progress("images", 0, len(paths))
    sides = []
    for done, found in enumerate(each_in_order(of, paths, method.workers)):
        sides.append(found)
        progress("images", done + 1, len(paths))
    components = next((len(found[0]) for found in sides if found is not None), 1)
    table = np.full((2, len(paths), components), np.nan, dtype=np.float32)
    for row, found in enumerate(sides):
        if found is not None:
            table[:, row] = found
    missing = zip(names, sides, strict=True)
    return table[0], table[1], tuple(name for name, found in missing if found is None)


def _as_references(table: Templates, bits: int | None) -> Templates:
    """The templates as a pass would carry them."""
    if bits is None:
        return table
    return np.stack(
        [
            dequantise(quantise(row, bits), bits, len(row)) if np.isfinite(row).all() else row
            for row in table
        ]
    )


def _scores(rows: Templates, others: Templates | Template, metric: Metric) -> Scores:
    """A score for each pair; -inf where one of the two failed to acquire."""
    acquired = np.isfinite(rows[:, 0]) & np.isfinite(others[..., 0])
    return np.where(acquired, row_scores(rows, others, metric), -np.inf)


def _measured(
    method: Method,
    images_of: FaceSet,
    failed: tuple[str, ...],
    scores: Scores,
    same: npt.NDArray[np.bool_],
    persons: PairPersons,
) -> Measured:
    return Measured(
        pack=method.pack,
        metric=method.metric,
        images=len(images_of.names),
        failed_to_acquire=failed,
        genuine=scores[same],
        impostor=scores[~same],
        acquisition=method.acquisition,
        reference_bits=method.reference_bits,
        persons=persons,
        images_of=images_of,
    )
