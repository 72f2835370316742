"""The fonts of a card: no character is left to whoever opens the PDF."""

from pathlib import Path

import pytest
from reportlab.pdfbase import pdfmetrics

from agent.errors import RefusedError, UnavailableError
from agent.operations.passes.fonts import CJK_PACKAGE, Fonts


def test_a_word_is_set_in_one_font_and_every_glyph_is_there() -> None:
    text = "Zoë Müller-Oña · r-1042 …"
    pieces = list(Fonts().pieces(text))
    assert "".join(piece for _, piece in pieces) == text
    for font, piece in pieces:
        glyphs = pdfmetrics.getFont(font).face.charToGlyph
        assert all(glyphs[ord(char)] for char in piece)


def test_a_letter_and_its_mark_are_one_character() -> None:
    ((_, piece),) = Fonts().pieces("Zoe\u0308")
    assert piece == "Zo\u00eb"


def test_a_mark_that_goes_with_no_letter_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"U\+0308"):
        Fonts().check("q\u0308")


def test_the_chinese_font_of_this_machine_draws_each_character_apart() -> None:
    fonts = Fonts()
    try:
        fonts.check("林语堂")
    except RefusedError:
        pytest.skip(f"no Chinese font that can be embedded is installed: {CJK_PACKAGE}")
    (one,) = list(fonts.pieces("阿卜杜·外力"))
    glyphs = pdfmetrics.getFont(one[0]).face.charToGlyph
    assert len({glyphs[ord(char)] for char in one[1]} - {0}) == len(set(one[1]))
    # The word that Latin's font has whole stays in it beside them.
    assert [piece for font, piece in fonts.pieces("林 Lin") if font == "Vera.ttf"] == ["Lin"]


def test_many_that_are_missing_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    with pytest.raises(RefusedError, match=r"一 \(U\+4E00\).* and 2 more\n.*wqy"):
        Fonts().check("一丁丂七丄丅丆")


def test_a_chosen_file_that_is_no_font_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "font.otf").write_bytes(b"OTTO")
    with pytest.raises(UnavailableError, match="no font that can be embedded"):
        Fonts((tmp_path / "font.otf",))
