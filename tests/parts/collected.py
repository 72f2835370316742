"""Counts the tests before any selection, for the floor in tests/FLOOR, and puts the long first."""

import functools
import signal
from pathlib import Path

import pytest
from places import TESTS

_COUNT = pytest.StashKey[int]()
_FIRST = [
    TESTS / place
    for place in ("real", "lab/simulate", "scenarios", "vision/symbols", "adapters", "cli")
]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in the background so, and what a test starts would ignore it too:
    # whoever waits for what follows from Ctrl-C would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps the count; -k and -m take their share of ``items`` after this.

    What starts agents and waits for them comes first, then whatever has files of half a minute, so
    that no worker is left alone with one.
    """
    config.stash[_COUNT] = len(items)
    items.sort(key=lambda item: _rank(item.path))


@functools.cache
def _rank(file: Path) -> int:
    places = (number for number, place in enumerate(_FIRST) if file.is_relative_to(place))
    return next(places, len(_FIRST))


def whole(config: pytest.Config) -> bool:
    """Whether all of tests/ was asked for, not some paths of it or what failed last."""
    asked = {Path(config.invocation_params.dir, arg).resolve() for arg in config.args}
    narrowed = (
        config.getoption("lf", default=False)
        or config.getoption("ignore")
        or config.getoption("ignore_glob")
    )
    return not narrowed and bool(asked & {TESTS, TESTS.parent})


@pytest.fixture
def collected(request: pytest.FixtureRequest) -> int:
    """How many tests the whole tree has; skips where only a part of it was collected."""
    if not whole(request.config):
        pytest.skip("only a part of the tests was asked for")
    return request.config.stash[_COUNT]
