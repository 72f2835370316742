"""A kiosk with one wired door under a virtual clock, whose relay is a real adapter on mock pins."""

from dataclasses import replace
from typing import Any

from gate_parts import DOOR, LANE, REGISTRY
from gpiozero.pins.mock import MockFactory

from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.door import GpioDoor
from agent.controller.effects import Effect, Hold, Latch, Move, Record, Release, Secure, Stand
from agent.controller.inputs import Commanded, InputChanged, Tick
from agent.controller.kiosk import Kiosk, Memory
from agent.controller.settings import KioskSettings
from agent.domain.access.rule import Rule
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import Command
from agent.domain.door.signal import InputChange, Signal, Wiring
from agent.domain.record.events import EventDraft

WIRINGS = tuple(
    Wiring(signal.value, signal, None if signal in (Signal.TAMPER, Signal.FIRE) else "turnstile")
    for signal in Signal
)
PIN = 17


class WiredDoor:
    """The kiosk, its clock, its relay; contacts and buttons are pressed by name."""

    def __init__(
        self,
        *,
        wired=("contact",),
        memory: Memory | None = None,
        lane=LANE,
        door=DOOR,
        wirings=WIRINGS,
        **settings,
    ):
        self.clock = ManualClock()
        self.settings = KioskSettings(
            lanes=(lane,),
            doors=(
                replace(
                    door,
                    contact="contact" in wired,
                    passage_sensor="passage" in wired,
                    feedback="feedback" in wired,
                ),
            ),
            rules=(Rule(frozenset({"resident"})),),
            boot_id="boot",
            accept_no_pad=True,
            wirings=wirings,
            **settings,
        )
        self.pins: Any = MockFactory()
        self.relay = GpioDoor(
            self.pins,
            PIN,
            active_high=True,
            max_pulse_s=self.settings.doors[0].max_pulse_s,
            clock=self.clock,
        )
        self.log: list[Effect] = []
        self.seen: list[tuple[float, bool, str]] = []
        self.kiosk = Kiosk(self.settings, REGISTRY, memory)
        self.do(self.kiosk.start(self.clock.now()))

    def do(self, effects):
        for effect in effects:
            match effect:
                case Release(_, pulse_s):
                    self.relay.release(pulse_s)
                case Hold(_, for_s):
                    self.relay.hold(for_s)
                case Secure():
                    self.relay.secure()
        self.log += effects
        if hasattr(self, "kiosk"):
            self.seen.append((self.clock.now().monotonic_s, self.free, self.state))
        return list(effects)

    def tell(self, happened):
        return self.do(self.kiosk.handle(happened, self.clock.now()))

    def set(self, signal: str, active: bool = True, *, initial: bool = False):  # noqa: FBT001, FBT002 - as on the pin
        at_s = self.clock.now().monotonic_s
        return self.tell(InputChanged(InputChange(signal, active, at_s, initial)))

    def press(self, signal: str):
        effects = self.set(signal)
        return effects + self.set(signal, active=False)

    def ask(self, command: Command):
        return self.tell(Commanded(command, self.settings.lanes[0].access_point, "uid:0 root"))

    def grant(self, holder="anna"):
        """As after a decision, without the face before it."""
        doors, now = self.kiosk._doors, self.clock.now()
        passage = doors.passage(self.settings.lanes[0], HolderId(holder), granted=True)
        effects = self.do(doors.granted("turnstile", passage, now))
        return effects + self.tell(Tick())

    def wait(self, seconds: float, step_s: float = 0.25):
        """Time passes, and the loop ticks as it does."""
        while seconds > 0:
            self.clock.advance(min(step_s, seconds))
            seconds -= step_s
            self.tell(Tick())

    @property
    def state(self) -> str:
        return self.kiosk._lanes[0].door.state.value

    @property
    def mode(self) -> str:
        return self.kiosk._lanes[0].door.mode.value

    @property
    def free(self) -> Any:
        # Not a bool to mypy, which would think that it stays what it was.
        return bool(self.pins.pin(f"GPIO{PIN}").state)

    def events(self):
        return [effect.draft.type.value for effect in self.log if isinstance(effect, Record)]

    def drafts(self) -> list[EventDraft]:
        return [effect.draft for effect in self.log if isinstance(effect, Record)]

    def stands(self):
        return [effect.standing.value for effect in self.log if isinstance(effect, Stand)]

    def memory(self) -> Memory:
        """What the next agent would find on the disk."""
        latches = [effect.latches for effect in self.log if isinstance(effect, Latch)]
        positions: dict[HolderId, Position] = {}
        for effect in self.log:
            if isinstance(effect, Move) and effect.holder and effect.position:
                positions[effect.holder] = effect.position
        return Memory(latches=latches[-1], positions=positions) if latches else Memory()
