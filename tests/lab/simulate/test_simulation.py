"""Days at a simulated gate: nothing happens that never may, and each planted fault is found."""

from dataclasses import replace

import pytest

from agent.adapters.pins.door import GpioDoor
from agent.adapters.store.record.journal import SqliteJournal
from agent.app.gate.executor import Executor
from agent.app.threads.record.outbox import Outbox
from agent.controller import door as door_control
from agent.controller.door import DoorControl
from agent.controller.doors import Doors
from agent.controller.effects import Indicate, Release
from agent.controller.signs import Signs, Steady
from agent.controller.trace import access_event
from agent.domain.access import policy
from agent.domain.access.indication import Outcome
from agent.domain.access.signs import SIGNS, Before, Sign
from agent.domain.door.access_point import DoorInput, Output, State
from agent.domain.door.access_point import step as real_step
from agent.domain.door.signal import Signal
from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import Certainty, Reckoning
from agent.domain.record.events import EventType
from agent.lab.simulate.faults import Faults
from agent.lab.simulate.truth import OUTCOMES
from agent.lab.simulate.world import Wish, run_simulation

SHORT = Wish(hours=1.0, arrivals=200, seed=1, faults=60, restarts=40)
BRIEF = Wish(hours=0.25, arrivals=60, seed=1, faults=15, restarts=10)
TINY = Wish(hours=0.1, arrivals=25, seed=1, faults=6, restarts=4)
BUSY = Wish(hours=0.25, arrivals=200, seed=1, faults=8, restarts=4)
"""In which what is planted shows several times, by their seeds; ``BUSY`` for what is rarer."""
COUNTED = ("arrivals", "granted", "denied", "openings", "faults", "faults_by_kind", "restarts")


def violated(wish: Wish = BRIEF) -> set[str]:
    return {one["invariant"] for one in run_simulation(wish)["violations"]}


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
def test_an_hour_passes_and_nothing_happens_that_never_may(seed: int) -> None:
    found = run_simulation(replace(SHORT, seed=seed))
    assert found["violations"] == []
    assert found["arrivals"] == 200
    assert sum(found["arrivals_by_outcome"].values()) == 200
    assert found["arrivals_by_outcome"]["still_there"] <= 4
    assert min(found["arrivals_by_outcome"][kind] for kind in ("granted", "denied")) > 20
    assert found["people_without_a_sign"] == 0
    # Else it proves nothing.
    assert found["granted"] > 60
    assert found["denied"] > 30
    assert found["openings"] > found["granted"]
    assert found["restarts"] >= 40
    assert len(found["faults_by_kind"]) > 20


@pytest.mark.parametrize(
    "wish", [TINY, pytest.param(SHORT, marks=pytest.mark.slow)], ids=["tiny", "short"]
)
def test_one_seed_makes_one_day(wish: Wish) -> None:
    first, second = run_simulation(wish), run_simulation(wish)
    other = run_simulation(replace(wish, seed=9))
    assert [first[key] for key in COUNTED] == [second[key] for key in COUNTED]
    assert first["simulated_s"] == second["simulated_s"]
    assert [first[key] for key in COUNTED] != [other[key] for key in COUNTED]


