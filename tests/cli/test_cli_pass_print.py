"""``gate-agent pass print``: the card in somebody's hand, rendered and read again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
from gate_command import Answer, Gate
from PIL import Image as Pictures

from agent.errors import RefusedError
from agent.operations.passes.card_photo import PHOTO_MM
from agent.operations.passes.fonts import CJK_PACKAGE, Fonts
from agent.vision.symbols.symbols import read_symbols

PER_MM = 4 * 72 / 25.4
"""Pixels of a page that is rendered four times as large."""
PHOTO_LEFT_MM, PHOTO_TOP_MM = 45.5, 3.0
Issue = Callable[..., Any]
Pixels = np.ndarray[Any, Any]


@pytest.fixture
def issue(gate: Gate, tmp_path: Path) -> Issue:
    """A pass of an office."""
    office = tmp_path / "office.pem"
    assert gate("pass", "keygen", office).code == 0

    def issue(holder: str = "r-1", *more: str) -> Any:
        words = ("--issuer", "office", "--category", "resident", "--community", "lakeside")
        until = ("--valid-until", "2099-05-31")
        return gate("pass", "issue", holder, "--key", office, *words, *until, *more, "--json").json

    return issue


@pytest.fixture
def cjk_font() -> None:
    """A Chinese font of this machine that can be embedded."""
    try:
        Fonts().check("林")
    except RefusedError:
        pytest.skip(f"no Chinese font that can be embedded is installed: {CJK_PACKAGE}")


@pytest.fixture
def no_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no font is installed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "none"))


@pytest.fixture
def print_card(gate: Gate, tmp_path: Path) -> Callable[..., Answer]:
    """``pass print`` of a text into ``card.pdf``."""

    def print_card(text: str, *more: object) -> Answer:
        file = tmp_path / "pass.txt"
        file.write_text(text)
        out = tmp_path / "card.pdf"
        return gate("pass", "print", "--file", file, "--out", out, *more, "--json")

    return print_card


def pages(file: Path) -> list[tuple[Pixels, str]]:
    """Pixels (red, green, blue) and text of each page."""
    document = pypdfium2.PdfDocument(file)
    found = []
    for page in document:
        image = page.render(scale=4).to_numpy()
        text = page.get_textpage()
        found.append((np.ascontiguousarray(image[:, :, 2::-1]), text.get_text_range()))
        text.close()
        page.close()
    document.close()
    return found


def photo_box(page: Pixels) -> Pixels:
    """What is rendered where the photograph goes, without its edge."""
    left, top = round(PHOTO_LEFT_MM * PER_MM) + 2, round(PHOTO_TOP_MM * PER_MM) + 2
    width, height = (round(side * PER_MM) - 4 for side in PHOTO_MM)
    return page[top : top + height, left : left + width]


def test_a_card_shows_code_name_and_validity(issue: Issue, print_card, tmp_path: Path) -> None:
    made = issue()
    answer = print_card(made["text"], "--name", "Zoë Łukasiewicz O'Brien")
    assert (answer.code, answer.json["cards"]) == (0, 1)
    ((image, text),) = pages(tmp_path / "card.pdf")
    assert [symbol.text for symbol in read_symbols(image)] == [made["text"]]
    assert "Zoë Łukasiewicz O'Brien" in " ".join(text.split())
    assert "until 2099-05-31" in text
    assert made["pass"] in text


@pytest.mark.usefixtures("cjk_font")
@pytest.mark.parametrize(
    "name", ["林语堂", "李", "阿卜杜热合曼·买买提明·吐尔逊江", "欧阳 Nana Ouyáng"]
)
def test_a_chinese_name_is_set_whole(issue: Issue, print_card, tmp_path: Path, name: str) -> None:
    made = issue()
    assert print_card(made["text"], "--name", name).code == 0
    ((image, text),) = pages(tmp_path / "card.pdf")
    assert [symbol.text for symbol in read_symbols(image)] == [made["text"]]
    assert "".join(name.split()) in "".join(text.split())


@pytest.mark.usefixtures("no_fonts")
def test_without_a_chinese_font_nothing_is_printed(
    issue: Issue, print_card, tmp_path: Path
) -> None:
    answer = print_card(issue()["text"], "--name", "林语 Lin")
    assert (answer.code, answer.json["reason"]) == (1, "font")
    assert "林 (U+6797), 语 (U+8BED)" in answer.json["error"]
    assert CJK_PACKAGE in answer.json["fix"]
    assert not (tmp_path / "card.pdf").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Lin \U0001f984", "\U0001f984 (U+1F984)"),
        ("Lin \ue123", "U+E123"),
        ("Lin \U0003fffd", "U+3FFFD"),
        ("عبد الرحمن", "right to left"),
        ("བསྟན་འཛིན", "joins or stacks"),
    ],
)
def test_what_no_font_can_set_is_named(
    issue: Issue, print_card, tmp_path: Path, name: str, said: str
) -> None:
    answer = print_card(issue()["text"], "--name", name)
    assert (answer.code, said in answer.json["error"]) == (1, True)
    assert answer.json["fix"]
    assert not (tmp_path / "card.pdf").exists()


def test_a_name_without_room_is_refused_not_cut(issue: Issue, print_card, tmp_path: Path) -> None:
    text = issue()["text"]
    assert print_card(text, "--name", "Anna Maria " * 6).code == 0
    ((_, shown),) = pages(tmp_path / "card.pdf")
    assert " ".join(shown.split()).count("Anna Maria") == 6
    answer = print_card(text, "--name", "Anna Maria " * 18)
    assert (answer.code, answer.json["reason"]) == (1, "name")


def test_dates_are_the_sites(issue: Issue, print_card, config_file: Path, tmp_path: Path) -> None:
    text = issue("r-1", "--valid-from", "2098-12-31T16:00:00Z")["text"]
    assert print_card(text, "--config", config_file).code == 0
    ((_, shown),) = pages(tmp_path / "card.pdf")
    assert "from 2099-01-01\r\n" in shown
    assert "until 2099-06-01 08:00" in shown
    assert "UTC" not in shown


def test_a_long_list_says_how_many_more(issue: Issue, print_card, tmp_path: Path) -> None:
    doors = [word for number in range(9) for word in ("--access-point", f"entry-{number}")]
    assert print_card(issue("r-1", *doors)["text"]).code == 0
    ((_, shown),) = pages(tmp_path / "card.pdf")
    assert "at entry-0, entry-1 and 7 more" in shown


def test_a_photograph_stands_upright_in_its_box(issue: Issue, print_card, tmp_path: Path) -> None:
    # As a telephone stores it: on its side, and the EXIF says so; the top is red then.
    lying = np.zeros((600, 900, 3), np.uint8)
    lying[:, :450], lying[:, 450:] = (220, 20, 20), (20, 20, 220)
    exif = Pictures.Exif()
    exif[0x0112], exif[0x010E] = 6, "Lin Yu at home"
    Pictures.fromarray(lying).save(tmp_path / "photo.jpg", exif=exif, quality=95)
    assert print_card(issue()["text"], "--photo", tmp_path / "photo.jpg").code == 0
    ((page, _),) = pages(tmp_path / "card.pdf")
    box = photo_box(page)
    half = len(box) // 2
    upper, lower = box[: half - 6].mean(axis=(0, 1)), box[half + 6 :].mean(axis=(0, 1))
    assert np.abs(upper - (220, 20, 20)).max() < 12
    assert np.abs(lower - (20, 20, 220)).max() < 12
    assert b"at home" not in (tmp_path / "card.pdf").read_bytes()


def test_a_file_that_is_no_photograph_is_refused(issue: Issue, print_card, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"no picture")
    answer = print_card(issue()["text"], "--photo", tmp_path / "photo.jpg")
    assert (answer.code, answer.json["reason"]) == (1, "unreadable_image")
    assert not (tmp_path / "card.pdf").exists()


def test_a_pdf_tells_of_itself_nothing_of_the_person(
    issue: Issue, print_card, tmp_path: Path
) -> None:
    assert print_card(issue()["text"], "--name", "Lin Yu").code == 0
    document = pypdfium2.PdfDocument(tmp_path / "card.pdf")
    told = document.get_metadata_dict()
    document.close()
    assert told["Title"] == "Gate passes"
    assert not [word for word in told.values() if "Lin" in word or "r-1" in word]


def test_a_sheet_holds_ten_cards(gate: Gate, issue: Issue, tmp_path: Path) -> None:
    made = [issue(f"r-{number}") for number in range(12)]
    Pictures.new("RGB", (300, 400), (20, 160, 60)).save(tmp_path / "green.png")
    lines = [json.dumps({"text": one["text"], "name": one["holder"]}) for one in made[1:]]
    lines.insert(0, json.dumps({"text": made[0]["text"], "name": "Lin", "photo": "green.png"}))
    (tmp_path / "batch.jsonl").write_text("\n".join(lines) + "\n")
    out = tmp_path / "cards.pdf"
    words = ("--batch", tmp_path / "batch.jsonl", "--sheet", "--out", out, "--json")
    assert gate("pass", "print", *words).json["cards"] == 12
    rendered = pages(out)
    found = [{symbol.text for symbol in read_symbols(image)} for image, _ in rendered]
    assert [len(texts) for texts in found] == [10, 2]
    assert found[0] | found[1] == {one["text"] for one in made}
    green = (np.abs(rendered[0][0].astype(int) - (20, 160, 60)) < 12).all(axis=2)
    expected = PHOTO_MM[0] * PHOTO_MM[1] * PER_MM**2
    assert green.sum() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("line", ["{", "[]", '{"name": "x"}', '{"text": "GP1:ABC"}', "1"])
def test_a_batch_that_is_none_is_refused_by_its_line(gate: Gate, tmp_path, line: str) -> None:
    (tmp_path / "batch.jsonl").write_text(line + "\n")
    out = tmp_path / "cards.pdf"
    answer = gate("pass", "print", "--batch", tmp_path / "batch.jsonl", "--out", out, "--json")
    assert (answer.code, "batch.jsonl:1" in answer.json["error"]) == (1, True)
    assert not out.exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "Lin \U0001f984"}, "U+1F984"),
        ({"photo": "missing.jpg"}, "missing.jpg"),
        ({"photo": 3}, "photo"),
        ({"name": "Anna Maria " * 18}, "too long"),
    ],
)
def test_what_cannot_be_printed_whole_is_named_by_its_line(
    gate: Gate, issue: Issue, tmp_path: Path, more: dict[str, object], said: str
) -> None:
    lines = [{"text": issue()["text"]}, {"text": issue()["text"], **more}]
    (tmp_path / "batch.jsonl").write_text("\n".join(map(json.dumps, lines)))
    out = tmp_path / "cards.pdf"
    answer = gate("pass", "print", "--batch", tmp_path / "batch.jsonl", "--out", out, "--json")
    assert (answer.code, out.exists()) == (1, False)
    assert "batch.jsonl:2" in answer.json["error"]
    assert said in answer.json["error"]
