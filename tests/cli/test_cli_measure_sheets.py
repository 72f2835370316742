"""Measurements as sheets: what the JSON says, a row a thing."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from gate_command import Gate
from measure_parts import OPERATING_POINT, SEVERAL_MISSED, identities, judged, packs, pad

from agent.cli.measure import bench_text
from agent.cli.measure.sheets import write_sheets
from agent.lab.evaluate.sheets import (
    Tables,
    tables_of_faces,
    tables_of_operating_point,
    tables_of_pad,
    tables_of_playback,
)

Rows = list[dict[str, str]]


def written(tables: Tables, folder: Path) -> dict[str, Rows]:
    """The rows of each file, by its name."""
    write_sheets(tables, folder)
    return read(folder)


def read(folder: Path) -> dict[str, Rows]:
    found = {}
    for file in sorted(folder.iterdir()):
        with file.open(encoding="utf-8", newline="") as rows:
            found[file.name] = list(csv.DictReader(rows))
    return found


def test_figures_of_several_packs_stand_in_one_sheet(tmp_path: Path) -> None:
    found = packs()
    sheets = written(tables_of_faces(found), tmp_path / "made")
    assert set(sheets) == {"packs.csv", "rates.csv"}
    assert [row["pack"] for row in sheets["packs.csv"]] == ["retail", "buffalo_s"]
    assert sheets["packs.csv"][1]["free_for_commercial_use"] == "no"
    rates = {(row["pack"], row["fmr"]): row for row in sheets["rates.csv"]}
    assert len(rates) == len(sheets["rates.csv"]) == 6
    for one in found["packs"]:
        row = rates[one["pack"], "1e-2"]
        assert float(row["fnmr"]) == one["fnmr"]["1e-2"]
        assert float(row["fnmr_upper"]) == one["fnmr_upper"]["1e-2"] >= float(row["fnmr"])
        low, high = (float(row[f"threshold_{end}"]) for end in ("low", "high"))
        assert low < float(row["threshold"]) < high
    not_carried = rates["retail", "1e-4"]
    assert (not_carried["fnmr"], not_carried["fnmr_upper"]) == ("", "")
    assert (not_carried["impostor"], not_carried["impostor_needed"]) == ("6840", "30000")


def test_galleries_and_groups_are_sheets_and_a_label_is_no_formula(tmp_path: Path) -> None:
    found = identities("=1+1")
    sheets = written(tables_of_faces(found), tmp_path)
    assert [row["gallery"] for row in sheets["open_set.csv"]] == ["5", "10"]
    low, high = found["open_set"][0]["fnir_interval"]
    first = sheets["open_set.csv"][0]
    assert (float(first["fnir_low"]), float(first["fnir_high"])) == (low, high)
    groups = {(row["group"], row["at_fmr"]): row for row in sheets["groups.csv"]}
    assert {label for label, _ in groups} == {"'=1+1", "older"}
    assert len(groups) == 6
    few, many = (groups[label, "1e-2"] for label in ("'=1+1", "older"))
    assert (few["fmr"], few["fnmr"], few["fnmr_upper"], few["persons_refused"]) == ("", "", "", "3")
    assert float(many["fnmr"]) <= float(many["fnmr_upper"])
    assert groups["older", "1e-4"]["persons_refused"] == ""


def test_the_operating_point_is_a_row_and_its_curve_a_sheet(tmp_path: Path) -> None:
    curve = [{"fmr": 0.01, "threshold": 0.41}, {"fmr": 0.001, "threshold": 0.47}]
    sheets = written(tables_of_operating_point({**OPERATING_POINT, "curve": curve}), tmp_path)
    (row,) = sheets["operating_point.csv"]
    assert (row["pack"], row["failed_to_acquire"], row["extrapolated"]) == ("retail", "1", "yes")
    assert (row["held_out_fnmr"], row["held_out_impostor_needed"]) == ("", "6000")
    assert [float(one["threshold"]) for one in sheets["curve.csv"]] == [0.41, 0.47]


def test_attack_detection_is_a_row_a_kind(tmp_path: Path) -> None:
    found = pad()
    living, prints, screens = written(tables_of_pad(found), tmp_path)["pad.csv"]
    assert (living["kind"], living["pictures"], living["failed_to_acquire"]) == (
        "bona_fide", "42", "1",
    )  # fmt: skip
    assert float(living["bpcer_upper"]) == found["bpcer_upper"]
    assert living["apcer"] == prints["apcer"] == prints["bpcer"] == screens["bpcer"] == ""
    assert float(screens["apcer"]) == found["apcer"]["screen"]


def test_what_was_played_back_is_a_row_for_each_that_looks(tmp_path: Path) -> None:
    shares = {"live": 0.0, "phone_photo": 0.25}
    found = {
        "presentations": {"live": 8, "phone_photo": 8},
        "failed_to_acquire": {"live": 0, "phone_photo": 2},
        "by": {
            name: {"threshold": 0.5, "bpcer": 0.1, "apcer": {"phone_photo": 0.3},
                   "cannot_tell": shares}
            for name in ("models", "liveness")
        },
    }  # fmt: skip
    rows = written(tables_of_playback(found), tmp_path)["playback.csv"]
    assert [(row["by"], row["kind"]) for row in rows] == [
        (name, kind) for name in ("models", "liveness") for kind in shares
    ]
    assert [(row["bpcer"], row["apcer"]) for row in rows[:2]] == [("0.1", ""), ("", "0.3")]


def test_a_simulation_is_written_beside_its_answer(gate: Gate, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    answer = gate("evaluate", "thermal", "--people", "1", "--sheets", folder, "--json")
    assert (answer.code, answer.err) == (0, "")
    rows = read(folder)["thermal.csv"]
    sensors = answer.json["sensors"]
    assert [(row["sensor"], row["day"]) for row in rows] == [
        (sensor, day) for sensor, days in sensors.items() for day in days
    ]
    for row in rows:
        told = sensors[row["sensor"]][row["day"]]
        assert row["apcer_phone"] == shown(told["apcer_by_attack"]["phone"])
        assert row["cannot_tell_face"] == shown(told["cannot_tell"]["face"])
    assert gate("evaluate", "thermal", "--people", "1", "--sheets", folder).code == 0


def shown(value: Any) -> str:
    return "" if value is None else str(value)


@pytest.mark.parametrize(
    "words", ["pairs --images x --csv y", "identities x", "operating-point x --dry-run",
              "pad x", "playback x", "thermal"],
)  # fmt: skip
def test_a_folder_that_cannot_be_made_is_named_before_the_work(
    words: str, gate: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file, tmp_path / "none" / "deeper"):
        answer = gate("evaluate", *words.split(), "--sheets", place, "--json")
        assert answer.code == 69
        assert answer.json["error"] == f"{place} cannot be made"


def test_stages_and_figures_of_a_measurement_are_one_sheet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = judged(SEVERAL_MISSED)
    bench_text.sheet(found)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    stages, figures = rows[: len(found["stages"])], rows[len(found["stages"]) :]
    for row, (name, stage) in zip(stages, found["stages"].items(), strict=True):
        assert (row["stage"], float(row["median_ms"])) == (name, stage["median_ms"])
        assert (row["ratio"], row["value"], row["limit"]) == (shown(stage.get("ratio")), "", "")
    told = {row["stage"]: row for row in figures}
    assert len(told) == len(figures)
    for one in found["verdict"]:
        row = told[one["figure"]]
        assert [float(row[key]) for key in ("value", "limit", "by")] == [
            one["value"], one["limit"], one["by"],
        ]  # fmt: skip
        assert (row["bound"], row["met"]) == (one["bound"], "yes" if one["met"] else "no")
        assert row["median_ms"] == ""
