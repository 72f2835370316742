"""Warnings about inputs, areas and thermometers: what is allowed but seldom meant."""

from pathlib import Path

import pytest
from places import ROOT

from agent.config import (
    AreaConfig,
    BrokerConfig,
    CameraConfig,
    InputConfig,
    RuleConfig,
    ThermometerConfig,
    load_config,
)
from agent.config.base import Table
from agent.config.relations import whole_of

EXAMPLE = ROOT / "config" / "gate.example.toml"


def told(table: type[Table], tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    text = EXAMPLE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "gate.toml"
    file.write_text(text)
    return [one[1] for one in table.warnings(whole_of(load_config(file).config))]


def wired(kind: str, active_high: str, pull: str) -> tuple[tuple[str, str], ...]:
    return (
        ('kind = "contact" ', f'kind = "{kind}" '),
        ("active_high = true            # the level", f"active_high = {active_high} # the level"),
        ('pull = "up" ', f'pull = "{pull}" '),
    )


@pytest.mark.parametrize("kind", ["contact", "tamper", "fire", "rex", "passage", "duress"])
@pytest.mark.parametrize("active_high", ["true", "false"])
@pytest.mark.parametrize("pull", ["up", "down", "none"])
def test_a_cut_wire_is_an_alarm_of_what_guards_and_no_wish_of_what_asks(
    kind: str, active_high: str, pull: str, tmp_path: Path
):
    # A cut wire leaves the pin at its pull.
    cut_is_active = (pull == "up") == (active_high == "true")
    wanted = kind in ("contact", "tamper", "fire")
    warned = [
        text
        for text in told(InputConfig, tmp_path, *wired(kind, active_high, pull))
        if "cut" in text
    ]
    assert len(warned) == (0 if pull == "none" or cut_is_active is wanted else 1)
    assert all("north-contact" in text for text in warned)


ENTERS = ('# to_area = "garden"', 'to_area = "garden"')
LEAVES = ('# from_area = "garden"', 'from_area = "garden"')
HARD = ('anti_passback = "off"', 'anti_passback = "hard"')


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((), []),
        ((HARD,), ["nobody is ever inside"]),
        ((ENTERS,), []),
        ((ENTERS, HARD), ["in once and is refused then"]),
        ((ENTERS, ('anti_passback = "off"', 'anti_passback = "timed"')), []),
    ],
)
def test_an_area_without_a_way_in_or_out_is_told(
    changes: tuple[tuple[str, str], ...], words: list[str], tmp_path: Path
):
    found = [
        text for text in told(AreaConfig, tmp_path, *changes) if text.startswith("area garden")
    ]
    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))


def test_a_hard_area_with_a_way_out_is_no_risk(tmp_path: Path):
    exit_point = (
        '[[camera]]\nid = "back"\nkind = "opencv"\nsource = 1\n\n'
        '[[access_point]]\nid = "north-exit"\ndirection = "exit"\ncamera = "back"\n'
        'door = "turnstile"\nfrom_area = "garden"\n\n[[input]]'
    )
    found = told(AreaConfig, tmp_path, ENTERS, HARD, ("[[input]]", exit_point))
    assert not [text for text in found if text.startswith("area")]


def test_a_key_of_another_thermometer_is_told(tmp_path: Path):
    part = 'kind = "mlx90614"\nfield_of_view_deg = 5\nrefresh_hz = 8 # '
    found = told(
        ThermometerConfig,
        tmp_path,
        ('kind = "none"                 # none | simulated | mlx', part),
    )
    expected = "[thermometer] refresh_hz says nothing to kind = 'mlx90614', only to 'mlx90640'"
    assert found == [expected]


@pytest.mark.parametrize(
    ("source", "scheme"),
    [
        ("http://192.168.1.7/stream.mjpg", "http"),
        ("HTTP://camera.example:8080/", "http"),
        ("rtsp://user:secret@10.0.0.9/live", "rtsp"),
        (" rtsp://10.0.0.9/live", "rtsp"),
        ("udp://@239.0.0.1:1234", "udp"),
        ("https://camera.example/stream", None),
        ("rtsps://10.0.0.9/live", None),
        ("http://localhost:8080/", None),
        ("http://[::1]/", None),
        ("http://[broken/", None),
        ("/dev/video0", None),
        ("film.mp4", None),
    ],
)
def test_a_stream_that_others_may_see_or_change_is_warned_of(
    source: str, scheme: str | None, tmp_path: Path
):
    text = EXAMPLE.read_text()
    camera = f'[[camera]]\nid = "side"\nkind = "opencv"\nsource = "{source}"\n\n[[camera]]'
    file = tmp_path / "gate.toml"
    file.write_text(text.replace("[[camera]]", camera, 1))
    words = [one[1] for one in CameraConfig.warnings(whole_of(load_config(file).config))]
    assert [word for word in words if "secret" in word or "10.0" in word] == []
    assert [word.startswith(f"camera side is read over {scheme}://") for word in words] == (
        [] if scheme is None else [True]
    )


@pytest.mark.parametrize(
    ("protocol", "kiosk", "warned"),
    [("3.1.1", "north.1", 1), ("5", "north.1", 0), ("3.1.1", "north-1_b", 0)],
)
def test_a_dot_in_a_name_is_warned_of_where_brokers_part_at_it(
    protocol: str, kiosk: str, warned: int, tmp_path: Path
):
    changes = (
        ('id = "north-1"', f'id = "{kiosk}"'),
        ('protocol = "5"', f'protocol = "{protocol}"'),
    )
    texts = told(BrokerConfig, tmp_path, *changes)
    assert sum("'north.1': with RabbitMQ it becomes a /" in text for text in texts) == warned


UNKNOWN = ("# accept_unknown_holders = true", "accept_unknown_holders = true")


@pytest.mark.parametrize(
    ("categories", "warned"),
    [('["resident", "staff"]', 1), ('["visitor"]', 0), ('["visitor", "staff"]', 1)],
)
def test_who_lives_here_should_be_known(categories: str, warned: int, tmp_path: Path):
    changes = (UNKNOWN, ('categories = ["resident", "staff"]', f"categories = {categories}"))
    texts = told(RuleConfig, tmp_path, *changes)
    assert any("accept_unknown_holders" in text for text in texts) == warned
    assert not any("accept_unknown_holders" in text for text in told(RuleConfig, tmp_path))
