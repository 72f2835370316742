"""What an evaluation found as tables for a sheet: a row of plain values under stable names.

Nothing is told here that the JSON values do not say; lists and objects within them become columns.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from agent.lab.evaluate.pad import BONA_FIDE

Row = dict[str, Any]
Tables = dict[str, list[Row]]
"""Rows by the table's name; those of one table have the same keys."""
_OF_A_PACK = (
    *("pack", "licence", "free_for_commercial_use", "ms_per_image", "images", "persons"),
    *("genuine", "impostor", "auc", "accuracy", "accuracy_threshold"),
)
_OF_A_GROUP = ("persons", "images", "failed_to_acquire", "genuine", "impostor")


def tables_of_faces(found: Mapping[str, Any]) -> Tables:
    """``packs``, ``rates``, and as far as they were asked for ``open_set`` and ``groups``."""
    packs = found.get("packs", [found])
    tables = {
        "packs": [
            {name: one[name] for name in _OF_A_PACK}
            | {"failed_to_acquire": len(one["failed_to_acquire"])}
            for one in packs
        ],
        "rates": list(_each(packs, _rates)),
        "open_set": list(_each(packs, _galleries)),
        "groups": list(_each(packs, _groups)),
    }
    return {name: rows for name, rows in tables.items() if rows}


def tables_of_operating_point(found: Mapping[str, Any]) -> Tables:
    """``operating_point``, a row, and ``curve``."""
    held = {f"held_out_{name}": value for name, value in (found["held_out"] or {}).items()}
    alone = {
        name: len(value) if name == "failed_to_acquire" else value
        for name, value in found.items()
        if name not in ("curve", "held_out")
    }
    return {"operating_point": [alone | held], "curve": [dict(one) for one in found["curve"]]}


def tables_of_pad(found: Mapping[str, Any]) -> Tables:
    """``pad``: a row a kind; of living faces the error is BPCER, of attacks APCER."""
    failed = [name.partition("/")[0] for name in found["failed_to_acquire"]]
    living = {"bpcer": found["bpcer"], "bpcer_upper": found["bpcer_upper"]}
    rows = [{"kind": BONA_FIDE, "pictures": found["bona_fide"], **living}]
    for kind, pictures in found["attacks"].items():
        attack = {"apcer": found["apcer"][kind], "apcer_upper": found["apcer_upper"][kind]}
        rows.append({"kind": kind, "pictures": pictures, **attack})
    keys = ("kind", "pictures", "bpcer", "bpcer_upper", "apcer", "apcer_upper")
    return {
        "pad": [
            {name: row.get(name) for name in keys}
            | {"failed_to_acquire": failed.count(row["kind"])}
            for row in rows
        ]
    }


def tables_of_playback(found: Mapping[str, Any]) -> Tables:
    """``playback``: a row for each that looks and each kind that it was shown."""
    return {
        "playback": [
            {
                "by": name,
                "threshold": rates["threshold"],
                "kind": kind,
                "presentations": count,
                "failed_to_acquire": found["failed_to_acquire"][kind],
                # Of all living faces there is one rate.
                "bpcer": None if kind in rates["apcer"] else rates["bpcer"],
                "apcer": rates["apcer"].get(kind),
                "cannot_tell": rates["cannot_tell"][kind],
            }
            for name, rates in found["by"].items()
            for kind, count in found["presentations"].items()
        ]
    }


def tables_of_thermal(found: Mapping[str, Any]) -> Tables:
    """``thermal``: a row a sensor and day."""
    return {
        "thermal": [
            {"sensor": sensor, "day": day, "bpcer": rates["bpcer"], "apcer": rates["apcer"]}
            | {f"apcer_{kind}": share for kind, share in rates["apcer_by_attack"].items()}
            | {f"cannot_tell_{kind}": share for kind, share in rates["cannot_tell"].items()}
            for sensor, days in found["sensors"].items()
            for day, rates in days.items()
        ]
    }


def _each(
    packs: Sequence[Mapping[str, Any]], rows: Callable[[Mapping[str, Any]], Iterator[Row]]
) -> Iterator[Row]:
    for one in packs:
        for row in rows(one):
            yield {"pack": one["pack"], **row}


def _rates(one: Mapping[str, Any]) -> Iterator[Row]:
    for fmr, needed in one["impostor_needed"].items():
        yield {
            "fmr": fmr,
            "fnmr": one["fnmr"][fmr],
            "fnmr_upper": (one["fnmr_upper"] or {}).get(fmr),
            **_ends("fnmr", (one["fnmr_interval"] or {}).get(fmr)),
            "threshold": one["threshold"][fmr],
            **_ends("threshold", (one["threshold_interval"] or {}).get(fmr)),
            "impostor": one["impostor"],
            "impostor_needed": needed,
        }


def _galleries(one: Mapping[str, Any]) -> Iterator[Row]:
    for row in one.get("open_set", ()):
        plain = {name: value for name, value in row.items() if not name.endswith("_interval")}
        yield plain | _ends("fpir", row["fpir_interval"]) | _ends("fnir", row["fnir_interval"])


def _groups(one: Mapping[str, Any]) -> Iterator[Row]:
    if "by" not in one:
        return
    by = one["by"]
    for label, group in by["groups"].items():
        for fmr, needed in one["impostor_needed"].items():
            rates = group["rates"][fmr] or {}
            yield {
                "column": by["column"],
                "group": label,
                **{name: group[name] for name in _OF_A_GROUP},
                "at_fmr": fmr,
                "impostor_needed": needed,
                **{name: rates.get(name) for name in _OF_A_RATE},
            }


_OF_A_RATE = (
    *("threshold", "fmr", "fnmr", "fnmr_upper"),
    *("persons_refused", "persons_refused_upper", "own_threshold"),
)


def _ends(name: str, span: Sequence[float] | None) -> Row:
    low, high = (None, None) if span is None else span
    return {f"{name}_low": low, f"{name}_high": high}
