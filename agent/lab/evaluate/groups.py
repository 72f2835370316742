"""Error rates by group: does one threshold treat those whom it judges alike?

A group is what a column of labels says: sex, age, a camera, anything. Within a group both persons
of an impostor pair belong to it, for strangers of one group are the ones taken for each other. The
rates are at the threshold of *all* pairs, as at a gate that has one (ISO/IEC 19795-10).

A group's FNMR stands beside its own FMR or not at all: where its own pairs do not carry the rate
nobody knows what its strangers pay for that FNMR, and both are null, whatever all pairs carry. How
many of its persons were refused is told all the same: that is a count of persons, with their bound.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agent.domain.sight.error_rates import FMRS, carries, fnmr_at, threshold_at
from agent.domain.sight.gallery_safety import upper_bound
from agent.domain.sight.resampling import fnmr_bound
from agent.errors import RefusedError
from agent.lab.evaluate.csv_rows import csv_rows
from agent.lab.evaluate.faces import Measured

PERSON_COLUMN = "person"
_NO_LABEL = "(none)"


def read_labels(file: Path, column: str) -> dict[str, str]:
    """The label of each person in a CSV with the columns ``person`` and ``column``.

    ``person`` is the folder's name in a set of identities.

    Raises:
        RefusedError: it is no CSV in UTF-8, or lacks a column.
        UnavailableError: it cannot be read.
    """
    with csv_rows(file) as reader:
        fields = [name.strip() for name in reader.fieldnames or ()]
        if missing := [name for name in (PERSON_COLUMN, column) if name not in fields]:
            known = ", ".join(fields) or "none"
            message = f"{file} lacks the column {missing[0]!r}; it has: {known}"
            raise RefusedError("bad_csv", message)
        rows = [{(key or "").strip(): value for key, value in row.items()} for row in reader]
    return {
        str(row[PERSON_COLUMN] or "").strip(): str(row[column] or "").strip() or _NO_LABEL
        for row in rows
    }


def by_group(measured: Measured, labels: Mapping[str, str], column: str) -> dict[str, Any]:
    """The table of ``column`` as JSON values; persons without a label are a group of their own.

    Raises:
        RefusedError: no person of the set has a label: the names do not fit.
    """
    assert measured.images_of is not None
    assert measured.persons is not None
    images, persons = measured.images_of, measured.persons
    folder = {
        int(number): name.replace("\\", "/").split("/")[0]
        for number, name in zip(images.persons, images.names, strict=True)
    }
    if not set(folder.values()) & labels.keys():
        raise RefusedError(
            "labels", f"no {PERSON_COLUMN} of the labels is a folder here, such as {folder[0]!r}"
        )
    of = np.array([labels.get(folder[number], _NO_LABEL) for number in range(len(folder))])
    groups = {}
    for label in sorted(set(of)):
        members = of == label
        genuine = measured.genuine[members[persons.genuine]]
        impostor = measured.impostor[members[persons.impostor].all(axis=1)]
        owners = persons.genuine[members[persons.genuine]]
        failed = ~np.isfinite(images.templates).all(axis=1)
        groups[str(label)] = {
            "persons": int(members.sum()),
            "images": int(members[images.persons].sum()),
            "failed_to_acquire": int((failed & members[images.persons]).sum()),
            "genuine": len(genuine),
            "impostor": len(impostor),
            "rates": {
                name: _rates(measured, genuine, impostor, owners, fmr) for name, fmr in FMRS.items()
            },
        }
    return {"column": column, "groups": groups}


def _rates(
    measured: Measured, genuine: Any, impostor: Any, owners: Any, fmr: float
) -> dict[str, Any] | None:
    """At the threshold of all pairs; None where not even they carry it."""
    if not carries(len(measured.impostor), fmr):
        return None
    threshold = threshold_at(measured.impostor, fmr)
    if threshold is None:
        return None
    carried = carries(len(impostor), fmr)
    refused = len(np.unique(owners[genuine < threshold]))
    persons = len(np.unique(owners))
    return {
        "threshold": threshold,
        "fmr": float((impostor >= threshold).mean()) if carried else None,
        "fnmr": fnmr_at(genuine, threshold) if carried else None,
        "fnmr_upper": fnmr_bound(genuine, owners, threshold) if carried else None,
        "persons_refused": refused,
        "persons_refused_upper": upper_bound(refused, persons) if persons else None,
        "own_threshold": threshold_at(impostor, fmr) if carried else None,
    }
