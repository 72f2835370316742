"""Tables of people into the archives: as offices write them, and as nobody should."""

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from gate_command import Gate
from places import ROOT

from agent.domain.registers.resident_code import resident_code

HEAD = ["住户编码", "姓名", "人员类别", "手机号", "网格", "有效期至", "同意日期"]
CODES = [str(resident_code("XFL", "3", "1", "1502", one)) for one in range(1, 5)]
ANN = [CODES[0], "王小明", "居民", "１３９ 1234-5678", "grid-7", "2027年2月6日", "2026/1/5"]
BEK = [CODES[1], "阿卜杜拉·买买提", "Courier or service", "+8613912345679", "", "", ""]
DAY = datetime(2027, 2, 6)  # noqa: DTZ001 - a sheet knows no zone
NOTICE = ("--notice", "2026-1")


def table(*rows: Sequence[str], delimiter: str = ",") -> str:
    made = io.StringIO()
    csv.writer(made, delimiter=delimiter).writerows(rows)
    return made.getvalue()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes | str], Path]:
    def made(content: bytes | str) -> Path:
        file = tmp_path / "people.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return made


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    def made(*rows: Sequence[Any], change: Callable[[Any], None] = lambda _book: None) -> Path:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(list(row))
        change(book)
        file = tmp_path / "people.xlsx"
        book.save(file)
        return file

    return made


def imported(gate: Gate, file: Path, *words: object) -> Any:
    answer = gate("register", "import", file, *NOTICE, "--yes", "--json", *words)
    assert answer.code == 0, answer.err
    return answer.json


def refused(gate: Gate, file: Path, *words: object) -> str:
    answer = gate("register", "import", file, *NOTICE, "--yes", *words)
    assert answer.code == 1, answer.out
    assert gate("holders", "list", "--json").json == []
    return answer.err


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_every_encoding_of_an_office_and_a_title_above_the_head(
    gate: Gate, keyed: Path, write: Callable[..., Path], encoding: str
) -> None:
    file = write(table(["幸福里社区居民登记表"], HEAD, ANN, [], BEK).encode(encoding))
    assert imported(gate, file)["new"] == 2
    people = gate("holders", "list", "--json").json
    assert {one["name"]: one["category"] for one in people} == {
        "王小明": "resident",
        "阿卜杜拉·买买提": "courier",
    }
    assert all(one["id"].startswith("p-") for one in people)
    (ann,) = [one for one in people if one["name"] == "王小明"]
    assert ann["valid_until"] == "2027-02-07T00:00:00.000Z"
    again = imported(gate, file)
    assert set(again) == {
        *("file", "new", "changed", "same", "faulty", "shut_out", "categories", "imported")
    }
    assert (again["same"], again["imported"]) == (2, 0)


def test_a_preview_writes_nothing_and_says_what_would_change(
    gate: Gate, state_dir: Path, write: Callable[..., Path]
) -> None:
    file = write(table(HEAD, ANN, BEK))
    said = gate("register", "import", file, *NOTICE, "--preview")
    assert (said.code, said.out) == (0, "would be: 2 new\n")
    assert not state_dir.exists()


def test_what_would_change_counts_categories_and_who_is_shut_out(
    gate: Gate, keyed: Path, write: Callable[..., Path]
) -> None:
    imported(gate, write(table(HEAD, ANN, BEK)))
    moved = [*ANN[:2], "home_isolation", *ANN[3:5], "2026/1/6", ""]
    found = imported(gate, write(table(HEAD, moved)))
    assert found["categories"] == {"resident > home_isolation": 1}
    assert (found["changed"], found["shut_out"]) == (1, 1)


