"""Text without a declared encoding is read where it can be told, and never garbled."""

import random
import time

import pytest

from agent.domain.foreign.text import NoTextError, text_of, undeclared

CHINESE = [
    "访客张三 浦东新区 12号楼",
    "张三",
    "王小明",
    "欧阳娜娜",
    "朱镕基",
    "嬴政",
    "叶嘉莹",
    "王杰",
    "阿迪力·买买提",
    "物业通知：今晚八点停水，请业主提前储水。",
    "12号楼",
    "欢迎光临",
    "参观登记",
    "上海市徐汇区",
    "陈静",
    "健康码",
]
JAPANESE = [
    "こんにちは世界",
    "日本語テスト",
    "山田太郎",
    "渋谷1-2-3",
    "ﾔﾏﾀﾞ ﾀﾛｳ",
    "ﾃｽﾄ",
    "ｶﾀｶﾅ",
    "ｼｮｯﾋﾟﾝｸﾞ",
]
OTHERS = [
    *(("latin-1", one) for one in ("Café", "Müller", "Zürich Straße", "Þórður", "ÀÉÈ", "ÄÖÜ äöü")),
    *(("latin-1", one) for one in ("Nº 5", "1º 2ª", "£100", "ñandú", "Élève à côté", "São João")),
    *(("cp1251", one) for one in ("Привет мир", "Москва", "Иван Петров", "МОСКВА ЖИЗНЬ")),
    *(("big5", one) for one in ("訪客張三", "台北市信義區")),
    ("euc-jp", "日本語テスト"),
    ("iso-8859-7", "Καλημέρα κόσμε"),
    ("cp1255", "שלום עולם"),
    *(("cp874", one) for one in ("สวัสดี", "ยินดีต้อนรับ", "กรุงเทพ")),
    *(
        ("euc-kr", one)
        for one in ("안녕하세요", "방문객 김철수", "서울특별시 강남구 12동", "경비실로 오세요")
    ),
    *(
        ("euc-kr", one)
        for one in ("환영합니다 우리 아파트", "이영희", "관리사무소", "택배 보관함 3번")
    ),
    ("cp949", "똠방각하"),
    *(("koi8-r", one) for one in ("Привет", "вход", "Добро пожаловать", "ПРИВЕТ МИР")),
    *(("cp1251", one) for one in ("ВХОД", "ДОБРО ПОЖАЛОВАТЬ")),
    *(("euc-jp", one) for one in ("訪問者", "東京都渋谷区")),
    *(("iso-8859-6", one) for one in ("زائر", "مرحبا")),
]


@pytest.mark.parametrize("text", CHINESE)
def test_gb18030_is_recognised(text: str) -> None:
    assert undeclared(text.encode("gb18030")) == text


@pytest.mark.parametrize("text", JAPANESE)
def test_shift_jis_is_recognised(text: str) -> None:
    assert undeclared(text.encode("shift_jis")) == text


@pytest.mark.parametrize("text", [*CHINESE, *JAPANESE, "plain", "Café", "علی\u200cرضا", ""])
def test_utf8_is_utf8(text: str) -> None:
    assert undeclared(text.encode()) == text


@pytest.mark.parametrize(("encoding", "text"), OTHERS)
def test_what_cannot_be_told_is_no_text(encoding: str, text: str) -> None:
    assert undeclared(text.encode(encoding)) is None
    with pytest.raises(NoTextError) as refused:
        text_of(text.encode(encoding))
    assert text not in str(refused.value)


@pytest.mark.parametrize("data", [b"H\0e\0", "你好世界欢迎".encode("utf-16-le"), b"a\x00"])
def test_controls_that_no_text_has_make_none(data: bytes) -> None:
    assert undeclared(data) is None


def test_the_separators_of_structured_codes_are_text() -> None:
    text = "[)>\x1e06\x1dP123\x1e\x04"
    assert undeclared(text.encode()) == text


def test_random_bytes_are_hardly_ever_a_text() -> None:
    source = random.Random(9)
    taken = sum(undeclared(source.randbytes(24)) is not None for _ in range(5000))
    assert taken == 0


def test_long_rubbish_is_told_in_time() -> None:
    start_s = time.perf_counter()
    for data in (
        b"\xb6" * 3000 + b"a",
        b"\xc0" * 3000 + b"\xff",
        b"\xb6\xde" * 1_000_000 + b"\xa0",
    ):
        undeclared(data)
    assert time.perf_counter() - start_s < 2.0


def test_a_long_file_is_read_by_what_stands_in_it() -> None:
    text = "id,name\n" * 10_000 + "r-1,张三\n" * 10_000
    assert text_of(text.encode("gb18030")) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "utf-16", "utf-32", "gb18030"])
def test_a_file_of_any_of_these_is_read_without_its_mark(encoding: str) -> None:
    assert text_of("张三, O'Brien\r\n".encode(encoding)) == "张三, O'Brien\r\n"


@pytest.mark.parametrize("order", ["le", "be"])
def test_either_byte_order_is_read(order: str) -> None:
    mark = "\ufeff".encode(f"utf-16-{order}")
    assert text_of(mark + "张三".encode(f"utf-16-{order}")) == "张三"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xef\xbb\xbf\xff", "(UTF-8) at byte"),
        (b"\xff\xfea\x00b", "(UTF-16) at byte"),
        ("张三".encode("utf-16-le") + b"\0\0", "a NUL byte, or UTF-16 without its mark"),
        (b"abc \xe9", "(UTF-8) at byte 4"),
    ],
)
def test_what_is_no_text_is_named(data: bytes, why: str) -> None:
    with pytest.raises(NoTextError, match=why.replace("(", r"\(").replace(")", r"\)")):
        text_of(data)
