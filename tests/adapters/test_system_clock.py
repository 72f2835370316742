"""When UTC may be trusted, and what timers do with calls that fail."""

import ctypes
import threading
import time

import pytest
from structlog.testing import capture_logs

from agent.adapters import clock as module
from agent.adapters.clock import SystemClock, TimerThread, kernel_clock_is_kept
from agent.adapters.manual_clock import ManualClock
from agent.errors import InternalError

PATIENCE_S = 60.0


class Kernel:
    """What NTP and whoever sets the clock do."""

    def __init__(self) -> None:
        self.kept = False
        self.offset_s = 1_000.0

    def clock(self) -> SystemClock:
        return SystemClock(kept=lambda: self.kept, offset_s=lambda: self.offset_s)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setattr(module, "_TRUST_CHECK_S", -1.0)
    return Kernel()


def test_nobody_keeps_the_clock_then_it_is_not_trusted(kernel: Kernel) -> None:
    assert not kernel.clock().now().utc_trusted


def test_a_clock_that_ntp_keeps_is_trusted(kernel: Kernel) -> None:
    clock = kernel.clock()
    kernel.kept = True
    assert clock.now().utc_trusted


def test_trust_outlives_the_network(kernel: Kernel) -> None:
    clock = kernel.clock()
    kernel.kept = True
    clock.now()
    kernel.kept = False
    assert clock.now().utc_trusted
    kernel.offset_s += 0.4  # within what reading two clocks one after the other may differ
    assert clock.now().utc_trusted


@pytest.mark.parametrize("step_s", [-86_400.0, -2.0, 2.0, 3_600.0])
def test_a_step_without_ntp_ends_trust_until_ntp_returns(kernel: Kernel, step_s: float) -> None:
    clock = kernel.clock()
    kernel.kept = True
    clock.now()
    kernel.kept = False
    kernel.offset_s += step_s
    assert not clock.now().utc_trusted
    kernel.offset_s -= step_s
    assert not clock.now().utc_trusted
    kernel.kept = True
    assert clock.now().utc_trusted


def test_ntp_itself_may_step(kernel: Kernel) -> None:
    clock = kernel.clock()
    kernel.kept = True
    clock.now()
    kernel.offset_s += 3_600.0
    assert clock.now().utc_trusted
    kernel.kept = False
    assert clock.now().utc_trusted


def test_timesyncds_mark_of_this_boot_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path, kernel: Kernel
) -> None:
    monkeypatch.setattr(module, "kernel_clock_is_kept", lambda: False)
    mark = tmp_path / "synchronized"
    monkeypatch.setattr(module, "_TIMESYNCD_MARK", mark)
    assert not SystemClock().now().utc_trusted
    mark.touch()
    assert SystemClock().now().utc_trusted


def test_the_config_may_vouch_for_the_clock(kernel: Kernel) -> None:
    assert SystemClock(trust_system_clock=True, kept=lambda: False).now().utc_trusted


def test_a_battery_that_ntp_finds_right_is_a_second_source(kernel: Kernel) -> None:
    clock = SystemClock(
        trust_system_clock=True, kept=lambda: kernel.kept, offset_s=lambda: kernel.offset_s
    )
    assert (clock.now().utc_trusted, clock.now().confirmed) == (True, False)
    kernel.kept = True
    kernel.offset_s += 40.0
    assert clock.now().confirmed
    kernel.kept = False
    assert clock.now().confirmed, "for as long as nobody steps it"
    kernel.offset_s += 86_400.0
    assert (clock.now().utc_trusted, clock.now().confirmed) == (True, False)


@pytest.mark.parametrize(("kept_before", "step_s"), [(True, 0.0), (False, 30 * 86_400.0)])
def test_ntp_alone_is_no_second_source(kernel: Kernel, step_s: float, *, kept_before: bool) -> None:
    kernel.kept = kept_before
    clock = SystemClock(
        trust_system_clock=True, kept=lambda: kernel.kept, offset_s=lambda: kernel.offset_s
    )
    kernel.kept = True
    kernel.offset_s += step_s
    assert (clock.now().utc_trusted, clock.now().confirmed) == (True, False)


def test_trust_is_not_looked_up_each_time() -> None:
    looks: list[int] = []
    clock = SystemClock(kept=lambda: not looks.append(1), offset_s=lambda: 0.0)  # type: ignore[func-returns-value] # append answers None
    for _ in range(100):
        assert clock.now().utc_trusted
    assert len(looks) == 1


def test_the_status_lies_where_the_kernels_structure_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Library:
        def __init__(self, status: int, state: int) -> None:
            self.status = status
            self.state = state

        def adjtimex(self, buffer) -> int:
            # struct timex on 64 bits: modes and its padding, four longs, then the status.
            buffer[40:44] = self.status.to_bytes(4, "little")
            return self.state

    for status, state, kept in [(0x2001, 0, True), (0x0041, 5, False), (0, -1, False)]:
        library = Library(status, state)
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, lib=library, **__: lib)
        assert kernel_clock_is_kept() is kept


def test_a_call_that_raises_is_logged_and_ends_nothing() -> None:
    timers = TimerThread()
    fired = threading.Event()

    def fails() -> None:
        raise SystemExit("broken")

    with capture_logs() as logs:
        timers.after(0.0, fails)
        timers.after(0.02, fired.set)
        assert fired.wait(PATIENCE_S)
    assert [entry["event"] for entry in logs] == ["timer_failed"]


def test_timers_are_bounded() -> None:
    timers = TimerThread()
    cancels = [timers.after(3600.0, lambda: None) for _ in range(1000)]
    with pytest.raises(InternalError, match="1000 timers"):
        timers.after(3600.0, lambda: None)
    cancels[0]()
    timers.after(3600.0, lambda: None)


def test_an_earlier_timer_overtakes_one_that_is_waited_for() -> None:
    timers = TimerThread()
    timers.after(3600.0, lambda: None)
    time.sleep(0.02)
    fired = threading.Event()
    timers.after(0.01, fired.set)
    assert fired.wait(PATIENCE_S)


def test_the_manual_clock_stands_at_each_timers_time() -> None:
    clock = ManualClock(monotonic_s=100.0)
    seen: list[float] = []
    clock.after(2.0, lambda: seen.append(clock.now().monotonic_s))

    def again() -> None:
        clock.after(0.5, lambda: seen.append(clock.now().monotonic_s))

    clock.after(1.0, again)
    clock.advance(5.0)
    assert seen == [101.5, 102.0]
    assert clock.now().monotonic_s == 105.0
    assert clock.waiting == 0


def test_a_step_of_the_manual_clock_leaves_the_monotonic_one() -> None:
    clock = ManualClock(trusted=False)
    before = clock.now()
    clock.step_utc(3600.0, trusted=True)
    after = clock.now()
    assert after.monotonic_s == before.monotonic_s
    assert (after.utc - before.utc).total_seconds() == 3600.0
    assert after.utc_trusted