def test_faulty_rows_go_into_a_file_that_is_corrected_and_imported_again(
    gate: Gate, keyed: Path, write: Callable[..., Path], tmp_path: Path
) -> None:
    wrong = [
        [CODES[2][:-1] + "?", "甲", "居民"],
        [CODES[2], "=cmd|' /C calc'!A0", "居民"],
        [CODES[2], "乙", "no such"],
        [CODES[2], "丙", "居民", "1", "", "2027/2/30"],
        [CODES[2], "丁", "居民", "1", "", "3/4/2027"],
        ["", "戊", "居民"],
        [CODES[0], "己", "居民"],
        [CODES[2], "", "居民"],
        [CODES[2], "庚", "居民", "", "", "", "2099/1/1"],
        [CODES[2], "辛", "居民", "@x"],
    ]
    file, faults = write(table(HEAD, ANN, *wrong)), tmp_path / "faulty.csv"
    said = refused(gate, file)
    assert "people.csv:3: column 住户编码: " in said
    for why in (
        *("begins as a formula does", "is no category", "is no date", "either of two days"),
        *("neither an id nor a resident code", "as row 2", "column 姓名: is empty", "future"),
    ):
        assert why in said
    assert imported(gate, file, "--faults", faults)["faulty"] == len(wrong)
    rows = list(csv.reader(io.StringIO(faults.read_text("utf-8-sig"))))
    assert rows[0] == [*HEAD, "原因"]
    assert rows[2][1] == "'=cmd|' /C calc'!A0"
    assert faults.stat().st_mode & 0o777 == 0o600
    rows[3][2], rows[3][-1] = "租户", "mended"
    again = imported(gate, write(table(rows[0], rows[3])))
    assert (again["new"], again["faulty"]) == (1, 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x00\x01", "is no text"),
        ("姓名,类别,身份证号\n甲,居民,1\n", "ID numbers"),
        ("code,name,category,shoe size\n", "unknown columns"),
        ("code,name,name,category\n", "a column twice"),
        ("name,category\n", "id (编号) or code"),
        ("code,shoes\n", "no head"),
        ('code,name,category\nx,"y,z\n', "is broken at row"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(64), "before 2007"),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password",
        ),
        (b"PK\x03\x04 nothing of a workbook", "workbook"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(
    gate: Gate, keyed: Path, write: Callable[..., Path], content: bytes | str, said: str
) -> None:
    assert said in refused(gate, write(content))


def test_the_communitys_own_words_for_a_column(
    gate: Gate, keyed: Path, write: Callable[..., Path], tmp_path: Path
) -> None:
    config = tmp_path / "gate.toml"
    text = (ROOT / "config/gate.example.toml").read_text()
    config.write_text(f'{text}[[registers.column]]\nholds = "contact"\nnames = ["本人 电话"]\n')
    file = write(table(["编号", "姓名", "类别", "本人电话"], ["r-1", "李", "居民", "123456"]))
    answer = gate("register", "import", file, "--yes", "--config", config)
    assert answer.code == 0, answer.err


def test_a_workbook_as_people_keep_them(gate: Gate, keyed: Path, workbook: Any) -> None:
    def change(book: Any) -> None:
        book.active.merge_cells("A1:F1")
        hidden = book.create_sheet("旧")
        hidden.append(["x"])
        hidden.sheet_state = "hidden"

    rows = [
        ["幸福里社区居民登记表"],
        HEAD,
        [*ANN[:3], 13912345678, "7", DAY, 46027],
        [],
        [*BEK[:3], 13912345679.0, None, 46424, None],
    ]
    answer = gate("register", "import", workbook(*rows, change=change), *NOTICE, "--yes")
    assert answer.code == 0, answer.err
    assert "'旧' is hidden" in answer.err
    assert {one["valid_until"][:10] for one in gate("holders", "list", "--json").json} == {
        "2027-02-07"
    }


def test_formulas_errors_and_merged_rows_are_named_with_their_rows(
    gate: Gate, keyed: Path, workbook: Any
) -> None:
    def change(book: Any) -> None:
        book.active.merge_cells("E4:E5")

    rows = [
        HEAD,
        [CODES[0], '=CONCAT("a")', "居民"],
        ANN,
        *([one, "甲", "居民"] for one in CODES[2:]),
    ]
    said = refused(gate, workbook(*rows, change=change))
    assert ":2: column 姓名: is a formula" in said
    assert ":4: is merged with other rows (E4:E5)" in said
    assert ":5: is merged" in said


def test_workbooks_that_are_refused_as_a_whole(
    gate: Gate, keyed: Path, workbook: Any, tmp_path: Path
) -> None:
    file = workbook(HEAD, ANN, change=lambda book: book.create_sheet("two").append(["x"]))
    assert "several sheets" in refused(gate, file)
    assert "has no sheet 'three'" in refused(gate, file, "--sheet", "three")
    with zipfile.ZipFile(file, "a") as packed:
        packed.writestr("xl/vbaProject.bin", b"x")
    assert "has macros" in refused(gate, file)
    file = workbook(HEAD, ANN)
    with zipfile.ZipFile(file, "a") as packed:
        packed.writestr("xl/other.xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>')
    assert "declares entities" in refused(gate, file)
