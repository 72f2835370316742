"""The bill of materials: complete, of licences, and as CycloneDX wants it."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from in_process import run_here
from places import ROOT

from agent.errors import UnavailableError
from agent.operations import bill
from agent.vision.packs.manifest import offered_names


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return bill.bill(Path(sys.prefix))


def test_it_has_every_locked_package_that_is_installed_and_every_pack(
    whole: dict[str, Any],
) -> None:
    names = {part["name"] for part in whole["components"]}
    locked = bill.locked_names((ROOT / "requirements" / "runtime.txt").read_text())
    # A lock is for every system; colorama is for another.
    assert locked - names <= {"colorama"}
    assert set(offered_names()) <= names


def test_every_part_says_under_which_licence_it_is(whole: dict[str, Any]) -> None:
    assert [part["name"] for part in whole["components"] if not part.get("licenses")] == []


def test_what_wheels_bring_along_is_named(whole: dict[str, Any]) -> None:
    [pillow] = [part for part in whole["components"] if part["name"] == "pillow"]
    assert any(one["name"].startswith("libjpeg.so") for one in pillow["components"])


def test_the_same_parts_make_the_same_one_and_others_another() -> None:
    one = [bill.Package("a", "1", "MIT")]
    moment = datetime(2026, 11, 28, tzinfo=UTC)
    first = bill.document("0.1.0", one, [], moment)
    assert first == bill.document("0.1.0", one, [], moment)
    other = bill.document("0.1.0", [bill.Package("a", "2", "MIT")], [], moment)
    assert other["serialNumber"] != first["serialNumber"]


def test_references_are_each_there_once(whole: dict[str, Any]) -> None:
    references = [part["bom-ref"] for part in whole["components"]]
    references += [
        one["bom-ref"] for part in whole["components"] for one in part.get("components", ())
    ]
    assert len(set(references)) == len(references)


def test_it_holds_against_the_schema_of_cyclonedx(whole: dict[str, Any]) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-python-lib")
    schema = pytest.importorskip("cyclonedx.schema")
    found = validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(
        json.dumps(whole)
    )
    assert found is None


def test_a_package_prints_the_one_that_it_carries(tmp_path: Path) -> None:
    shipped = tmp_path / bill.SHIPPED
    shipped.parent.mkdir(parents=True)
    shipped.write_text('{"bomFormat": "CycloneDX"}')
    assert bill.bill(tmp_path) == {"bomFormat": "CycloneDX"}
    shipped.write_text("{")
    with pytest.raises(UnavailableError, match="cannot be read"):
        bill.bill(tmp_path)


def test_the_command_prints_it_as_one_object(tmp_path: Path) -> None:
    done = run_here("version", "--sbom", environment={"HOME": str(tmp_path)})
    assert json.loads(done.stdout)["bomFormat"] == "CycloneDX"
