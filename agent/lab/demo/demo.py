"""``gate-agent demo``: the production agent on simulated hardware, before a real broker.

Each step says what it does, what it saw and whether that was right; the relay is watched on its
pin, events on the broker, by nothing that the agent could influence.
"""

import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import logs
from agent.adapters.camera.simulated import SimulatedCamera, fit_scene
from agent.adapters.pins.simulated import PinBank
from agent.adapters.reader.simulated import play, pulses_file, train
from agent.adapters.store.keys import init_key
from agent.adapters.thermometer.simulated import SimulatedThermometer
from agent.app.desk.passes import photographed_template
from agent.app.desk.people import enrol_holder
from agent.app.gate.agent import Agent
from agent.app.gate.parts import Parts, Stands, open_parts
from agent.app.open.community.broker import topics_of
from agent.app.open.control import ask
from agent.app.open.files.kiosk_keys import make_kiosk_keys, signing_key
from agent.app.open.files.state import FOLDER_MODE, MODELS
from agent.app.open.paths import control_socket
from agent.app.open.site import site_of
from agent.config import load_config
from agent.domain.credential.card import Card
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.reader.card_format import BUILT_IN, CardNumber
from agent.domain.record.command import Outcome, Verb
from agent.domain.sight.image import Image
from agent.errors import GateAgentError, RefusedError
from agent.lab.demo.commands import CommandOffice
from agent.lab.demo.gate_toml import CONFIG
from agent.lab.demo.passes import PassOffice
from agent.lab.demo.world import Subscriber, portrait
from agent.lab.servers import Mosquitto
from agent.operations.packs.choice import pack_of
from agent.operations.people.cards import bind, unbind_number
from agent.operations.people.enrol import EnrolmentRequest
from agent.vision.packs.manifest import pad_pack_names
from agent.vision.packs.packs import load_pack
from agent.vision.packs.place import packs_dir
from agent.vision.stills.images import read_image

_PIN, _BUTTON, _CONTACT = 17, 22, 27
_POINT = "north-entry"
_SIZE = (640, 480)
_STEP_TIMEOUT_S = 15.0
_RELAY_S = 0.5
_CARD, _UNKNOWN = CardNumber("h10301", 17, 4711), CardNumber("h10301", 17, 4712)
_PHONE_S = 0.7


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline."""

    at_s: float
    what: str
    saw: str
    ok: bool

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys."""
        return {"at_s": round(self.at_s, 2), "step": self.what, "saw": self.saw, "ok": self.ok}


def run_demo(state: Path, *, as_json: bool = False) -> int:
    """Show the timeline; 0 where every step went as it should, 1 otherwise.

    Raises:
        UnavailableError: mosquitto, a portrait or the model pack is missing.
    """
    logs.configure("error")
    pack = load_pack(pack_of(None, state), state).manifest.name
    failed = 0
    if not as_json:
        _print("a gate on simulated hardware: camera, thermometer, relay; a real broker\n")
        _print(f"{'time':>8}  {'what happens':<42} what was seen")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gate-demo-")))
        for step in _Demo(stack, folder, packs_dir(state), pack).steps():
            failed += not step.ok
            if as_json:
                _print(json.dumps(step.as_json()))
            else:
                mark = "" if step.ok else "   <-- should not be so"
                _print(f"{step.at_s:6.1f} s  {step.what:<42} {step.saw}{mark}")
    if not as_json:
        _print("\nevery step went as it should" if not failed else f"\n{failed} steps went wrong")
    return 1 if failed else 0


