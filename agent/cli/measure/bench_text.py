"""What a measurement of speed says to people and to a sheet: each figure beside its limit."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.cli.common import say
from agent.cli.measure.evaluate_text import bounded, missing
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning, styled
from agent.cli.terminal.table import table

_TIMES = ("median_ms", "p99_ms", "bare_ms", "ratio")
_JUDGED = ("value", "limit", "bound", "met", "by")


def show(found: Mapping[str, Any]) -> None:
    """What ``bench`` found: stages, figures, peers, and the verdict on all limits."""
    from agent.lab.bench.verdict import whole_figures

    table(
        ("stage", "median ms", "p99 ms", "bare ms", "ratio"),
        [
            (name, *(_number(stage.get(key)) for key in _TIMES))
            for name, stage in found["stages"].items()
        ],
    )
    limits = found.get("limits", {})
    say()
    table(
        ("figure", "value", "at most"),
        [
            (name, _number(value), _number(limits.get(name)))
            for name, value in {**found["ratios"], **whole_figures(found)}.items()
        ],
    )
    _show_peers(found)
    _show_verdict(found["verdict"])


def sheet(found: Mapping[str, Any]) -> None:
    """The same as one sheet: a row a stage with its times, then a row a figure with its limit."""
    from agent.lab.bench.verdict import figures

    stages = [{"stage": name, **stage, "limit": None} for name, stage in found["stages"].items()]
    judged = [{"stage": one["figure"], **one} for one in figures(found)]
    sheet_of(("stage", *_TIMES, *_JUDGED), [*stages, *judged])


def _show_verdict(judged: list[dict[str, Any]]) -> None:
    """Each limit, met or missed and by how much, and a sentence about all."""
    from agent.lab.bench.verdict import sentence

    if judged:
        say()
        table(
            ("verdict", "figure", "value", "limit", "by"),
            [
                (
                    Cell("met", Meaning.GOOD) if one["met"] else Cell("missed", Meaning.BAD),
                    one["figure"],
                    _number(one["value"]),
                    f"{one['bound']} {one['limit']:g}",
                    f"{abs(one['by']):.0%}",
                )
                for one in judged
            ],
        )
    say()
    met = all(one["met"] for one in judged)
    say(styled(sentence(judged), Meaning.GOOD if met else Meaning.BAD))


def _show_peers(found: Mapping[str, Any]) -> None:
    """Ours and theirs in one table; under it why one is not there, and what each is."""
    peers = found.get("peers", {})
    accuracy = found.get("accuracy")
    own = {"median_ms": found["face_path"]["median_ms"], "accuracy": accuracy}
    rows = {f"{found['pack']} (ours)": own, **peers}
    if not peers and accuracy is None:
        return
    say()
    columns = ["engine", "median ms", "speedup", "at least"]
    fmrs = [] if accuracy is None else list(accuracy["fnmr"])
    if accuracy is not None:
        columns += ["EER", "accuracy", *(f"FNMR at {fmr}" for fmr in fmrs), "failed"]
    table(columns, [_of_engine(name, row, fmrs) for name, row in rows.items()])
    if accuracy is not None:
        missing(accuracy["impostor"], accuracy["impostor_needed"])
    if peers:
        say()
    for name, row in peers.items():
        say(f"{name}: {row.get('unavailable') or row['what']}")
        if row.get("fix"):
            say(f"  Fix: {row['fix']}")


def _of_engine(name: str, row: Mapping[str, Any], fmrs: Sequence[str]) -> Sequence[object]:
    speed = (name, *(_number(row.get(key)) for key in ("median_ms", "speedup", "limit")))
    accuracy = row.get("accuracy")
    if accuracy is None:
        return (*speed, *([None] * (len(fmrs) + 3 if fmrs else 0)))
    shares = (accuracy["eer"], accuracy["accuracy"])
    told = (None if share is None else f"{share:.4f}" for share in shares)
    rates = (bounded(accuracy, fmr) for fmr in fmrs)
    return (*speed, *told, *rates, accuracy["failed_to_acquire"])


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"
