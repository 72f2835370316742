"""The bound by persons beside an FNMR."""

from agent.lab.evaluate.faces import _upper


def test_the_bound_is_the_intervals_end_and_never_below_the_rate() -> None:
    rates = {"1e-2": 0.02, "1e-3": 0.05, "1e-4": None}
    spans = {"1e-2": (0.0, 0.04), "1e-3": (0.0, 0.03), "1e-4": None}
    assert _upper(rates, spans) == {"1e-2": 0.04, "1e-3": 0.05, "1e-4": None}
