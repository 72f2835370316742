"""The gallery's impostor scores as PNG or SVG; imported by those who draw, for it takes a while."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from agent.operations.people.gallery_plot import expected_pairs, marks
from agent.operations.pictures import save


def draw(found: dict[str, Any], file: Path) -> None:
    """The picture as PNG or SVG, by the file's suffix; frames stay empty without pairs.

    Raises:
        UnavailableError: the file cannot be written.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    impostor = found["impostor"]
    if impostor is not None:
        edges, counts = impostor["histogram"]["edges"], impostor["histogram"]["counts"]
        axes.stairs(counts, edges, fill=True, color="0.75", label="pairs of different holders")
        bins = [(a, b, expected_pairs(found, a, b)) for a, b in pairwise(edges)]
        fit = [((a + b) / 2, pairs) for a, b, pairs in bins if pairs is not None]
        if fit:
            axes.plot(
                [x for x, _ in fit], [y for _, y in fit], color="black", linewidth=1, label="fit"
            )
        axes.set_yscale("symlog", linthresh=1.0)
        axes.set_ylim(bottom=0.0)
    styles = ("-", "--", "-.", ":", (0, (1, 3)))
    for (name, score), style in zip(marks(found).items(), styles, strict=False):
        axes.axvline(score, linestyle=style, color="black", label=f"{name} {score:.3f}")
    axes.set_xlabel("comparison score (higher is more alike)")
    axes.set_ylabel("pairs")
    axes.set_title(f"{found['pack']}: {found['holders']} holders, FMR {found['fmr']:.2g}")
    axes.legend()
    save(figure, file)
