"""Which pack is used: written down once, told with its reason, and never another by itself."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pack_parts import MANIFEST

from agent.config.tables.face import CHOSEN_PACK, FaceConfig
from agent.errors import ModelPackError, NotInstalledError, UnavailableError
from agent.operations.packs import choice, set_up
from agent.operations.packs.choice import (
    Choice,
    choice_of,
    choose,
    in_use,
    keep_first,
    pack_of,
    pad_troubles,
    write_choice,
)
from agent.operations.packs.install import install
from agent.operations.packs.web import Patience
from agent.vision.packs.manifest import read_manifest
from agent.vision.packs.place import CHOICE_NAME, CHOSEN

Packs = Callable[[str], None]

PAD = """
[pad]
bound = 4.0
bound_measured_on = "nothing"

[[pad.model]]
file = "embedder.onnx"
width_px = 80
height_px = 80
channels = "bgr"
mean = [0.0, 0.0, 0.0]
scale = [1.0, 1.0, 1.0]
crop = { shape = "box", scale = 2.7, border = "clamp", resize = "linear" }
output = "logits"
output_kind = "logits"
classes = 3
bona_fide_class = 1

[pad.threshold]
score = 0.5
basis = "provisional"
measured_on = "nothing"
bona_fide = 0
attacks = 0
measured_for = []
not_measured_for = ["anybody"]
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def several(manifests: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``little`` is recommended, ``other`` can always be had, ``watchful`` detects attacks."""
    face = MANIFEST.replace("not_measured_for = []", 'not_measured_for = ["giants"]')
    (manifests / "little.toml").write_text(face)
    (manifests / "other.toml").write_text(face.replace('name = "little"', 'name = "other"'))
    (manifests / "tests.toml").write_text(
        face.replace('name = "little"', 'name = "tests"\nfor_tests_only = true')
    )
    pad = MANIFEST[: MANIFEST.index("[detector]")].replace('"little"', '"watchful"')
    (manifests / "watchful.toml").write_text(pad + PAD)
    for module in (choice, set_up):
        monkeypatch.setattr(module, "RECOMMENDED", "little")
        monkeypatch.setattr(module, "ALWAYS_TO_BE_HAD", "other")
    return manifests


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No source answers."""
    monkeypatch.setenv("GATE_AGENT_MODELS_MIRROR", "http://127.0.0.1:9/")


def test_config_and_packs_mean_the_same_by_the_word_for_the_chosen_one() -> None:
    assert CHOSEN_PACK == CHOSEN == FaceConfig().pack


def test_what_is_named_goes_before_what_was_chosen(several: Path, state: Path) -> None:
    state.mkdir()
    write_choice(state, Choice("little", "a reason"))
    assert pack_of("other", state) == "other"
    assert pack_of(None, state) == pack_of(CHOSEN, state) == "little"
    assert in_use("other", state).why == "the config names it"
    assert in_use(CHOSEN, state).why == "a reason"


def test_the_first_installed_stays_in_use_when_another_comes(
    several: Path, brought: Path, state: Path
) -> None:
    install("other", state, brought)
    keep_first(state, "other")
    install("little", state, brought)
    keep_first(state, "little")
    assert pack_of(None, state) == "other"
    assert in_use(None, state).why == "it was the first to be installed"
    choose(state, "little")
    assert pack_of(None, state) == "little"


def test_what_was_in_use_before_choices_were_written_down_stays(
    several: Path, brought: Path, state: Path
) -> None:
    install("other", state, brought)
    assert pack_of(None, state) == "other"
    install("little", state, brought)
    keep_first(state, "little")
    assert pack_of(None, state) == "other"


def test_a_pack_for_tests_or_for_attacks_is_never_chosen_by_itself(
    several: Path, brought: Path, state: Path
) -> None:
    for name in ("tests", "watchful"):
        install(name, state, brought)
        keep_first(state, name)
    assert choice_of(state) is None
    assert pack_of(None, state) == "other"  # which can always be had, and is to be installed


def test_a_pack_that_is_away_is_told_as_that(several: Path, brought: Path, state: Path) -> None:
    fresh = in_use(None, state)
    assert (fresh.pack, fresh.installed) == ("other", False)
    assert "nothing was chosen yet (gate-agent models setup)" in fresh.why
    assert "NOT installed: no face is known until gate-agent models install other" in "\n".join(
        fresh.lines()
    )
    install("other", state, brought)
    assert in_use(None, state).installed
    assert "NOT installed: no" not in "\n".join(in_use(None, state).lines())


def test_where_several_are_installed_and_none_was_chosen_the_fix_is_told(
    several: Path, brought: Path, state: Path
) -> None:
    for name in ("little", "other"):
        install(name, state, brought)
    with pytest.raises(
        ModelPackError, match=r"none was chosen here\nFix: gate-agent models choose"
    ):
        read_manifest(pack_of(None, state))
    with pytest.raises(ModelPackError, match="which one was chosen cannot be read"):
        set_up.set_up(state, patience=Patience(1))


@pytest.mark.parametrize("note", ["", "{", "[]", '{"pack": 1}', '{"pack": "a", "why": "b"}'])
def test_a_note_that_cannot_be_read_chooses_nothing(
    several: Path, brought: Path, state: Path, note: str
) -> None:
    install("little", state, brought)
    (state / CHOICE_NAME).write_text(note)
    assert choice_of(state) is None
    assert pack_of(None, state) == CHOSEN
    with pytest.raises(ModelPackError, match="models choose"):
        set_up.set_up(state, patience=Patience(1))


def test_only_an_installed_face_pack_can_be_chosen(
    several: Path, brought: Path, state: Path
) -> None:
    with pytest.raises(NotInstalledError, match="models install little"):
        choose(state, "little")
    with pytest.raises(ModelPackError, match="tells attacks"):
        choose(state, "watchful")
    with pytest.raises(ModelPackError, match="there are: little, other, watchful"):
        choose(state, "unknown")


def test_attack_detection_that_is_damaged_or_alone_is_told(
    several: Path, brought: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "pad_pack_names", lambda: ("absent", "watchful"))
    assert pad_troubles(state) == [], "without any, the rules say what that means"
    install("watchful", state, brought)
    (alone,) = pad_troubles(state)
    assert "watchful without absent" in alone
    assert "models install absent" in alone
    install("little", state, brought)
    assert any("NOT installed: absent" in line for line in in_use("little", state).lines())
    (state / "models" / "watchful" / "embedder.onnx").unlink()
    damaged, alone = pad_troubles(state)
    assert "the attack detection watchful cannot be used" in damaged
    assert "\n" not in damaged


def test_set_up_takes_the_recommended_pack_and_attack_detection(
    several: Path, server: Path, state: Path
) -> None:
    found = set_up.set_up(state, patience=Patience(20))
    assert (found.pack, found.attack_detection, found.missing) == ("little", ("watchful",), {})
    assert found.lines() == [
        "model pack: little 1, because it is the recommended one",
        "  not measured for: giants",
        "attack detection: watchful",
    ]
    before = (state / CHOICE_NAME).stat().st_mtime_ns
    assert set_up.set_up(state, patience=Patience(20)) == found
    assert (state / CHOICE_NAME).stat().st_mtime_ns == before


def test_set_up_looks_into_the_folder_before_any_source(
    several: Path, nowhere: None, brought: Path, state: Path, tmp_path: Path
) -> None:
    own = tmp_path / "usb" / "little"
    own.parent.mkdir()
    brought.rename(own)
    found = set_up.set_up(state, brought=own.parent, patience=Patience(20))
    assert found.pack == "little"
    assert list(found.missing) == ["watchful"]
    told = "\n".join(found.lines())
    assert "attack detection: NONE is installed: a resident's photograph may pass" in told
    assert "NOT installed: watchful (release.tar.gz could not be downloaded: 127.0.0.1" in told


def test_where_the_recommended_pack_cannot_be_had_another_is_taken_and_told(
    several: Path, nowhere: None, brought: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def installed(name: str, place: Path, folder: Path | None, *_: object, **__: object) -> None:
        install(name, place, brought if name == "other" else folder)

    monkeypatch.setattr(set_up, "install", installed)
    found = set_up.set_up(state, patience=Patience(20))
    assert found.pack == "other"
    assert found.why.startswith("little could not be had: release.tar.gz could not be downloaded")
    assert "recommended: little. Later: gate-agent models install little" in "\n".join(
        found.lines()
    )
    monkeypatch.delenv("GATE_AGENT_MODELS_MIRROR")
    install("little", state, brought)
    assert set_up.set_up(state, patience=Patience(20)).pack == "other"


def test_where_people_are_enrolled_the_pack_of_an_earlier_version_stays(
    several: Path, server: Path, brought: Path, state: Path
) -> None:
    install("other", state, brought)
    assert set_up.set_up(state, patience=Patience(20), has_people=True).pack == "other"
    assert json.loads((state / CHOICE_NAME).read_text())["pack"] == "other"


def test_a_wrong_file_in_the_folder_is_told_where_no_source_has_it(
    several: Path, nowhere: None, brought: Path, state: Path
) -> None:
    (brought / "release.tar.gz").write_bytes(b"another")
    with pytest.raises(ModelPackError, match="is not the file its manifest declares"):
        set_up.set_up(state, brought=brought, patience=Patience(20))
    with pytest.raises(UnavailableError, match="is no folder"):
        set_up.set_up(state, brought=brought / "absent", patience=Patience(20))


def test_set_up_that_cannot_write_says_whose_folder_it_is(several: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError, match="owns the state directory"):
        set_up.set_up(tmp_path / "file", patience=Patience(1))


def test_concurrent_reading_never_sees_half_a_note(several: Path, state: Path) -> None:
    state.mkdir()
    choices = [Choice("little", "a" * 3000), Choice("other", "b" * 9000)]
    write_choice(state, choices[0])
    ended = threading.Event()

    def write() -> None:
        for i in range(30):
            write_choice(state, choices[i % 2])
        ended.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = {choice_of(state) and pack_of(None, state)}
    while not ended.is_set():
        seen.add(pack_of(None, state))
        time.sleep(0)
    thread.join()
    assert seen <= {"little", "other"}
