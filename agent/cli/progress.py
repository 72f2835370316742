"""Progress of long work on stderr: a bar at a terminal, nothing anywhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and of how much (0: unknown)."""


@contextmanager
def progress(*, wanted: bool) -> Iterator[Advance]:
    """A bar for the work in the block; silent unless ``wanted`` and stderr is a terminal.

    It begins with the first step: before that a question may stand there.
    """
    if not (wanted and sys.stderr.isatty()):
        yield lambda _what, _done, _total: None
        return
    # rich.progress costs 40 ms to import: only who watches pays.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)

    def advance(what: str, done: int, total: int) -> None:
        if not bar.live.is_started:
            bar.start()
        bar.update(task, description=what, completed=done, total=total or None)

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()
