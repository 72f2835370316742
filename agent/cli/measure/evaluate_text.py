"""What an evaluation says to people: its figures, each beside how far it may be off."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.cli.common import say
from agent.cli.terminal.table import record, table


def show(found: Mapping[str, Any]) -> None:
    """One pack's evaluation, or several side by side."""
    if "packs" in found:
        _side_by_side(found["packs"])
        return
    shown = ("pack", "licence", "ms_per_image", "images", "persons", "genuine", "impostor")
    record(
        {
            **{name.replace("_", " "): found[name] for name in shown},
            "failed to acquire": len(found["failed_to_acquire"]),
            "area under curve": _rounded(found["auc"]),
            "accuracy": f"{_rounded(found['accuracy'])} at {_rounded(found['accuracy_threshold'])}",
        }
    )
    say()
    table(
        ("FMR", "FNMR", "at most (95 %)", "90 % interval", "threshold", "90 % interval"),
        [_at(found, fmr) for fmr in found["fnmr"]],
    )
    _missing(found)
    if found.get("open_set"):
        say()
        say("a stranger named (FPIR), a resident not (FNIR), at the gate's own threshold:")
        table(
            ("gallery", "threshold", "FPIR", "90 % interval", "FNIR", "90 % interval", "misnamed"),
            [_of_gallery(row) for row in found["open_set"]],
        )
    if "by" in found:
        _groups(found["by"])


def show_operating_point(
    found: Mapping[str, Any], lines: Sequence[str], written: str | None
) -> None:
    """The operating point of a site: what the people ask for beside what held without them."""
    held = found["held_out"]
    record(
        {
            "pack": f"{found['pack']} {found['version']}",
            "persons": found["persons"],
            "photographs": found["photographs"],
            "failed to acquire": len(found["failed_to_acquire"]),
            "impostor pairs": found["impostor_pairs"],
            "look-alikes left out": found["look_alike_pairs"],
            "fit": found["fit"],
            "threshold": f"{_rounded(found['threshold'])} at FMR {found['fmr']:.2g}"
            f"{', beyond what the pairs show' if found['extrapolated'] else ''}",
            "the pack's own": _rounded(found["pack_asks_for"]),
            "without it": _rounded(found["without_it"]),
        }
    )
    if held is not None:
        say(
            f"held out: {held['photographs']} photographs, FNMR {_rounded(held['fnmr'])};"
            f" {held['persons_refused']} of {held['persons']} persons refused at least once"
            f" (at most {held['persons_refused_upper']:.0%});"
            f" {held['accepted']} of {held['impostor']} comparisons with others accepted"
        )
    if found["look_alike_pairs"]:
        say("look-alikes: is one person in two folders?")
    say()
    for line in lines:
        say(line)
    say()
    say("nothing written" if written is None else f"written into {written}; restart the agent")


def show_pad(found: Mapping[str, Any]) -> None:
    """An evaluation of attack detection."""
    from agent.lab.evaluate.pad import table_rows

    record(
        {
            "packs": ", ".join(found["packs"]),
            "faces found by": found["face_pack"],
            "threshold": found["threshold"],
            "auc": _rounded(found["auc"]),
            "failed to acquire": len(found["failed_to_acquire"]),
        }
    )
    table(("kind", "pictures", "taken wrongly", "at most (95 %)"), table_rows(found))


def _at(found: Mapping[str, Any], fmr: str) -> Sequence[object]:
    spans = [(found[f"{name}_interval"] or {}).get(fmr) for name in ("fnmr", "threshold")]
    fnmr, threshold = (_rounded(found[name][fmr]) for name in ("fnmr", "threshold"))
    upper = _rounded((found["fnmr_upper"] or {}).get(fmr))
    return (fmr, fnmr, upper, _span(spans[0]), threshold, _span(spans[1]))


def _missing(found: Mapping[str, Any]) -> None:
    """How many pairs it would take for what is not told."""
    for fmr, threshold in found["threshold"].items():
        if threshold is None and found["impostor"]:
            needed = found["impostor_needed"][fmr]
            say(f"FMR {fmr} takes {needed} impostor pairs; there are {found['impostor']}")


def _of_gallery(row: Mapping[str, Any]) -> Sequence[object]:
    return (
        row["gallery"],
        _rounded(row["threshold"]),
        _rounded(row["fpir"]),
        _span(row["fpir_interval"]),
        _rounded(row["fnir"]),
        _span(row["fnir_interval"]),
        _rounded(row["misnamed"]),
    )


def _groups(by: Mapping[str, Any]) -> None:
    for fmr in next(iter(by["groups"].values()))["rates"]:
        say()
        say(f"by {by['column']}, at the threshold of all at FMR {fmr}:")
        table(
            ("group", "persons", "failed", "impostor", "FMR", "FNMR", "persons refused", "at most"),
            [
                (
                    label,
                    group["persons"],
                    group["failed_to_acquire"],
                    group["impostor"],
                    *(_of_group(group["rates"][fmr], name) for name in _GROUP_RATES),
                )
                for label, group in by["groups"].items()
            ],
        )


_GROUP_RATES = ("fmr", "fnmr", "persons_refused", "persons_refused_upper")


def _of_group(rates: Mapping[str, Any] | None, name: str) -> object:
    return None if rates is None else _rounded(rates[name])


def _side_by_side(packs: Sequence[Mapping[str, Any]]) -> None:
    fmrs = list(packs[0]["fnmr"])
    table(
        ("pack", "accuracy", *(f"FNMR at {fmr}" for fmr in fmrs), "failed", "ms", "licence"),
        [
            (
                one["pack"],
                _rounded(one["accuracy"]),
                *(_rounded(one["fnmr"][fmr]) for fmr in fmrs),
                len(one["failed_to_acquire"]),
                one["ms_per_image"],
                one["licence"]
                if one["free_for_commercial_use"]
                else f"{one['licence']} (not free)",
            )
            for one in packs
        ],
    )
    _missing(packs[0])


def _span(ends: Sequence[float] | None) -> str | None:
    return None if ends is None else " to ".join(str(_rounded(end)) for end in ends)


def _rounded(value: object) -> object:
    return f"{value:.4f}" if isinstance(value, float) else value
