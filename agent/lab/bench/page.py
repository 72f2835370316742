"""docs/benchmarks.md: ``python -m agent.lab.bench.page``, as ``scripts/benchmarks`` runs it.

Each figure stands beside its limit, and the page names the machine, its load meanwhile, the
versions and the date: on another machine the figures are others.
"""

import argparse
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agent.app.open.paths import state_dir
from agent.lab.bench.frame import run_bench
from agent.lab.bench.peer import PEERS
from agent.lab.bench.verdict import whole_figures
from agent.operations.files import write_whole
from agent.operations.packs.choice import installed_face_packs

_LIBRARIES = ("onnxruntime", "opencv-python-headless", "numpy", "zxing-cpp")
_PAGE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and when it was measured; ``loads`` are the load averages of a minute meanwhile."""

    date: str
    processor: str
    cores: int
    versions: Mapping[str, str]
    loads: tuple[float, ...]


def page(found: Sequence[Mapping[str, Any]], machine: Machine, images: str | None) -> Iterator[str]:
    """The page, a line at a time; ``found`` is what ``bench`` answered for each pack."""
    yield "# Benchmarks"
    yield ""
    yield "Written by `scripts/benchmarks`; measured with `gate-agent bench`, one thread."
    yield ""
    loads = f"{min(machine.loads):.1f} to {max(machine.loads):.1f}"
    told = [
        ("date", machine.date),
        ("machine", f"{machine.processor}, {machine.cores} cores"),
        ("load average while measured", f"{loads} (above {machine.cores} others slowed it down)"),
        *machine.versions.items(),
    ]
    yield from _table(("", ""), told)
    yield "What is compared is measured in turns, so a ratio suffers less from a load than a time."
    for number, one in enumerate(found):
        if not number:
            yield ""
        yield f"## {one['pack']}"
        yield ""
        yield f"An image of {one['image']} with one face {one['face_px']} px wide."
        yield ""
        yield from _table(
            ("stage", "median ms", "p99 ms", "bare ms", "ratio"),
            [
                (
                    name,
                    *(_figure(stage.get(key)) for key in ("median_ms", "p99_ms", "bare_ms")),
                    _figure(stage.get("ratio")),
                )
                for name, stage in {**one["stages"], "face path": one["face_path"]}.items()
            ],
        )
        yield from _table(("figure", "value", "at most"), _limits(one))
    yield from _engines(found, images)


def _limits(one: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    limits = one.get("limits", {})
    for name, value in {**one["ratios"], **whole_figures(one)}.items():
        yield name, _figure(value), _figure(limits.get(name))
    for name, stage in one["stages"].items():
        for key, limit in (("ratio", "limit"), ("memory_ratio", "memory_limit")):
            if limit in stage:
                yield f"{name}: {key.replace('_', ' ')}", _figure(stage[key]), _figure(stage[limit])


def _engines(found: Sequence[Mapping[str, Any]], images: str | None) -> Iterator[str]:
    """Every pack and every peer in one table; a peer is measured beside the first pack."""
    rows = [(one["pack"], {**one["face_path"], **one}) for one in found]
    peers = found[0].get("peers", {}) if found else {}
    fmrs = list(found[0]["accuracy"]["fnmr"]) if found and "accuracy" in found[0] else []
    yield "## Beside others"
    yield ""
    yield "The whole way from the same image to a template of its largest face, each engine at the"
    yield "defaults that its own users get."
    if images is not None:
        yield f"Accuracy: {images}; every photograph with every other, a failure to acquire counts"
        yield "as refused, intervals of 90 % by persons."
    yield ""
    measured = ["EER", *(f"FNMR at {fmr}" for fmr in fmrs), "failed"] if fmrs else []
    columns = ("engine", "median ms", *(f"{name} is faster" for name, _ in rows), "at least")
    yield from _table(
        (*columns, *measured),
        [
            (
                name,
                _figure(row.get("median_ms")),
                *(_speedup(row, own, peer=name in peers) for _, own in rows),
                _figure(row.get("limit")),
                *_accuracy(row.get("accuracy"), fmrs),
            )
            for name, row in (*rows, *peers.items())
        ],
    )
    for fmr in fmrs:
        impostor, needed = (found[0]["accuracy"][key] for key in ("impostor", "impostor_needed"))
        if impostor < needed[fmr]:
            yield f"An FMR of {fmr} takes {needed[fmr]} impostor pairs; there are {impostor}."
            yield ""
    for name, row in peers.items():
        yield f"- `{name}`: {row.get('unavailable') or row['what']}"


def _speedup(row: Mapping[str, Any], own: Mapping[str, Any], *, peer: bool) -> object:
    if not peer or "median_ms" not in row:
        return "-"
    return f"{row['median_ms'] / own['median_ms']:.1f} times"


def _accuracy(found: Mapping[str, Any] | None, fmrs: Sequence[str]) -> Sequence[object]:
    if not fmrs:
        return ()
    if found is None:
        return ("-",) * (len(fmrs) + 2)
    cells = []
    for fmr in fmrs:
        span = (found["fnmr_interval"] or {}).get(fmr)
        around = "" if span is None else f" ({span[0]:.2%} to {span[1]:.2%})"
        cells.append("-" if found["fnmr"][fmr] is None else f"{found['fnmr'][fmr]:.2%}{around}")
    return (f"{found['eer']:.2%}", *cells, found["failed_to_acquire"])


def _table(columns: Sequence[str], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
    yield ""


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _machine(loads: Sequence[float]) -> Machine:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith(("model name", "Model"))
    ]
    versions = {"Python": platform.python_version(), **{one: version(one) for one in _LIBRARIES}}
    processor = f"{platform.machine()}, {names[0]}" if names else platform.machine()
    cores = len(os.sched_getaffinity(0))
    return Machine(f"{datetime.now(UTC):%Y-%m-%d}", processor, cores, versions, tuple(loads))


def main() -> None:
    """Measure every installed face pack and write the page."""
    parser = argparse.ArgumentParser(prog="scripts/benchmarks")
    parser.add_argument("--images", type=Path, metavar="DIR", help="one folder a person")
    parser.add_argument("--named", metavar="TEXT", help="how the page calls those photographs")
    parser.add_argument("--state-dir", type=Path, metavar="DIR", help="where the packs lie")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"), metavar="FILE")
    asked = parser.parse_args()
    if (asked.images is None) != (asked.named is None):
        parser.error("--images DIR and --named TEXT belong together: the page names no path")
    state = state_dir(asked.state_dir)
    packs = installed_face_packs(state)
    if not packs:
        parser.error(f"no face pack is installed in {state}: gate-agent models install retail")
    found: list[dict[str, Any]] = []
    loads = [os.getloadavg()[0]]
    # The recommended one first where it is there: the peers are measured beside it.
    for pack in sorted(packs, key=lambda name: (name != "retail", name)):
        peers = PEERS if not found else ()
        found.append(
            run_bench(
                state,
                pack,
                peers=peers,
                images=asked.images,
                large=not found,
                progress=lambda *_: None,
            )
        )
        loads.append(os.getloadavg()[0])
    text = "\n".join(page(found, _machine(loads), asked.named)).rstrip() + "\n"
    write_whole(text.encode(), asked.out)
    asked.out.chmod(_PAGE_MODE)


if __name__ == "__main__":
    main()