@pytest.mark.parametrize(
    "seed", [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 5, 8, 13))]
)
def test_each_arrival_has_one_outcome(seed: int) -> None:
    found = run_simulation(replace(BRIEF, seed=seed))
    outcomes = found["arrivals_by_outcome"]
    assert set(outcomes) == set(OUTCOMES)
    assert min(outcomes.values()) >= 0
    assert sum(outcomes.values()) == found["arrivals"] == BRIEF.arrivals
    assert outcomes["granted"] > 0
    assert outcomes["denied"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_day_with_a_thousand_restarts(seed: int) -> None:
    found = run_simulation(Wish(24.0, 5000, seed, 240, 1000))
    assert found["violations"] == []
    assert found["restarts"] >= 1000
    assert found["granted"] > 2000


# --- planted: each must be found, by its name ----------------------------------------------------


def test_a_release_that_nobody_asked_for(monkeypatch) -> None:
    execute = Executor.execute

    def opens_for_the_refused(self, effects):
        execute(self, effects)
        for effect in effects:
            if isinstance(effect, Indicate) and effect.indication.outcome is Outcome.DENIED:
                execute(self, [Release("door", 3.0)])

    monkeypatch.setattr(Executor, "execute", opens_for_the_refused)
    assert "opened_without_cause" in violated()


@pytest.mark.parametrize(
    ("forgotten", "invariant"),
    [
        (EventType.ACCESS_GRANTED, "opened_without_cause"),
        (EventType.DOOR_RELEASED, "opening_without_event"),
    ],
)
def test_an_executor_that_releases_and_writes_nothing_down(
    monkeypatch, forgotten: EventType, invariant: str
) -> None:
    record = Executor._record

    def forgets(self, draft):
        return None if draft.type is forgotten else record(self, draft)

    monkeypatch.setattr(Executor, "_record", forgets)
    assert invariant in violated()


def test_a_door_without_maximum_whose_controller_hangs(monkeypatch) -> None:
    monkeypatch.setattr(GpioDoor, "_arm", lambda _self, _delay_s: None)
    kinds = Faults.plan

    def hangs_often(self, faults, restarts, seconds):
        self._kinds = {"hang": self._kinds["hang"]}
        kinds(self, faults, restarts, seconds)

    monkeypatch.setattr(Faults, "plan", hangs_often)
    assert violated(replace(BRIEF, faults=30, restarts=0)) == {"energised_past_maximum"}


def test_a_door_with_its_maximum_outlives_a_controller_that_hangs(monkeypatch) -> None:
    kinds = Faults.plan

    def hangs_often(self, faults, restarts, seconds):
        self._kinds = {"hang": self._kinds["hang"]}
        kinds(self, faults, restarts, seconds)

    monkeypatch.setattr(Faults, "plan", hangs_often)
    assert violated(replace(BRIEF, faults=30, restarts=0)) == set()


def test_a_start_that_pulses(monkeypatch) -> None:
    made = GpioDoor.__init__

    def pulses(self, *args, **kwargs):
        made(self, *args, **kwargs)
        self._output.on()
        self._output.off()

    monkeypatch.setattr(GpioDoor, "__init__", pulses)
    assert "moved_by_restart" in violated()


@pytest.mark.slow
def test_a_controller_that_ignores_a_lockdown(monkeypatch) -> None:
    # Three guards stand behind each other: the policy, the door, the table.
    def step(state, happened):
        if (state, happened) == (State.LOCKED_DOWN, DoorInput.GRANT):
            return State.RELEASED, Output.RELEASE
        return real_step(state, happened)

    monkeypatch.setattr(door_control, "step", step)
    monkeypatch.setattr(DoorControl, "lets_in", True)
    checks = tuple(one for one in policy.PRECEDENCE if one is not policy._locked_down)
    monkeypatch.setattr(policy, "PRECEDENCE", checks)
    assert "opened_in_lockdown" in violated(replace(BUSY, seed=10))


@pytest.mark.parametrize(
    "check",
    [
        "_enabled",
        *(
            pytest.param(one, marks=pytest.mark.slow)
            for one in ("_expired", "_schedule", "_passback")
        ),
    ],
)
def test_a_policy_that_lets_the_wrong_in(monkeypatch, check: str) -> None:
    left = tuple(one for one in policy.PRECEDENCE if one.__name__ != check)
    assert len(left) == len(policy.PRECEDENCE) - 1
    monkeypatch.setattr(policy, "PRECEDENCE", left)
    assert "granted_to_wrong_person" in violated(BUSY)


@pytest.mark.parametrize("signal", [Signal.REX, Signal.FIRE])
def test_a_way_out_that_is_refused(monkeypatch, signal: Signal) -> None:
    signalled = Doors._signalled

    def deaf(self, what, *args):
        return [] if what is signal else signalled(self, what, *args)

    monkeypatch.setattr(Doors, "_signalled", deaf)
    assert "egress_not_freed" in violated()


@pytest.mark.slow
def test_a_clock_that_is_believed_whatever_it_says(monkeypatch) -> None:
    def believes(known: Reckoning, now: Instant) -> Reckoning:
        trusted = Certainty.SETTLED if now.utc_trusted else Certainty.UNKNOWN
        return replace(known, certainty=trusted)

    monkeypatch.setattr(Reckoning, "heard", believes)
    monkeypatch.setattr(Reckoning, "bounds", lambda _known, _now: None)
    assert "granted_to_wrong_person" in violated(replace(BUSY, faults=40))


def test_an_outbox_that_drops_an_event(monkeypatch) -> None:
    send = Outbox._send

    def drops(self, broker):
        lost = [row for row in self._journal.unpublished(50) if row.sequence % 50 == 0]
        self._journal.mark_published([row.row for row in lost])
        send(self, broker)

    monkeypatch.setattr(Outbox, "_send", drops)
    assert "event_lost" in violated()


def test_an_outbox_that_sends_the_newest_first(monkeypatch) -> None:
    unpublished = SqliteJournal.unpublished
    monkeypatch.setattr(
        SqliteJournal,
        "unpublished",
        lambda self, limit, *, after_row=0: unpublished(self, limit, after_row=after_row)[::-1],
    )
    assert "event_out_of_order" in violated()


def test_a_decision_that_is_written_twice(monkeypatch) -> None:
    record = Executor._record

    def twice(self, draft):
        record(self, draft)
        return record(self, draft)

    monkeypatch.setattr(Executor, "_record", twice)
    assert "event_twice" in violated()


@pytest.mark.slow
def test_a_grant_of_which_nobody_says_what_became(monkeypatch) -> None:
    monkeypatch.setattr(DoorControl, "_forget_waiting", lambda self: self._waiting.clear())
    assert violated(BUSY) == {"passage_unaccounted"}


def test_a_name_in_an_event(monkeypatch) -> None:
    def tells(decision, evidence, settings, registry, *more):
        draft = access_event(decision, evidence, settings, registry, *more)
        holder = registry.subject(evidence)
        name = holder.name if holder is not None else None
        return replace(draft, data={**draft.data, "name": name})

    monkeypatch.setattr("agent.controller.ruling.access_event", tells)
    assert violated() == {"leak"}


@pytest.mark.slow
def test_a_violation_says_what_led_there(monkeypatch) -> None:
    monkeypatch.setattr(DoorControl, "_forget_waiting", lambda self: self._waiting.clear())
    one = run_simulation(BUSY)["violations"][0]
    assert {"time", "invariant", "inputs"} <= set(one)
    assert one["inputs"][-1] == {"time": one["time"], "what": "released", "output": "door"} or any(
        led["what"] == "stands" for led in one["inputs"]
    )


@pytest.mark.parametrize("planted", ["no sign at all", "no sign of what hinders", "looks once"])
@pytest.mark.slow
def test_people_who_are_left_without_a_sign(monkeypatch, planted: str) -> None:
    lasts = Steady._lasts

    def never(self, state, run, now_s):
        return SIGNS[state].after_s == 0.0 and lasts(self, state, run, now_s)

    match planted:
        case "no sign at all":
            monkeypatch.setattr(Signs, "tell", lambda *_, **__: [])
        case "no sign of what hinders":
            monkeypatch.setattr(Steady, "_lasts", never)
        case _:
            monkeypatch.setitem(SIGNS, Before.PACED, Sign())
            monkeypatch.setitem(SIGNS, Before.REFUSED, Sign())
    found = run_simulation(replace(BRIEF, arrivals=150, faults=0, restarts=0))
    assert {one["invariant"] for one in found["violations"]} == {"left_without_a_sign"}
    assert found["people_without_a_sign"] == len(found["violations"]) > 0
