"""A fault's part: built and taken apart again, its word on the wire fixed."""

import re

import pytest

from agent.domain.access.part import PartKind, kind_of, only_a_person_clears, parse, pattern

ON_THE_WIRE = {
    PartKind.CAMERA: "camera:x",
    PartKind.LENS: "lens:x",
    PartKind.MOUNT: "mount:x",
    PartKind.PAD: "pad:x",
    PartKind.DOOR: "door:x",
    PartKind.FEEDBACK: "feedback:x",
    PartKind.TAMPER: "tamper:x",
    PartKind.INPUT: "input:x",
    PartKind.INPUTS: "inputs",
    PartKind.INDICATOR: "indicator:x",
    PartKind.LATCHES: "latches",
    PartKind.DISK: "disk",
    PartKind.THERMOMETER: "thermometer",
    PartKind.GALLERY: "gallery",
    PartKind.REGISTRY: "registry",
    PartKind.JOURNAL: "journal",
    PartKind.BROKER: "broker",
    PartKind.PASSES: "passes",
    PartKind.EVENTS: "events",
    PartKind.ID_READER: "id_reader",
    PartKind.READER: "reader:x",
    PartKind.VOICE: "voice",
    PartKind.VOICE_FILES: "voice:files",
    PartKind.CLOCK: "clock",
    PartKind.STATE: "state:x",
    PartKind.CONFIG: "config",
    PartKind.WEAR: "wear",
    PartKind.BACKUP: "backup",
}


@pytest.mark.parametrize("kind", PartKind)
def test_a_part_is_on_the_wire_as_it_was_and_is_read_again(kind):
    name = "x" if kind.is_named else ""
    part = kind.part(name)
    assert part == ON_THE_WIRE[kind]
    assert type(part) is str
    assert parse(part) == (kind, name)
    assert re.search(pattern(), part)


@pytest.mark.parametrize("kind", PartKind)
def test_a_name_is_given_where_there_are_several_and_nowhere_else(kind):
    with pytest.raises(ValueError, match="name no part"):
        kind.part("" if kind.is_named else "x")


@pytest.mark.parametrize("name", ["lane.entry", "a:b", "files", "inputs"])
def test_a_name_may_be_anything(name):
    assert parse(PartKind.TAMPER.part(name)) == (PartKind.TAMPER, name)


@pytest.mark.parametrize(
    "word", ["", "camera", "camera:", "disks", "disk:a", "voice:", "voice:file", "a disk", "Disk"]
)
def test_what_is_no_part_has_no_kind_and_does_not_fit(word):
    assert parse(word) is None
    assert kind_of(word) is None
    assert not re.search(pattern(), word)


def test_outputs_and_the_housing_are_a_persons_to_clear():
    lasting = {part for part in ON_THE_WIRE.values() if only_a_person_clears(part)}
    assert lasting == {"door:x", "feedback:x", "tamper:x"}
    assert not only_a_person_clears("an older agent's")
