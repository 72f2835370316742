"""Whatever a decoder or parser raises on a stranger's bytes: the thread that asked lives on."""

import json
import struct
import threading
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import cbor2
import cv2
import numpy as np
import paho.mqtt.client as mqtt
import pytest
import segno
import zxingcpp
from health_parts import NOW, card_text, certificate_text, jwk, signer
from pass_parts import KEY, claims
from pyzbar import wrapper

from agent.adapters.broker.listener import Listener
from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.adapters.id_reader import text as card_text_block
from agent.adapters.id_reader.photo_decoder import MakersPhotoDecoder
from agent.adapters.manual_clock import ManualClock
from agent.app.open.id_reader import PhotoReader
from agent.app.threads.fault_line import FaultLine
from agent.app.threads.senses.camera import CameraWatcher
from agent.app.threads.senses.documents import DocumentKeys, DocumentWatcher
from agent.app.threads.senses.symbols import SymbolWatcher
from agent.app.threads.senses.verifier import CredentialVerifier, Sources
from agent.app.threads.worker import Slot, Worker
from agent.controller.inputs import CredentialShown, FaultCleared, FaultRaised, Input, Observed
from agent.credentials.formats import base45, cose
from agent.credentials.health.eu_dcc_rules import AcceptanceRules
from agent.credentials.health.trust import parse_trust
from agent.credentials.passes.gate_pass import issue
from agent.credentials.passes.issuers import IssuerKey, Issuers
from agent.domain.access.part import Part
from agent.domain.credential.presented import HealthPresented, PassPresented
from agent.domain.credential.reason import Reason
from agent.domain.foreign.boundary import UNREADABLE
from agent.domain.sight.image import Frame
from agent.errors import RefusedError
from agent.vision.symbols.symbols import SymbolWatch


class RustPanic(BaseException):
    """As pyo3's PanicException, which cryptography and cbor2 may raise: no ``Exception``."""


RAISED = [
    ValueError("what was shown"),
    cv2.error("OpenCV(4)"),
    RuntimeError(),
    MemoryError(),
    RecursionError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    struct.error("unpack"),
    KeyError("k"),
    AttributeError(),
    AssertionError(),
    RustPanic(),
]
errors = pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)


def raiser(error: BaseException) -> Any:
    def fail(*_arguments: object, **_named: object) -> NoReturn:
        raise error

    return fail


def code(text: str) -> np.ndarray:
    rows = list(segno.make_qr(text).matrix_iter(scale=4, border=4))
    grey = np.where(np.array(rows) > 0, 0, 255).astype(np.uint8)
    return np.dstack([grey, grey, grey])


def run(work: Callable[[], None]) -> None:
    """As the agent runs a thread; what leaves it fails the test."""
    died: list[BaseException] = []
    worker = Worker("under test", work, lambda _name, error: died.append(error))
    worker.start()
    assert worker.join(60.0)
    assert died == []


class Gate:
    """A symbol reader's thread with real credentials behind it."""

    def __init__(self) -> None:
        trust = parse_trust(signer().pem)
        self.sources = Sources(
            issuers=Issuers([IssuerKey(claims().issuer, KEY.public_key())]),
            community=None,
            trust=lambda _at: trust,
            rules=AcceptanceRules(),
            pack="dlib",
            pack_version="1",
            components=128,
        )
        self.said: list[Input] = []
        self.slot = Slot[Frame]()

    def show(self, *images: np.ndarray) -> list[Input]:
        """Each image once, in order, to one thread that reads real symbols."""
        left = [Frame(image, float(number), number) for number, image in enumerate(images)]
        slot = SimpleNamespace(take=lambda _s: left.pop(0) if left else None, finished=True)
        watcher = SymbolWatcher(
            "north-entry",
            SymbolWatch(),
            cast(Slot[Frame], slot),
            CredentialVerifier(lambda: self.sources),
            ManualClock(utc=NOW),
            self.said.append,
        )
        run(watcher.work)
        return self.said


BOTH = {PassPresented, HealthPresented}
BREAKABLE: list[tuple[Any, str, set[type]]] = [
    (zxingcpp, "read_barcodes", BOTH),
    (wrapper, "zbar_scan_image", BOTH),
    (cbor2, "CBORDecoder", set()),
    (zlib, "decompressobj", {PassPresented}),
    (base45, "decode", set()),
    (cose, "parse", {HealthPresented}),
    (cose, "verify", set()),
]
"""What is broken, and which credentials are still believed at most: those that do not need it."""


@errors
@pytest.mark.parametrize(
    ("library", "name", "believed"),
    BREAKABLE,
    ids=[f"{library.__name__}.{name}" for library, name, _ in BREAKABLE],
)
def test_the_symbols_thread_outlives_its_libraries(
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    library: Any,
    name: str,
    believed: set[type],
) -> None:
    gate = Gate()
    shown = [
        code(issue(claims(), KEY, NOW)),
        code(certificate_text()),
        code("GP1:NONSENSE"),
        code("shc:/5676"),
    ]
    with monkeypatch.context() as broken:
        broken.setattr(library, name, raiser(error))
        gate.show(*shown)
    presented = [cast(CredentialShown, one).presented for one in gate.said]
    assert {type(one) for one in presented if one.reason is None} <= believed
    # And the next credential is read as ever.
    gate.said.clear()
    gate.show(code(certificate_text()))
    assert [cast(CredentialShown, one).presented.reason for one in gate.said] == [None]


