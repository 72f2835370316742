"""The doctor's test inference on the real packs: the right answer, and one of other weights."""

from dataclasses import replace

import pytest

from agent.app.desk.examined import inference
from agent.app.desk.examined.inference import face_answer, pad_answer
from agent.operations.packs.install import install
from agent.technician import storage
from agent.technician.verdict import Status
from agent.vision.packs.packs import load_pad_pack


def test_face_packs_answer_as_when_they_were_made(retail_pack, dlib_pack):
    found = tuple(map(face_answer, (retail_pack, dlib_pack)))
    assert [one.pack for one in found] == ["retail", "dlib"]
    assert all(one.off is not None and one.off < 0.01 for one in found)
    assert storage.inference(found).finding.status is Status.PASS


@pytest.mark.parametrize("name", ["minifasnet", "antispoof"])
def test_attack_detection_answers_as_when_it_was_made(name, shared_models, tmp_path):
    install(name, tmp_path, shared_models / name)
    found = pad_answer(load_pad_pack(name, tmp_path))
    assert found.off is not None
    assert found.off < 0.01
    assert storage.inference((found,)).finding.status is Status.PASS


def test_another_answer_is_told_and_one_that_nobody_knows_too(retail_pack, monkeypatch):
    known = inference.ANSWERS["retail", retail_pack.manifest.version]
    wrong = {("retail", retail_pack.manifest.version): (*known[1:], known[0])}
    monkeypatch.setattr(inference, "ANSWERS", wrong)
    found = face_answer(retail_pack)
    assert storage.inference((found,)).finding.status is Status.FAIL
    monkeypatch.setattr(inference, "ANSWERS", {})
    assert storage.inference((face_answer(retail_pack),)).finding.status is Status.WARN
    assert storage.inference((replace(found, finite=False),)).finding.status is Status.FAIL
