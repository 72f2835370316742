"""What goes wrong in a simulated day, and what operators, technicians and the fire alarm do.

Each fault has a kind, a moment by the seed, and an end; the checker is told what it cannot see.
"""

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Protocol

from agent.adapters.store.simulated import LockKeeper
from agent.adapters.thermometer.simulated_mlx90614 import SimulatedMlx90614
from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.access.part import Part, PartKind, only_a_person_clears
from agent.domain.door.door_mode import Command
from agent.lab.simulate import layout
from agent.lab.simulate.checker import Checker
from agent.lab.simulate.clock_faults import BusyError, ClockFaults
from agent.lab.simulate.people import People
from agent.lab.simulate.process import SimulatedProcess, World

_WATCHDOG_S = 20.0
_MENDED_S = 45.0
"""After its end a technician has been there, and the agent has noticed."""
_COMMANDS = (Command.LOCK_DOWN, Command.FREE_PASSAGE, Command.RELEASE)


class FaultyGate(Protocol):
    """What faults need of the simulation."""

    checker: Checker
    world: World
    process: SimulatedProcess | None
    stuck: set[str]
    deaf: bool
    timeless: bool

    @property
    def now_s(self) -> float:
        """Seconds on the monotonic clock."""

    def later(self, delay_s: float, call: Callable[[], object]) -> None:
        """Call something after so many seconds."""

    def post(self, happened: Input) -> None:
        """To the agent that there is."""

    def put(self, line: str, *, active: bool) -> None:
        """A contact or button."""

    def relay_follows(self, output: str) -> None:
        """The relay does what its pin says, or sticks."""

    def set_clock(self, offset_s: float, *, trusted: bool, attacked: bool = False) -> None:
        """The kiosk's time of day, so far from the truth."""

    def tell_time(self) -> None:
        """A person says that the clock is right now."""

    def ends(self, how: str) -> None:
        """The process is killed, stopped, or hangs."""

    def command(self, command: Command, point: str) -> None:
        """An operator's command."""


