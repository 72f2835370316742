"""Changing packs: who has references of which, who is made new ones, who must come again."""

import threading
from pathlib import Path

import numpy as np
import pytest

from agent.domain.credential.holder import Holder, HolderId
from agent.domain.sight.comparison import Metric
from agent.domain.sight.merging import Merging
from agent.errors import EnrolmentRefusedError, RefusedError
from agent.operations.people import re_enrol as module
from agent.operations.people.photographs import Photograph
from agent.operations.people.re_enrol import (
    Failure,
    Making,
    Sources,
    photographs_in,
    re_enrol,
    standing,
)
from agent.ports import Reference
from agent.vision.packs.manifest import read_manifest

ANN, BOB, ZED, LIN = map(HolderId, ("ann", "bob", "zed", "lin.2"))
PEOPLE = {one: Holder(one, "A Name", "resident") for one in (ANN, BOB, ZED, LIN)}
MERGING = Merging(0.5, 0.2, Metric.COSINE, unit_length=True)


Stored = dict[HolderId, tuple[Reference, ...]]


class Engine:
    """The template of a file is told by its content; nothing is seen in an empty one."""

    manifest = read_manifest("dlib")


@pytest.fixture(autouse=True)
def _reads_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(file: str, engine: Engine, *, force: bool) -> Photograph:
        text = Path(file).read_text()
        if not text and not force:
            raise EnrolmentRefusedError("no_face", f"{file}: no face was found\nFix: another")
        angle = np.radians(float(text or 0))
        return Photograph(file, np.array([np.cos(angle), np.sin(angle)], np.float32), {})

    monkeypatch.setattr(module, "read_photograph", read)


def run(folder: Path, before: module.Standing, **how) -> tuple[module.ReEnrolment, Stored]:
    stored: Stored = {}
    files, strangers = photographs_in(folder, PEOPLE)
    making = Making(how.pop("open_engine", Engine), MERGING, how.pop("force", False))

    def store(holder: Holder, references: tuple[Reference, ...]) -> None:
        assert threading.current_thread() is threading.main_thread()
        if holder.id == how.get("taken"):
            raise RefusedError("changed_meanwhile", "somebody was faster")
        stored[holder.id] = references

    sources = Sources(files, how.get("kept", lambda _holder: []), strangers)
    made = re_enrol(before, PEOPLE, sources, making, store, workers=2)
    return made, stored


def test_versions_of_a_pack_are_packs_of_their_own() -> None:
    packs = [
        (ANN, "dlib", "1", 1),
        (ANN, "new", "1", 1),
        (BOB, "new", "2", 2),
        (ZED, "new", "1", 1),
    ]
    found = standing(packs, "new", "1")
    assert (found.have, found.lack) == ((ANN, ZED), (BOB,))


def test_files_and_folders_are_told_by_id_and_what_is_nobodys_is_named(tmp_path: Path) -> None:
    (tmp_path / "lin.2").mkdir()
    for name in ("ann.jpg", "ann.png", "lin.2/b.jpg", "lin.2/a.jpg", "nobody.jpg", ".hidden"):
        (tmp_path / name).touch()
    found, strangers = photographs_in(tmp_path, PEOPLE)
    assert {owner: [one.name for one in files] for owner, files in found.items()} == {
        ANN: ["ann.jpg", "ann.png"],
        LIN: ["a.jpg", "b.jpg"],
    }
    assert strangers == ("nobody.jpg",)
    with pytest.raises(RefusedError, match="--photos"):
        photographs_in(tmp_path / "gone", PEOPLE)


def test_each_gets_references_or_a_reason_and_nobody_holds_up_the_rest(tmp_path: Path) -> None:
    for name, text in {"ann": "0", "bob": "", "zed": "0"}.items():
        (tmp_path / f"{name}.jpg").write_text(text)
    before = standing([(one, "dlib", "1", 1) for one in PEOPLE], "new", "1")
    made, stored = run(tmp_path, before, taken=ZED)
    assert list(stored) == [ANN]
    file = tmp_path / "bob.jpg"
    assert made.failed == (
        Failure(BOB, "no_face", f"{file}: no face was found"),
        Failure(ZED, "changed_meanwhile", "somebody was faster"),
    )
    assert (made.without, made.must_come) == ((LIN,), [BOB, LIN, ZED])
    said = made.as_json("new", "1")
    assert said["re_enrolled"] == [{"holder": "ann", "references": 1, "photographs": 1}]


def test_photographs_are_averaged_and_two_people_are_refused(tmp_path: Path) -> None:
    for folder, angles in {"ann": (0, 20), "bob": (0, 90)}.items():
        (tmp_path / folder).mkdir()
        for angle in angles:
            (tmp_path / folder / f"{angle}.jpg").write_text(str(angle))
    before = standing([(ANN, "dlib", "1", 1), (BOB, "dlib", "1", 1)], "new", "1")
    made, stored = run(tmp_path, before)
    assert [len(one.parts) for one in stored[ANN]] == [2]
    assert [one.reason for one in made.failed] == ["different_people"]


def test_what_is_cut_short_is_gone_on_with_and_each_thread_has_its_engine(tmp_path: Path) -> None:
    opened: list[int] = []

    def open_engine() -> Engine:
        opened.append(threading.get_ident())
        return Engine()

    for owner in PEOPLE:
        (tmp_path / f"{owner}.jpg").write_text("0")
    packs = [(one, "dlib", "1", 1) for one in PEOPLE] + [(ANN, "new", "1", 1)]
    made, stored = run(tmp_path, standing(packs, "new", "1"), open_engine=open_engine)
    assert set(stored) == {BOB, ZED, LIN}
    assert made.must_come == []
    assert 1 <= len(opened) == len(set(opened)) <= 2


def test_nobody_to_do_opens_no_engine(tmp_path: Path) -> None:
    def refuse() -> Engine:
        raise AssertionError

    made, stored = run(tmp_path, standing([(ANN, "dlib", "1", 1)], "new", "1"), open_engine=refuse)
    assert (stored, made.must_come) == ({}, [ANN])
