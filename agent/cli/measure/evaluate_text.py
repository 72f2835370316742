"""What an evaluation says to people: its figures, each beside how far it may be off."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.cli.common import counted, plain, say
from agent.cli.terminal.table import heading, record, table

_SPAN = "90 % interval"


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
            "accuracy": _accuracy(found),
        }
    )
    say()
    table(
        ("FMR", "FNMR", "at most (95 %)", f"FNMR {_SPAN}", "threshold", f"threshold {_SPAN}"),
        [_at(found, fmr) for fmr in found["fnmr"]],
    )
    missing(found["impostor"], found["impostor_needed"])
    _galleries(found)
    _groups(found)


def missing(impostor: int, needed: Mapping[str, int]) -> None:
    """How many pairs it would take for what is not told."""
    told = [(fmr, pairs) for fmr, pairs in needed.items() if impostor < pairs]
    if told:
        say()
    for fmr, pairs in told:
        say(f"FMR {fmr} takes {pairs} impostor pairs; there are {impostor}")


def bounded(found: Mapping[str, Any], fmr: str) -> str | None:
    """An FNMR beside its bound by persons, in one cell."""
    rate, upper = found["fnmr"][fmr], (found["fnmr_upper"] or {}).get(fmr)
    return _bounded(rate, upper)


def _bounded(rate: float | None, upper: float | None) -> str | None:
    if rate is None or upper is None:
        return None if rate is None else str(_rounded(rate))
    return f"{_rounded(rate)} (at most {_rounded(upper)})"


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
        say()
        record(
            {
                "held out": counted(held["photographs"], "photograph"),
                "FNMR": _bounded(held["fnmr"], held["fnmr_upper"]),
                "persons refused": f"{held['persons_refused']} of {held['persons']} at least once"
                f" (at most {held['persons_refused_upper']:.0%})",
                "others accepted": f"{held['accepted']} of {held['impostor']} comparisons",
            }
        )
        missing(held["impostor"], {f"{found['fmr']:.2g}": held["impostor_needed"]})
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


def _galleries(found: Mapping[str, Any]) -> None:
    if not found.get("open_set"):
        return
    say()
    say("a stranger named (FPIR), a resident not (FNIR), at the gate's own threshold:")
    table(
        ("gallery", "threshold", "FPIR", f"FPIR {_SPAN}", "FNIR", f"FNIR {_SPAN}", "misnamed"),
        [_of_gallery(row) for row in found["open_set"]],
    )


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


def _groups(found: Mapping[str, Any]) -> None:
    if "by" not in found:
        return
    groups, column = found["by"]["groups"], plain(found["by"]["column"])
    if not any(rates for group in groups.values() for rates in group["rates"].values()):
        say()
        say(f"by {column}: not even the pairs of all carry a rate to compare groups at")
    for fmr, needed in found["impostor_needed"].items():
        rates = {label: group["rates"][fmr] for label, group in groups.items()}
        if None in rates.values():
            # Not even all pairs carry it, and that has been said.
            continue
        say()
        say(f"by {column}, at the threshold of all at FMR {fmr}:")
        table(
            ("group", "persons", "failed", "pairs", "FMR", "FNMR", "at most", "persons refused"),
            [
                (
                    label,
                    group["persons"],
                    group["failed_to_acquire"],
                    group["impostor"],
                    _rounded(rates[label]["fmr"]),
                    _rounded(rates[label]["fnmr"]),
                    _rounded(rates[label]["fnmr_upper"]),
                    _refused(rates[label]),
                )
                for label, group in groups.items()
            ],
        )
        few = [label for label, group in groups.items() if group["impostor"] < needed]
        if few:
            say()
        for label in few:
            say(f"{plain(label)}: FMR {fmr} takes {needed} impostor pairs within the group")


def _refused(rates: Mapping[str, Any]) -> str | None:
    refused, upper = rates["persons_refused"], rates["persons_refused_upper"]
    return None if upper is None else f"{refused} (at most {upper:.0%})"


def _side_by_side(packs: Sequence[Mapping[str, Any]]) -> None:
    fmrs = list(packs[0]["fnmr"])
    table(
        ("pack", "accuracy", *(f"FNMR at {fmr}" for fmr in fmrs), "failed", "ms", "licence"),
        [
            (
                one["pack"],
                _rounded(one["accuracy"]),
                *(bounded(one, fmr) for fmr in fmrs),
                len(one["failed_to_acquire"]),
                one["ms_per_image"],
                one["licence"]
                if one["free_for_commercial_use"]
                else f"{one['licence']} (not free)",
            )
            for one in packs
        ],
    )
    missing(packs[0]["impostor"], packs[0]["impostor_needed"])
    for one in packs:
        if one.get("open_set") or "by" in one:
            say()
            heading(one["pack"])
            _galleries(one)
            _groups(one)


def _span(ends: Sequence[float] | None) -> str | None:
    return None if ends is None else " to ".join(str(_rounded(end)) for end in ends)


def _accuracy(found: Mapping[str, Any]) -> object:
    if found["accuracy_threshold"] is None:
        return _rounded(found["accuracy"])
    return f"{_rounded(found['accuracy'])} at {_rounded(found['accuracy_threshold'])}"


def _rounded(value: object) -> object:
    return f"{value:.4f}" if isinstance(value, float) else value