@errors
def test_a_camera_thread_outlives_a_frame_on_which_vision_raises(error: BaseException) -> None:
    frames = [Frame(code("x"), float(number), number) for number in range(5)]
    slot = SimpleNamespace(take=lambda _s: frames.pop(0) if frames else None, finished=True)
    looks: list[int] = []

    def observe(frame: Frame, _index: object) -> Any:
        looks.append(frame.number)
        if frame.number in (1, 2):
            raise error
        return f"observation {frame.number}"

    said: list[Input] = []
    watcher = CameraWatcher(
        cast(Any, SimpleNamespace(observe=observe, settle=print, compare=lambda _claim: None)),
        cast(Slot[Frame], slot),
        lambda: cast(Any, None),
        said.append,
        lambda: None,
        FaultLine(Part("camera:front"), said.append),
    )
    run(watcher.work)
    assert looks == [0, 1, 2, 3, 4]
    assert said == [Observed(cast(Any, f"observation {number}")) for number in (0, 3, 4)]


def test_a_camera_whose_frames_all_fail_is_a_fault_until_one_does_not() -> None:
    frames = [Frame(code("x"), float(number), number) for number in range(60)]
    slot = SimpleNamespace(take=lambda _s: frames.pop(0) if frames else None, finished=True)

    def observe(frame: Frame, _index: object) -> Any:
        if frame.number < 50:
            raise cv2.error("OpenCV(4)")
        return "seen"

    said: list[Input] = []
    watcher = CameraWatcher(
        cast(Any, SimpleNamespace(observe=observe, settle=print, compare=lambda _claim: None)),
        cast(Slot[Frame], slot),
        lambda: cast(Any, None),
        said.append,
        lambda: None,
        FaultLine(Part("camera:front"), said.append),
    )
    run(watcher.work)
    faults = [one for one in said if isinstance(one, FaultRaised | FaultCleared)]
    assert [type(one) for one in faults] == [FaultRaised, FaultCleared]
    assert len(said) == 2 + 10


class Reader:
    """An ID reader whose driver raises once and then finds nothing."""

    def __init__(self, error: BaseException) -> None:
        self.errors = [error]

    def read(self, _timeout_s: float) -> None:
        if self.errors:
            raise self.errors.pop()

    def close(self) -> None:
        """Nothing to close."""


@errors
def test_the_id_reader_thread_outlives_a_card(error: BaseException) -> None:
    said: list[Input] = []
    watcher = DocumentWatcher(
        "north-entry",
        cast(Any, Reader(error)),
        DocumentKeys(lambda: bytes(32), None),
        CredentialVerifier(lambda: pytest.fail("no symbol is shown")),
        ManualClock(),
        said.append,
    )
    for _ in range(3):
        watcher.look()
    [shown] = said
    assert cast(CredentialShown, shown).presented.reason is Reason.OTHER


@errors
def test_a_card_that_trips_its_parser_is_unreadable(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(card_text_block, "check", raiser(error))
    with pytest.raises(RefusedError) as refused:
        card_text_block.decode_document(bytes(256), b"")
    assert refused.value.reason == "unreadable_document"


@errors
def test_a_photograph_that_trips_its_decoder_is_no_template(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    decoder = MakersPhotoDecoder("builtins:bytes")
    monkeypatch.setattr(decoder, "_function", raiser(error))
    assert PhotoReader(decoder, cast(Any, None)).template(bytes(1024)) is None
    # Nor where what looks for the face in it raises.
    monkeypatch.setattr(decoder, "_function", lambda _photo: np.zeros((64, 64, 3), np.uint8))
    engine = SimpleNamespace(detect=raiser(error), find=raiser(error))
    assert PhotoReader(decoder, cast(Any, engine)).template(bytes(1024)) is None


@errors
def test_a_message_of_the_broker_ends_no_connection(error: BaseException) -> None:
    heard = threading.Event()

    def listen(payload: bytes) -> None:
        if payload == b"hostile":
            raise error
        heard.set()

    broker = PahoBroker(
        BrokerSettings("127.0.0.1", 1, "kiosk", "will", {}),
        BrokerCallbacks(lambda: None, print, lambda _mid, _why: None, {"topic": Listener(listen)}),
    )
    before = UNREADABLE.read().get("broker message", 0)
    for payload in (b"hostile", b"good"):
        message = mqtt.MQTTMessage(topic=b"topic")
        message.payload = payload
        broker._on_message(None, None, message)
    assert heard.is_set()
    assert UNREADABLE.read()["broker message"] == before + 1


def test_a_card_of_a_known_key_is_believed_by_the_same_way() -> None:
    """So that the tests above break what would have been right."""
    gate = Gate()
    trust = parse_trust(json.dumps({"keys": [jwk()]}))
    gate.sources = Sources(
        **{
            **{name: getattr(gate.sources, name) for name in Sources.__slots__},
            "trust": lambda _at: trust,
        }
    )
    gate.show(code(card_text()))
    assert [cast(CredentialShown, one).presented.reason for one in gate.said] == [None]
