"""The config of a first gate: whatever was answered, the file says exactly that."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config import GateConfig, load_config
from agent.operations.config.describe import risks
from agent.operations.config.first_answers import header_position
from agent.operations.config.first_asking import NotTakenError, Question, answered, remark
from agent.operations.config.first_found import Found
from agent.operations.config.first_gate import (
    Eye,
    FirstGate,
    config_of,
    config_text,
    objection,
)
from agent.operations.config.first_questions import questions

NAMES = st.from_regex(r"\A[A-Za-z0-9._-]{1,64}\Z")
# Whatever a file can hold: quotes, line ends, the character that only TOML forbids.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
PATHS = TEXTS.filter(lambda one: "://" not in one)
EYES = st.one_of(
    st.builds(Eye, st.just("picamera2"), st.integers(0, 3)),
    st.builds(Eye, st.just("opencv"), st.one_of(st.integers(0, 9), TEXTS)),
    st.builds(Eye, st.just("simulated"), st.lists(PATHS, min_size=1, max_size=3).map(tuple)),
)
FACTORS = ("face", "pass+face", "pass")


@st.composite
def gates(draw: st.DrawFn) -> FirstGate:
    high = draw(st.booleans())
    relay = draw(st.integers(9, 27) if high else st.integers(2, 8))
    others = draw(
        st.lists(st.sampled_from([pin for pin in range(4, 28) if pin != relay]), unique=True)
    )
    contact, button, fire, *_ = (*others, None, None, None)
    user = draw(st.none() | st.text("abc 李\"'\\", min_size=1, max_size=9))
    return FirstGate(
        community=draw(NAMES),
        grid=draw(NAMES),
        kiosk=draw(NAMES),
        timezone=draw(st.sampled_from(("UTC", "Asia/Shanghai", "Europe/Berlin"))),
        camera=draw(EYES),
        pins=draw(st.sampled_from(("lgpio", "simulated", "mock"))),
        active_high=high,
        relay_pin=relay,
        pulse_s=draw(st.floats(0.1, 30.0)),
        contact_pin=contact,
        exit_pin=button,
        fire_pin=fire,
        broker=draw(st.none() | st.text("abc.-", min_size=1, max_size=20)),
        broker_port=draw(st.integers(1, 65_535)),
        broker_user=user,
        broker_password_file=None if user is None else draw(st.none() | TEXTS),
        voice=draw(st.sampled_from(("none", "aplay", "simulated"))),
        languages=draw(st.sampled_from((("zh",), ("en",), ("zh", "en"), ("en", "zh")))),
        factors=draw(st.lists(st.sampled_from(FACTORS), min_size=1, unique=True).map(tuple)),
        accept_no_pad=True,
        key_file=draw(st.none() | TEXTS),
    )


@given(gates())
def test_the_file_says_exactly_what_was_answered(
    tmp_path_factory: pytest.TempPathFactory, gate: FirstGate
) -> None:
    file = tmp_path_factory.getbasetemp() / "gate.toml"
    file.write_text(config_text(gate), encoding="utf-8")
    config = load_config(file, ()).config
    assert (config.kiosk.community, config.kiosk.grid, config.kiosk.id) == (
        gate.community,
        gate.grid,
        gate.kiosk,
    )
    assert config.kiosk.timezone == gate.timezone
    (camera,) = config.camera
    source = tuple(camera.source) if isinstance(camera.source, list) else camera.source
    assert Eye(camera.kind, source) == gate.camera
    (door,) = config.door
    assert (door.pin, door.active_high, door.pulse_s) == (
        gate.relay_pin,
        gate.active_high,
        gate.pulse_s,
    )
    assert door.pin_factory == gate.pins
    wired = {str(one.kind): one.pin for one in config.input}
    asked = {"contact": gate.contact_pin, "rex": gate.exit_pin, "fire": gate.fire_pin}
    assert wired == {kind: pin for kind, pin in asked.items() if pin is not None}
    assert [one.factors for one in config.rule] == [gate.factors]
    if gate.broker is None:
        assert config.broker is None
    else:
        assert config.broker is not None
        assert (config.broker.host, config.broker.port) == (gate.broker, gate.broker_port)
        assert config.broker.username == gate.broker_user
        assert _name(config.broker.password_file) == _path(gate.broker_password_file)
    assert config.voice.kind == gate.voice
    assert gate.voice == "none" or config.voice.languages == gate.languages
    assert _name(config.store.key_file) == _path(gate.key_file)
    assert objection(gate, ()) is None


def _name(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _path(name: str | None) -> str | None:
    return None if name is None else str(Path(name))


def test_only_what_differs_from_the_defaults_is_written() -> None:
    config = config_of(FirstGate(pins="lgpio", factors=("face", "pass+face"), accept_no_pad=True))
    needed = {
        "kiosk": {"community", "grid", "id"},
        "camera": {"id", "kind"},
        "door": {"id", "kind", "pin", "active_high"},
        "access_point": {"id", "direction", "camera", "door"},
        "rule": {"categories"},
        "face": {"accept_no_pad"},
    }
    said = {name: getattr(config, name) for name in config.model_fields_set}
    tables = {name: one[0] if isinstance(one, tuple) else one for name, one in said.items()}
    assert {name: set(one.model_fields_set) for name, one in tables.items()} == needed


def test_whoever_answers_all_is_warned_of_nothing(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("not read here")
    gate = FirstGate(
        camera=Eye("picamera2"),
        pins="lgpio",
        contact_pin=6,
        exit_pin=5,
        fire_pin=20,
        broker="broker.example",
        broker_port=8883,
        broker_ca="ca.pem",
        factors=("face", "pass+face"),
        key_file="gallery.key",
    )
    file = tmp_path / "gate.toml"
    file.write_text(config_text(gate))
    assert risks(load_config(file, ("antispoof",)), ("antispoof",)) == []


def test_a_long_value_stands_apart_from_its_comment() -> None:
    broker = replace(FirstGate(), broker="broker.example", broker_ca=f"/etc/{'x' * 40}.pem")
    (row,) = [row for row in config_text(broker).splitlines() if row.startswith("ca_file")]
    assert row.endswith('.pem" # TLS, by this authority')


def asked(name: str) -> Question:
    return next(one for one in questions(Path("/etc/gate")) if one.name == name)


REAL = FirstGate(pins="lgpio", contact_pin=20)


@pytest.mark.parametrize(
    ("name", "word", "why"),
    [
        ("kiosk", "north 1", "not the form"),
        ("community", "\udcff", "no text"),
        ("timezone", "Asia/Shanghia", "did you mean 'Asia/Shanghai'"),
        ("timezone", "shanghai", "did you mean 'Asia/Shanghai'"),
        ("camera", "no-film.mp4", "there is no file"),
        ("camera", "picamera2:x", "no whole number"),
        ("pins", "lpgio", "did you mean 'lgpio'"),
        ("relay-level", "hi", "none of them"),
        ("relay-pin", "28", "there is no BCM 28"),
        ("relay-pin", "1", "EEPROM"),
        ("relay-pin", "4", "at power-on the Pi pulls pin 4 up"),
        ("relay-pin", "20", "already"),
        ("exit-pin", "17", "already that of door"),
        ("pulse", "31", "less than or equal to 30"),
        ("pulse", "nan", "no number"),
        ("thermometer", "mlx90641", "did you mean 'mlx9064"),
        ("field-of-view", "5.5", "no whole number"),
        ("id-reader", "reader", "no path in /dev"),
        ("broker-port", "0", "greater than or equal to 1"),
        ("rule", "id_document+pass", "no [id_reader]"),
        ("rule", "face", "no presentation attack detection"),
        ("language", "de", "none of them"),
        ("accept-no-pad", "maybe", "neither yes nor no"),
    ],
)
def test_a_wrong_answer_is_told_why(name: str, word: str, why: str) -> None:
    with pytest.raises(NotTakenError, match=r"\w") as refused:
        answered(asked(name), word, replace(REAL, broker="b"), Found())
    assert why in str(refused.value)


def test_a_low_relay_gets_a_pin_at_which_it_rests_at_power_on() -> None:
    low = answered(asked("relay-level"), "low", REAL, Found())
    assert low.relay_pin == 5
    said = remark(asked("relay-pin"), low)
    assert said is not None
    assert said.startswith("BCM 5 is pin 29 of the header; at power-on the Pi pulls it up")


def test_a_resistor_makes_every_pin_fit() -> None:
    held = answered(asked("relay-pin"), "4", replace(REAL, pull_resistor=True), Found())
    assert objection(held, ()) is None
    assert "a resistor holds the relay at rest" in str(remark(asked("relay-pin"), held))


def test_the_header_has_each_place_once() -> None:
    places = [header_position(pin) for pin in range(28)]
    assert len(set(places)) == 28
    # As printed on the board: ground, 3.3 V and 5 V are no GPIO.
    assert not set(places) & {1, 2, 4, 6, 9, 14, 17, 20, 25, 30, 34, 39}
    assert (header_position(17), header_position(2), header_position(21)) == (11, 3, 40)


def test_every_default_that_is_offered_is_taken() -> None:
    for found in (Found(), Found(header=True, pad=("antispoof",), cameras={"picamera2": "imx708"})):
        gate = FirstGate()
        for question in questions(Path("/etc/gate")):
            default = question.default(gate, found)
            if default is not None and question.needs(gate, found):
                gate = answered(question, default, gate, found)
        assert isinstance(config_of(gate), GateConfig)


def test_what_a_host_is_called_becomes_a_name_that_a_topic_takes() -> None:
    assert Found(host="gate pi.local").kiosk == "gate-pi"
    assert Found(host="闸机").kiosk == "kiosk"
