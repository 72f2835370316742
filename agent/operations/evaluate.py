"""Measures a model pack on photographs: listed pairs, or every photograph with every other."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.domain.comparison import Metric
from agent.domain.error_rates import ErrorRates, error_rates, pair_scores, split
from agent.domain.image import Template
from agent.errors import ImageError, RefusedError

TemplateOf = Callable[[Path], Template | None]
"""The template of an image's one face, None where it failed to acquire.

Raises ``ImageError`` where the file is no image; that too is a failure to acquire.
"""
Progress = Callable[[str, int, int], None]

_COLUMNS = ("file_x", "file_y", "decision")
_DECISIONS = {"yes": True, "no": False}
_SUFFIXES = {
    *(".bmp", ".dib", ".jpg", ".jpeg", ".jpe", ".jp2", ".png", ".webp", ".avif", ".tif", ".tiff"),
    *(".pbm", ".pgm", ".ppm", ".pxm", ".pnm", ".sr", ".ras", ".exr", ".hdr", ".pic", ".gif"),
}
_BLOCK_PAIRS = 200_000


@dataclass(frozen=True, slots=True)
class Measured:
    """What an evaluation found."""

    pack: str
    images: int
    failed_to_acquire: tuple[str, ...]
    rates: ErrorRates
    acquisition: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys."""
        rates = self.rates
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
        }


@dataclass(frozen=True, slots=True)
class Method:
    """How templates are made and compared, and the limits that acquisition held to."""

    pack: str
    metric: Metric
    template_of: TemplateOf
    acquisition: Mapping[str, Any]


def evaluate_pairs(images: Path, listing: Path, method: Method, progress: Progress) -> Measured:
    """Compare the pairs that ``listing`` names (file_x, file_y, decision) in ``images``.

    Raises:
        RefusedError: the listing is missing, malformed, empty, or names a file that is not there.
    """
    pairs = read_pairs(listing)
    names = list(dict.fromkeys(name for one, other, _ in pairs for name in (one, other)))
    _require_files(images, listing, pairs)
    templates, failed = _templates([images / name for name in names], names, method, progress)
    at = {name: i for i, name in enumerate(names)}
    rows = np.array([(at[one], at[other]) for one, other, _ in pairs])
    scores = _scores(templates, rows, method.metric)
    genuine, impostor = split(scores, [same for *_, same in pairs])
    rates = error_rates(genuine, impostor)
    return Measured(method.pack, len(names), failed, rates, method.acquisition)


def evaluate_identities(folder: Path, method: Method, progress: Progress) -> Measured:
    """Compare every image below ``folder`` with every other; a folder is a person.

    Raises:
        RefusedError: there is no such folder, or it holds fewer than two images.
    """
    if not folder.is_dir():
        raise RefusedError("no_folder", f"{folder} is no folder")
    people = sorted(path for path in folder.iterdir() if path.is_dir())
    files = [
        (number, path)
        for number, person in enumerate(people)
        for path in sorted(person.rglob("*"))
        if path.is_file() and path.suffix.lower() in _SUFFIXES
    ]
    if len(files) < 2:
        raise RefusedError("no_images", f"{folder} holds no folders of images, one a person")
    names = [str(path.relative_to(folder)) for _, path in files]
    templates, failed = _templates([path for _, path in files], names, method, progress)
    rows = np.column_stack(np.triu_indices(len(files), k=1))
    owners = np.array([number for number, _ in files])
    scores = _scores(templates, rows, method.metric)
    same = owners[rows[:, 0]] == owners[rows[:, 1]]
    rates = error_rates(scores[same], scores[~same])
    return Measured(method.pack, len(names), failed, rates, method.acquisition)


def read_pairs(listing: Path) -> list[tuple[str, str, bool]]:
    """The pairs of a CSV with the columns file_x, file_y and decision (Yes or No, in any case).

    Raises:
        RefusedError: it cannot be read, lacks a column, or has a line that is no pair.
    """
    try:
        with listing.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            fields = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
            if missing := [name for name in _COLUMNS if name not in fields]:
                message = f"{listing} lacks the column {missing[0]}; it needs {', '.join(_COLUMNS)}"
                raise RefusedError("bad_csv", message)
            pairs = [_pair(row, fields, listing, reader.line_num) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RefusedError("bad_csv", f"{listing} cannot be read: {error}") from error
    if not pairs:
        raise RefusedError("bad_csv", f"{listing} names no pairs")
    return pairs


def _pair(
    row: Mapping[str, Any], fields: Mapping[str, str], listing: Path, line: int
) -> tuple[str, str, bool]:
    one, other, decision = (str(row[fields[name]] or "").strip() for name in _COLUMNS)
    if not one or not other or decision.lower() not in _DECISIONS:
        message = f"{listing}:{line}: needs two files and Yes or No"
        raise RefusedError("bad_csv", message)
    return one, other, _DECISIONS[decision.lower()]


def _require_files(images: Path, listing: Path, pairs: Sequence[tuple[str, str, bool]]) -> None:
    if not images.is_dir():
        raise RefusedError("no_folder", f"{images} is no folder")
    missing = sorted({name for pair in pairs for name in pair[:2] if not (images / name).is_file()})
    if missing:
        first = ", ".join(missing[:5])
        message = f"{listing} names {len(missing)} files that are not in {images}: {first}"
        raise RefusedError("missing_images", message)


def _templates(
    paths: Sequence[Path], names: Sequence[str], method: Method, progress: Progress
) -> tuple[list[Template | None], tuple[str, ...]]:
    templates: list[Template | None] = []
    for done, path in enumerate(paths):
        progress("images", done, len(paths))
        try:
            templates.append(method.template_of(path))
        except ImageError:
            templates.append(None)
    progress("images", len(paths), len(paths))
    missing = zip(names, templates, strict=True)
    return templates, tuple(name for name, template in missing if template is None)


def _scores(
    templates: Sequence[Template | None], rows: np.ndarray[Any, Any], metric: Metric
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A score for each pair of row numbers; -inf where one of them failed to acquire."""
    acquired = np.array([template is not None for template in templates])
    found = [template for template in templates if template is not None]
    scores = np.full(len(rows), -np.inf)
    if not found:
        return scores
    table = np.zeros((len(templates), len(found[0])), dtype=np.float32)
    table[acquired] = np.stack(found)
    for start in range(0, len(rows), _BLOCK_PAIRS):
        block = rows[start : start + _BLOCK_PAIRS]
        usable = acquired[block].all(axis=1)
        kept = block[usable]
        values = pair_scores(table[kept[:, 0]], table[kept[:, 1]], cosine=metric is Metric.COSINE)
        scores[start : start + _BLOCK_PAIRS][usable] = values
    return scores
