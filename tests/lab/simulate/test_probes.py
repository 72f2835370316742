"""People who probe a simulated gate: what was promised holds, and each broken promise is found."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.adapters.store.installation import Installation
from agent.app.threads.senses import codes
from agent.controller.false_grants import FalseGrants, Terms
from agent.controller.kiosk import Kiosk
from agent.controller.passback import Passback
from agent.controller.presentations import Presentations
from agent.controller.wrong_faces import WrongFaces
from agent.domain.access.part import Part
from agent.domain.access.registry import Registry
from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import Bounds, Certainty, Reckoning
from agent.domain.sight.grant_budget import Draw, GrantBudget
from agent.lab.simulate.checker import Checker
from agent.lab.simulate.checker_probes import _chance_of
from agent.lab.simulate.faults import Faults
from agent.lab.simulate.truth import Person
from agent.lab.simulate.world import Wish, run_simulation

PROBED = Wish(hours=1.0, arrivals=100, seed=1, faults=30, restarts=20, probes=300)
BARE = Wish(hours=0.5, arrivals=20, seed=1, faults=0, restarts=0, probes=150)
"""Nothing but probing: so what is planted is found by its own name."""
CROWD = Wish(hours=0.5, arrivals=10, seed=2, faults=0, restarts=0, probes=1600, holders=5000)
KINDS = {
    *("slides", "stays", "flicks", "clones", "hands_back", "removed", "row_damaged", "codes"),
    *("state_taken", "ill_timed"),
}


def violated(wish: Wish = BARE) -> set[str]:
    return {one["invariant"] for one in run_simulation(wish)["violations"]}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_hour_of_probing_and_what_was_promised_holds(seed: int) -> None:
    found = run_simulation(replace(PROBED, seed=seed))
    assert found["violations"] == []
    assert set(found["probes"]) == KINDS
    assert found["probes"]["slides"] > 80
    assert found["granted"] > 60
    # The buckets are full at the beginning; what kills forget is counted here.
    assert 0.0 < found["false_grants"]["expected"] < 0.05
    assert found["false_grants"]["seen"] == 0


@pytest.mark.slow
def test_a_gallery_of_thousands_and_thousands_of_strangers() -> None:
    found = run_simulation(replace(CROWD, hours=2.0, probes=8000))
    assert found["violations"] == []
    assert found["probes"]["slides"] > 3000
    assert found["false_grants"]["expected"] < 0.05
    assert found["false_grants"]["seen"] <= 3


def test_who_does_not_probe_changes_nothing() -> None:
    quiet = run_simulation(replace(BARE, probes=0))
    assert quiet["probes"] == {}
    assert quiet["violations"] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_day_of_people_and_probing(seed: int) -> None:
    found = run_simulation(Wish(24.0, 5000, seed, 240, 1000, probes=1200))
    assert found["violations"] == []
    assert set(found["probes"]) == KINDS
    assert found["false_grants"]["seen"] <= 3


@pytest.mark.parametrize(
    ("seen", "expected", "chance"), [(0, 0.05, 1.0), (1, 0.05, 0.0488), (4, 0.05, 2.5e-7)]
)
def test_so_many_false_grants_are_so_likely(seen: int, expected: float, chance: float) -> None:
    assert _chance_of(seen, expected) == pytest.approx(chance, rel=0.02)


# --- planted: each must be found, by its name ----------------------------------------------------


@pytest.mark.slow
def test_a_budget_that_never_empties(monkeypatch) -> None:
    def draw(_self, most, least, now_s):
        return Draw(most, allowed=True, drawn_s=now_s)

    monkeypatch.setattr(GrantBudget, "draw", draw)
    assert "false_grants_beyond_promise" in violated(CROWD)


@pytest.mark.slow
def test_a_risk_that_counts_no_references(monkeypatch) -> None:
    monkeypatch.setattr(Registry, "rates", lambda self: (self.operating.fmr, self.operating.fmr))
    # Whoever takes the file of budgets away closes the gate to faces; here nobody notices.
    monkeypatch.setattr("agent.controller.kiosk.STATE_LATCHES", Part("state:nothing"))
    assert "false_grants_beyond_promise" in violated(CROWD)


def test_tracks_that_end_unjudged_and_are_not_counted(monkeypatch) -> None:
    monkeypatch.setattr(FalseGrants, "ended", lambda self, _now_s: setattr(self, "_current", None))
    assert violated() == {"unjudged_not_told"}


@pytest.mark.parametrize(("shown_after_s", "missed"), [(0.0, False), (5.0, True), (None, False)])
def test_whoever_was_masked_first_is_counted_from_when_they_show_their_face(
    shown_after_s: float | None, *, missed: bool
) -> None:
    """They stand for six seconds, and no event ever counts them."""
    checker = Checker({}, UTC)
    checker.clock_set(0.0, datetime(2026, 1, 1, tzinfo=UTC), trusted=True)
    checker.runs(0.0)
    checker.steps_in(10.0, "door", Person(None))
    if shown_after_s is not None:
        checker.shows_face(10.0 + shown_after_s, "door")
        checker.shows_face(15.9, "door")
    checker.leaves(16.0, "door")
    found = {one["invariant"] for one in checker.finish(100.0)}
    assert ("unjudged_not_told" in found) is missed


@pytest.mark.slow
def test_strangers_who_lock_residents_out(monkeypatch) -> None:
    terms = FalseGrants.terms

    def shut(self, track, registry, now_s):
        found = terms(self, track, registry, now_s)
        return Terms(found.operating, suffices=self._lately(now_s)[0] < 10)

    monkeypatch.setattr(FalseGrants, "terms", shut)
    assert "resident_kept_out_by_probing" in violated(replace(BARE, probes=300))


def test_a_mismatch_that_is_forgotten(monkeypatch) -> None:
    monkeypatch.setattr(WrongFaces, "_another", lambda *_: False)
    monkeypatch.setattr(WrongFaces, "locked", lambda *_: False)
    assert violated() == {"two_faces_one_pass"}


def test_a_removal_that_leaves_nothing(monkeypatch) -> None:
    monkeypatch.setattr(Registry, "buries", lambda *_: False)
    assert "removed_revived" in violated()


def test_one_damaged_row_that_stops_all_revocations(monkeypatch) -> None:
    enrolled = Kiosk._enrolled

    def all_or_nothing(self, registry):
        return [] if registry.unreadable else enrolled(self, registry)

    monkeypatch.setattr(Kiosk, "_enrolled", all_or_nothing)
    assert "row_revives" in violated()


@pytest.mark.slow
def test_a_wall_of_codes_that_is_looked_at_first(monkeypatch) -> None:
    def worst_first(new):
        return iter(sorted(new, key=lambda one: one.rank)[-1:])

    monkeypatch.setattr(codes, "_chosen", worst_first)
    monkeypatch.setattr(codes, "_GONE_AFTER_S", 0.05)
    assert "codes_delay_a_pass" in violated(replace(BARE, probes=400))


@pytest.mark.slow
def test_refusals_that_pace_every_pass(monkeypatch) -> None:
    due = Presentations.due

    def paced(self, presented, now_s):
        return due(self, presented, now_s) and self.refusable(now_s)

    monkeypatch.setattr(Presentations, "due", paced)
    assert "codes_delay_a_pass" in violated(replace(BARE, probes=400))


@pytest.mark.slow
def test_a_grant_that_reserves_nothing(monkeypatch) -> None:
    monkeypatch.setattr(Passback, "reserve", lambda *_: None)
    assert "passed_back" in violated()


@pytest.mark.slow
def test_a_clock_that_is_believed_whatever_it_says(monkeypatch) -> None:
    def believes(known: Reckoning, now: Instant) -> Reckoning:
        trusted = Certainty.SETTLED if now.utc_trusted else Certainty.UNKNOWN
        return replace(known, certainty=trusted)

    monkeypatch.setattr(Reckoning, "heard", believes)
    monkeypatch.setattr(Reckoning, "bounds", lambda _known, now: Bounds(now.utc, now.utc))

    plan = Faults.plan

    def attacks(self, faults, restarts, seconds):
        self._kinds = {"clock_attacked": self._kinds["clock_attacked"]}
        plan(self, faults, restarts, seconds)

    monkeypatch.setattr(Faults, "plan", attacks)
    found = violated(replace(BARE, faults=10, hours=1.0))
    assert {"expired_opened", "began_early"} <= found


@pytest.mark.slow
def test_files_that_nobody_watches_over(monkeypatch) -> None:
    monkeypatch.setattr(Installation, "judge", lambda *_: {})
    assert "state_forgot" in violated(replace(BARE, hours=1.0))