class _Demo:
    """The stage: a broker, a subscriber, an agent in a thread, and hands on its hardware."""

    def __init__(self, stack: ExitStack, folder: Path, packs: Path, pack: str) -> None:
        self._broker = Mosquitto(folder)
        self._broker.start()
        stack.callback(self._broker.stop)
        self._backend = Subscriber(self._broker.port)
        stack.callback(self._backend.close)
        state = folder / "state"
        state.mkdir(mode=FOLDER_MODE)
        # The demo's people are photographs: attack detection would have to refuse them.
        attacks = shutil.ignore_patterns(*pad_pack_names())
        shutil.copytree(packs, MODELS.at(state), symlinks=True, ignore=attacks)
        config = folder / "gate.toml"
        config.write_text(
            CONFIG.format(
                pin=_PIN,
                button=_BUTTON,
                contact=_CONTACT,
                port=self._broker.port,
                pack=pack,
            )
        )
        self._site = site_of(state, config)
        init_key(self._site.key_file)
        make_kiosk_keys(self._site)
        kiosk = signing_key(self._site).public_key()
        topics = topics_of(load_config(config))
        self._commander = CommandOffice(folder, self._backend, topics, kiosk)
        self._office = PassOffice(folder / "community.key")
        self._faces = {name: read_image(portrait(name)) for name in ("collins", "hopper")}
        self._nobody: Image = fit_scene(self._faces["collins"][:24, :24], *_SIZE)
        self._enrol("collins")
        self._camera = SimulatedCamera([self._nobody], loop=True)
        self._thermometer = SimulatedThermometer(36.4)
        stands = Stands({"front": self._camera}, self._thermometer)
        self._parts: Parts = open_parts(stack, load_config(config), state, stands)
        registry, now = self._parts.registry, self._parts.clock.now()
        registry.put_issuer(self._office.issuer, by="demo", now=now)
        self._carried = photographed_template(self._site, portrait("hopper"))
        self._agent = Agent(self._parts)
        self._start_s = time.monotonic()
        thread = threading.Thread(target=self._agent.run, name="agent")
        thread.start()
        stack.callback(thread.join, 10.0)
        stack.callback(self._agent.stop, "the demo is over")
        self._pins = PinBank(folder / "pins.bin")
        self._pulses = pulses_file(folder / "pins.bin", "pillar")

    def steps(self) -> Iterator[Step]:
        """The timeline, as it happens."""
        yield self._presents("a stranger stands before the camera", "hopper", "NoMatch")
        forged = self._office.draw("guest", "visitor", forged=True)
        yield self._presents("and shows a forged pass", None, "CredentialForged", forged)
        visitor = self._office.draw("guest", "visitor", template=self._carried)
        yield self._presents("the visitor, by the face on that pass", "hopper", None, visitor)
        resident = self._office.draw("collins", "resident")
        yield self._presents("a resident with a pass and a face", "collins", None, resident)
        yield self._deed("the stranger is enrolled", lambda: self._enrol("hopper"))
        yield self._presents("the same face again", "hopper", None)
        self._thermometer.temperature_c = 38.4
        yield self._presents("with an elevated skin reading", "hopper", "ElevatedTemperature")
        self._thermometer.temperature_c = 36.4
        yield self._deed("the holder is disabled", lambda: self._enable("hopper", enabled=False))
        yield self._presents("and comes again", "hopper", "CredentialNotEnabled")
        yield self._shows_card("somebody holds an unknown card up", _UNKNOWN, "NoMatch")
        yield self._deed("the caretaker's card is bound", self._bind)
        yield self._shows_card("and is held up", _CARD, None)
        yield self._deed("it is lost, and unbound", self._unbind)
        yield self._shows_card("whoever found it comes", _CARD, "NoMatch")
        yield self._pulls("the exit button is pressed", _BUTTON, "door.released", opens=True)
        yield self._pulls("the door is opened by force", _CONTACT, "door.forced", opens=False)
        yield self._deed("the gate is locked down", lambda: self._command("lockdown"))
        yield self._presents("a resident comes", "collins", "LockedDown")
        yield self._deed("the lockdown is over", lambda: self._command("resume"))
        # What was signed within the second of a person's word at the gate is late.
        time.sleep(1.0)
        unlock, command = self._commander.command(Verb.UNLOCK, f"access_point={_POINT}")
        yield self._commanded("a signed unlock comes over the broker", unlock, command, opens=True)
        yield self._commanded("the same bytes come again", unlock, command, opens=False)
        yield self._forged("a stranger signs an unlock")
        yield self._lost("three events are lost, and asked for again")
        yield self._deed("the broker is stopped", self._stop_broker)
        mark = self._backend.mark()
        yield self._opens_offline("another resident comes", "collins")
        yield self._returns("the broker is back", mark)

    def _presents(
        self, what: str, who: str | None, reason: str | None, phone: Image | None = None
    ) -> Step:
        """Somebody shows a phone, a face, or both; ``reason`` None expects a grant."""
        mark, changes = self._backend.mark(), self._pins.changes(_PIN)
        if phone is not None:
            self._camera.show(phone)
            time.sleep(_PHONE_S)
        if who is not None:
            self._show(who)
        event = self._backend.wait_for(_is_access, mark, _STEP_TIMEOUT_S)
        # The event is written before the relay moves, so it may be here first.
        opened = _wait(lambda: self._pins.changes(_PIN) > changes, _RELAY_S)
        self._leave()
        if event is None:
            return self._step(what, "no event", ok=False)
        data = event["data"]
        saw = _saw(data, opened=opened)
        return self._step(what, saw, ok=data["reason"] == reason and opened is (reason is None))

    def _shows_card(self, what: str, card: CardNumber, reason: str | None) -> Step:
        """A card is held up to the reader; ``reason`` None expects a grant, and says how soon."""
        revision = self._parts.registry.revision()
        _wait(lambda: self._agent.gallery_revision == revision, 3.0)
        mark, changes = self._backend.mark(), self._pins.changes(_PIN)
        shown_s = time.monotonic()
        bits = BUILT_IN[card.format].written(card.facility, card.number)
        play(self._pulses, train(bits, time.monotonic_ns()))
        opened = _wait(
            lambda: self._pins.changes(_PIN) > changes, _STEP_TIMEOUT_S if reason is None else 0.0
        )
        event = self._backend.wait_for(_is_access, mark, _STEP_TIMEOUT_S)
        opened = opened or self._pins.changes(_PIN) > changes
        opened_ms = (self._pins.changed_s(_PIN) - shown_s) * 1000.0
        self._leave()
        if event is None:
            return self._step(what, "no event", ok=False)
        data = event["data"]
        saw = _saw(data, opened=opened)
        saw = f"{saw} {opened_ms:.0f} ms after its last bit" if opened else saw
        return self._step(what, saw, ok=data["reason"] == reason and opened is (reason is None))

    def _bind(self) -> None:
        registry, now = self._parts.registry, self._parts.clock.now()
        holder = HolderId("caretaker")
        registry.put(Holder(holder, "Caretaker", "staff"), by="demo", now=now)
        bind(registry, _CARD, Card(holder), by="demo", now=now, move=False)

    def _unbind(self) -> None:
        unbind_number(self._parts.registry, _CARD, by="demo", now=self._parts.clock.now())

    def _pulls(self, what: str, pin: int, kind: str, *, opens: bool) -> Step:
        """Somebody presses a button, or the door moves, for half a second."""
        mark, changes = self._backend.mark(), self._pins.changes(_PIN)
        self._pins.set_input(pin, level=True)
        event = self._backend.wait_for(
            lambda one: one["type"] == f"gate.{kind}", mark, _STEP_TIMEOUT_S
        )
        opened = _wait(lambda: self._pins.changes(_PIN) > changes, _RELAY_S)
        self._pins.set_input(pin, level=False)
        _wait(lambda: not self._pins.level(_PIN), 3.0)
        saw = kind if event is not None else f"no {kind}"
        saw = f"{saw}, {_relay(opened=opened)}"
        return self._step(what, saw, ok=event is not None and opened is opens)

    def _commanded(self, what: str, data: bytes, command: bytes, *, opens: bool) -> Step:
        """A command comes that the kiosk answers by its signature."""
        changes = self._pins.changes(_PIN)
        reply = self._commander.answer(command, self._commander.send(data))
        opened = _wait(lambda: self._pins.changes(_PIN) > changes, _RELAY_S)
        _wait(lambda: not self._pins.level(_PIN), 3.0)
        if reply is None:
            return self._step(what, "no answer", ok=False)
        why = f": {reply.reason}" if reply.reason else ""
        saw = f"{reply.outcome}{why}, {_relay(opened=opened)}"
        done = reply.outcome is Outcome.DONE
        return self._step(what, saw, ok=done is opens and opened is opens)

    def _forged(self, what: str) -> Step:
        """A command by a key that the kiosk does not know: counted, and not answered."""
        changes = self._pins.changes(_PIN)
        stranger = Ed25519PrivateKey.generate()
        data, command = self._commander.command(Verb.UNLOCK, f"access_point={_POINT}", key=stranger)
        reply = self._commander.answer(command, self._commander.send(data), _RELAY_S)
        opened = self._pins.changes(_PIN) > changes
        said = "no answer" if reply is None else f"{reply.outcome}"
        return self._step(what, f"{said}, {_relay(opened=opened)}", ok=reply is None and not opened)

    def _lost(self, what: str) -> Step:
        """The backend lacks a few events in the middle of the stream."""
        events = self._backend.payloads()[-5:-2]
        same = self._commander.said_again(events)
        saw = "the same bytes came again" if same else "they did not come, or are others"
        return self._step(what, saw, ok=same)

    def _command(self, do: str) -> None:
        request = {"command": "door", "do": do, "access_points": [_POINT]}
        answer = ask(control_socket(None, self._site.state), request)
        if not answer.get("ok"):
            raise RefusedError("refused", str(answer.get("error")))

    def _opens_offline(self, what: str, who: str) -> Step:
        changes = self._pins.changes(_PIN)
        self._show(who)
        opened = _wait(lambda: self._pins.changes(_PIN) > changes, _STEP_TIMEOUT_S)
        self._leave()
        kept = self._parts.journal.pending()
        events = "event" if kept == 1 else "events"
        saw = f"{_relay(opened=opened)}, {kept} {events} kept in the journal"
        return self._step(what, saw, ok=opened and kept > 0)

    def _returns(self, what: str, mark: int) -> Step:
        self._broker.start()
        event = self._backend.wait_for(_is_access, mark, _STEP_TIMEOUT_S + 60.0)
        empty = _wait(lambda: self._parts.journal.pending() == 0, _STEP_TIMEOUT_S)
        arrived = event is not None and event["data"]["reason"] is None
        saw = "the grant's event arrived" if arrived else "the event did not arrive"
        return self._step(
            what, f"{saw}, {'nothing' if empty else 'something'} left", ok=arrived and empty
        )

    def _deed(self, what: str, deed: Callable[[], None]) -> Step:
        try:
            deed()
        except GateAgentError as error:
            return self._step(what, str(error), ok=False)
        return self._step(what, "done", ok=True)

    def _enrol(self, who: str) -> None:
        request = EnrolmentRequest(
            id=who, name=who.title(), category="resident", files=(str(portrait(who)),)
        )
        enrol_holder(self._site, request, by="demo")

    def _enable(self, who: str, *, enabled: bool) -> None:
        registry = self._parts.registry
        holder = registry.holder(HolderId(who))
        assert holder is not None
        registry.put(replace(holder, enabled=enabled), by="demo", now=self._parts.clock.now())

    def _stop_broker(self) -> None:
        self._broker.stop()

    def _show(self, who: str) -> None:
        revision = self._parts.registry.revision()
        _wait(lambda: self._agent.gallery_revision == revision, 3.0)
        self._camera.show(fit_scene(self._faces[who], *_SIZE))

    def _leave(self) -> None:
        """Nobody stands there until the pulse and the interval are over."""
        self._camera.show(self._nobody)
        time.sleep(1.1)
        _wait(lambda: not self._pins.level(_PIN), 3.0)

    def _step(self, what: str, saw: str, *, ok: bool) -> Step:
        return Step(time.monotonic() - self._start_s, what, saw, ok)


def _is_access(event: dict[str, Any]) -> bool:
    return event["type"] in ("gate.access.granted", "gate.access.denied")


def _saw(data: dict[str, Any], *, opened: bool) -> str:
    verdict = "granted" if data["reason"] is None else f"denied: {data['reason']}"
    score = f", score {data['score']:.3f}" if data.get("score") is not None else ""
    one = " 1:1" if data.get("compared") == "1:1" else ""
    return f"{verdict}{score}{one}, {_relay(opened=opened)}"


def _relay(*, opened: bool) -> str:
    return "relay pulsed" if opened else "relay at rest"


def _wait(holds: Callable[[], bool], timeout_s: float) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