class Faults:
    """Plans and counts them."""

    def __init__(
        self,
        one: FaultyGate,
        people: People,
        skin: SimulatedMlx90614,
        keepers: tuple[LockKeeper, LockKeeper],
        chance: random.Random,
    ) -> None:
        self._gate, self._people, self._skin, self._chance = one, people, skin, chance
        self._journal, self._latches = keepers
        self._busy: set[str] = set()
        self._undo: dict[str, Callable[[], object]] = {}
        self.latches_fail = False
        self.over = False
        self.by_kind: Counter[str] = Counter()
        self._kinds: dict[str, Callable[[], None]] = {
            "camera_dead": self._camera,
            "thermometer_silent": lambda: self._thermometer("silent"),
            "thermometer_pec": lambda: self._thermometer("pec_wrong"),
            "thermometer_stuck": lambda: self._thermometer("stuck"),
            "thermometer_failed": lambda: self._thermometer("failed"),
            "relay_pin_fails": self._pin_fails,
            "relay_sticks": self._relay_sticks,
            "contact_bounces": self._bounce,
            "line_oscillates": self._storm,
            "edges_lost": self._deaf,
            "tamper": self._tamper,
            "journal_locked": self._journal_locked,
            "disk_full": self._disk_full,
            "disk_slow": self._disk_slow,
            "latches_locked": self._latches_locked,
            "broker_away": self._broker_away,
            "broker_repeats": self._broker_repeats,
            "broker_refuses": self._broker_refuses,
            **ClockFaults(one, chance, self._for).kinds(),
            "hang": lambda: self._ends("hang"),
        }

    def plan(self, faults: int, restarts: int, seconds: float) -> None:
        """So many of each at random moments; each kind comes before any comes twice."""
        kinds: list[str] = []
        while len(kinds) < faults:
            more = [*self._kinds]
            self._chance.shuffle(more)
            kinds += more[: faults - len(kinds)]
        for kind in kinds:
            self._gate.later(self._chance.uniform(5, seconds), partial(self._begin, kind))
        for _ in range(restarts):
            how = self._chance.choices(["crash", "kill", "stop"], [0.5, 0.25, 0.25])[0]
            self._gate.later(self._chance.uniform(3, seconds), partial(self._ends, how))
        for i in range(max(int(seconds / 300), 3)):
            operate = partial(self._operate, _COMMANDS[i % len(_COMMANDS)])
            self._gate.later(self._chance.uniform(10, seconds), operate)
        for _ in range(max(int(seconds / 10_000), 1)):
            self._gate.later(self._chance.uniform(10, seconds * 0.9), self._burn)
        self._gate.later(10.0, self._mend)

    @property
    def disk_well(self) -> bool:
        """Whether every file can be written now."""
        return not self._busy and not self.latches_fail

    def end_all(self) -> None:
        """The day is over: what is broken is mended."""
        self.over = True
        for undo in [*self._undo.values()]:
            undo()
        self._undo.clear()

    def started(self) -> None:
        """A new agent finds what is broken."""
        for camera in self._people.dead_cameras:
            self._gate.post(FaultRaised(PartKind.CAMERA.part(camera), "no frame"))

    def _begin(self, kind: str) -> None:
        if self.over:
            return
        try:
            self._kinds[kind]()
        except BusyError:
            self._gate.later(5.0, partial(self._begin, kind))
        else:
            self.by_kind[kind] += 1
            self._troubled(_MENDED_S)

    def _troubled(self, for_s: float, point: str | None = None) -> None:
        now_s = self._gate.now_s
        self._gate.checker.promises.troubled(now_s, now_s + for_s, point)

    def _for(self, what: str, least_s: float, most_s: float, undo: Callable[[], object]) -> None:
        """Undo it after a while, or at the end of the day."""
        self._undo[what] = undo

        def end() -> None:
            if self._undo.pop(what, None) is not None:
                undo()

        lasts_s = self._chance.uniform(least_s, most_s)
        self._troubled(lasts_s + _MENDED_S)
        self._gate.later(lasts_s, end)

    def _note(self, what: str, **more: object) -> None:
        self._gate.checker.note(self._gate.now_s, what, **more)

    def _camera(self) -> None:
        camera = self._chance.choice(layout.POINTS)
        if camera in self._people.dead_cameras:
            raise BusyError
        self._people.dead_cameras.add(camera)
        self._note("camera dead", camera=camera)
        self._gate.post(FaultRaised(PartKind.CAMERA.part(camera), "no frame"))

        def back() -> None:
            self._people.dead_cameras.discard(camera)
            self._gate.post(FaultCleared(PartKind.CAMERA.part(camera), "agent"))

        self._for(f"camera {camera}", 5, 90, back)

    def _thermometer(self, how: str) -> None:
        self._note("thermometer", fault=how)
        setattr(self._skin, how, True)
        lie = [self._gate.now_s, float("inf")]
        if how == "stuck":
            self._gate.checker.stream.lies.append(lie)

        def back() -> None:
            setattr(self._skin, how, False)
            lie[1] = self._gate.now_s

        self._for(f"thermometer {how}", 5, 90, back)

    # --- wires ------------------------------------------------------------------------------

    def _pin_fails(self) -> None:
        output = self._chance.choice([*layout.OUTPUT_PINS])
        pin, lasts_s = layout.OUTPUT_PINS[output], self._chance.uniform(0.5, 8)
        broken = self._gate.world.bank.broken
        if pin in broken:
            raise BusyError
        broken.add(pin)
        self._gate.checker.breaks(self._gate.now_s, output, until_s=self._gate.now_s + lasts_s)
        self._for(f"pin {pin}", lasts_s, lasts_s, lambda: broken.discard(pin))

    def _relay_sticks(self) -> None:
        output = self._chance.choice(["door", "lane.entry"])
        self._gate.stuck.add(output)
        self._note("relay sticks", output=output)

        def free() -> None:
            self._gate.stuck.discard(output)
            self._gate.relay_follows(output)

        self._for(f"relay {output}", 2, 60, free)

    def _bounce(self) -> None:
        line = self._chance.choice(["door-contact", "entry-passage", "exit-passage", "door-rex"])
        self._note("bounces", line=line)
        for i in range(self._chance.randint(1, 4)):
            self._glitch(line, 0.004 * i, 0.002)

    def _storm(self) -> None:
        self._note("oscillates", line="entry-feedback")
        for i in range(260):
            self._glitch("entry-feedback", 0.003 * i, 0.0015)

    def _glitch(self, line: str, after_s: float, lasts_s: float) -> None:
        """The line leaves its level for a moment."""

        def flip() -> None:
            before = self._gate.world.bank.level(_pin(line))
            high = next(one.active_high for one in layout.INPUTS if one.name == line)
            self._gate.put(line, active=before is not high)
            self._gate.later(lasts_s, lambda: self._gate.put(line, active=before is high))

        self._gate.later(after_s, flip)

    def _deaf(self) -> None:
        self._gate.deaf = True
        self._note("edges are lost")
        self._for("deaf", 5, 90, lambda: setattr(self._gate, "deaf", False))

    def _tamper(self) -> None:
        self._note("housing opened")
        self._gate.put("housing", active=True)
        self._for("housing", 2, 60, lambda: self._gate.put("housing", active=False))

    # --- disk -------------------------------------------------------------------------------

    def _journal_locked(self) -> None:
        if "journal" in self._busy or not self._journal.hold():
            raise BusyError
        self._journal_trouble(self._journal.let_go)

    def _disk_full(self) -> None:
        if "journal" in self._busy:
            raise BusyError
        self._fill(full=True)
        self._journal_trouble(lambda: self._fill(full=False))

    def _disk_slow(self) -> None:
        if "journal" in self._busy:
            raise BusyError
        self._gate.world.slow = True
        self._journal_trouble(lambda: setattr(self._gate.world, "slow", False))

    def _fill(self, *, full: bool) -> None:
        self._gate.world.full = full
        if self._gate.process is not None:
            self._gate.process.set_full(full=full)

    def _journal_trouble(self, undo: Callable[[], object]) -> None:
        self._busy.add("journal")
        self._gate.checker.writes(self._gate.now_s, well=False)

        def back() -> None:
            undo()
            self._until_written()

        self._for("journal", 0.5, 25, back)

    def _until_written(self) -> None:
        """Rows wait for their next try: only then nothing is lost by a death."""
        process = self._gate.process
        if process is not None and process.written:
            self._busy.discard("journal")
            self._gate.checker.writes(self._gate.now_s, well=True)
        else:
            self._gate.later(0.2, self._until_written)

    def _latches_locked(self) -> None:
        if self.latches_fail or not self._latches.hold():
            raise BusyError
        self.latches_fail = True
        self._note("latches locked")

        def back() -> None:
            self._latches.let_go()
            self._gate.checker.stream.whereabouts_unsure(self._gate.now_s)
            # What could not be saved is saved with the next effects.
            self._gate.later(3.0, lambda: setattr(self, "latches_fail", False))

        self._for("latches", 1, 20, back)

    # --- broker and clock -------------------------------------------------------------------

    def _broker_away(self) -> None:
        broker = self._gate.world.broker
        if not broker.there:
            raise BusyError
        broker.go()
        self._gate.checker.stream.broker_away()
        self._note("broker away")

        def back() -> None:
            self._note("broker back")
            broker.come_back()

        self._for("broker", 2, 400, back)

    def _broker_repeats(self) -> None:
        self._gate.world.broker.repeats += 20
        self._note("broker repeats itself")

    def _broker_refuses(self) -> None:
        broker = self._gate.world.broker
        broker.refuses = "Quota exceeded"
        self._note("broker refuses")
        self._for("refuses", 2, 30, lambda: setattr(broker, "refuses", None))

    # --- hands ------------------------------------------------------------------------------

    def _ends(self, how: str) -> None:
        if self.over:
            return
        process = self._gate.process
        peril = self._gate.world.peril
        if process is None or process.hangs or peril.left is not None:
            self._gate.later(2.0, lambda: self._ends(how))
            return
        if how != "hang":
            self.by_kind[how] += 1
        if how == "crash":
            peril.left = self._chance.randint(1, 30)
            self._gate.later(_WATCHDOG_S, partial(self._put_down, process))
            return
        self._gate.ends(how)
        if how == "hang":
            self._gate.later(_WATCHDOG_S, lambda: self._gate.ends("killed by the watchdog"))

    def _put_down(self, process: SimulatedProcess) -> None:
        """An agent that had nothing to do, and so did not come to die of it."""
        if self._gate.process is process and not process.hangs:
            self._gate.ends("kill")

    def _operate(self, command: Command) -> None:
        if self.over:
            return
        point = self._chance.choice(layout.POINTS)
        self._gate.command(command, point)
        if command is not Command.RELEASE:
            lasts_s = self._chance.uniform(20, 240)
            self._troubled(lasts_s + _MENDED_S, point)
            self._gate.later(lasts_s, lambda: self._gate.command(Command.RESUME, point))

    def _burn(self) -> None:
        if self.over or "fire" in self._undo:
            return
        self._gate.checker.fire(self._gate.now_s, active=True)
        self._gate.put("fire", active=True)

        def out() -> None:
            self._gate.checker.fire(self._gate.now_s, active=False)
            self._gate.put("fire", active=False)

        self._for("fire", 10, 90, out)

    def _mend(self) -> None:
        """The technician looks what is in fault, and says so where it is mended."""
        process = self._gate.process
        for part in list(process.faults if process is not None else ()):
            if only_a_person_clears(part):
                self._gate.post(FaultCleared(Part(part), "uid:1000 technician"))
        self._gate.later(25.0, self._mend)


def _pin(line: str) -> int:
    return next(one.pin for one in layout.INPUTS if one.name == line)
