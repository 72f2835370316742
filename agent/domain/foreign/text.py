"""What bytes without a declared encoding say, where that can be told; never a guess that garbles.

A byte order mark names UTF-8, UTF-16 or UTF-32. Without one it is UTF-8, which hardly any other
text decodes as by chance. What is left is taken for GB18030 or Shift-JIS only where it decodes
whole and looks like one and not like the other: nearly any bytes decode as either.

GB18030 looks so by its most frequent characters, which lie together at B0A1 to D7F9 (GB 2312,
level 1); Latin letters with accents, most Cyrillic, Big5 and Shift-JIS fall elsewhere. EUC-KR,
EUC-JP, KOI8-R and Thai do not: what may be one of those is Chinese only where it reads so, by
characters that Chinese hardly does without.
"""

import codecs
import re
from itertools import islice

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 65_536
_LEAST_CHARACTERS = 2
"""One pair of bytes is no evidence: it may be two letters with accents."""
_GB_UNIT = re.compile(
    rb"[\x00-\x7f]|[\x81-\xfe][\x30-\x39][\x81-\xfe][\x30-\x39]|[\x81-\xfe].", re.DOTALL
)
_GB_COMMON, _GB_SIGN, _GB_SECOND = range(0xB0, 0xD8), range(0xA1, 0xA4), range(0xD8, 0xF8)
_COMMON_SHARE, _KNOWN_SHARE = 0.5, 0.66
_SJIS_UNIT = re.compile(rb"[\x81-\x9f\xe0-\xfc].|.", re.DOTALL)
_SJIS_COMMON = (range(0x8140, 0x81AD), range(0x824F, 0x8397), range(0x889F, 0x9873))
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NO_TEXT = re.compile(r"[\x00-\x03\x05-\x08\x0e-\x1b\x7f]")
"""Controls that stand in no text, not even in one of parts (GS1, ISO 15434): UTF-16, or data."""
_KANA = (
    rb"(?:(?:[\xb7\xbc\xc1\xca-\xce]\xde|[\xca-\xce]\xdf|[\xb7\xbc\xc1\xc6\xcb\xd0\xd8])[\xac-\xae]"
    rb"|[\xb3\xbc\xc1\xc3\xc4\xcc]\xde?[\xa7-\xab]"
    rb"|[\xb3\xb6-\xc4\xca-\xce]\xde|[\xca-\xce]\xdf|[\xa6\xb1-\xdd])\xaf?\xb0?"
)
_HALFWIDTH = re.compile(rb"(?>(?:%b){2,}+|[\x20-\x40\x5b-\x60\x7b-\x7e])++" % _KANA)
_HALFWIDTH_SURE = re.compile(rb"(?=[\xa6-\xdf]{3})[\xc0-\xdf]*[\xa6-\xbf]")
"""Half-width katakana as words have them: small letters and marks of voice only behind a sound
that takes them, no Latin letters beside, and not only what is a capital with an accent elsewhere.
"""
_FREQUENT = frozenset(
    "的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对"
    "着事其里所去行过家十用发天如然作方成者多日都三小二无同经法当起与好看学进分心前面定见只主没公"
    "从明文平新建华丽美英红军海玉强伟芳娜敏静秀杰涛超艳勇宇浩春梅志永"
    "访客楼号室栋单元层路区市省县街园门东南西北物业通知停水电请勿入口车位临住户"
    "欢迎光临参观登记健康码保安亭快递柜禁卡阿买提迪力尔木江古艾依吐热克孜麦汗姆"
)
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏"
    "魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万欧司诸"
)
"""Where the same bytes are a text of another encoding as well, these tell Chinese from it.

Some 400 of the 3755 characters of level 1: of what is Korean, Japanese or Thai one in ten is hit.
"""
_FIRST_IDEOGRAPH = 0x3400
_LONGEST_NAME, _FEW, _JUDGED = 4, 20, 10_000
_OTHER_ROWS = range(0x81, 0xD0)
"""Leading bytes of Hangul in EUC-KR (B0 to C8, with its extension) and of kanji in EUC-JP."""
_ONE_BYTE = tuple(
    re.compile(one)
    for one in (
        rb"(?:[\x00-\x7f\xc0-\xdf]|(?<![\x80-\xff])[\xe0-\xff])*+",  # Cyrillic, Arabic: a word
        rb"[\x00-\x7f\xe0-\xff]*+",  # the same in capitals
        (
            rb"(?:[\x00-\x7f\xcf\xdf\xef-\xfb]|[\xe0-\xe4]?+[\xa1-\xce]"
            rb"[\xd1\xd4-\xda\xe7-\xee]{0,2}+[\xd0\xd2\xd3\xe5\xe6]?+)*+"
        ),  # Thai: a syllable
    )
)


class NoTextError(ValueError):
    """The bytes are no text that can be told: as what, and at which byte; nothing is quoted.

    The message goes on after "is no text".
    """

    def __init__(self, what: str, at: int) -> None:
        super().__init__(f"({what}) at byte {at}")
        self.at = at


def text_of(data: bytes) -> str:
    """The text of ``data``, without a byte order mark.

    Raises:
        NoTextError: it is no text, or in an encoding that cannot be told.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _marked(data, mark, encoding)
    if b"\0" in data:
        raise NoTextError("a NUL byte, or UTF-16 without its mark", data.index(0))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        text, at = undeclared(data), error.start
    if text is None:
        raise NoTextError("UTF-8", at)
    return text


def utf8_of(data: bytes) -> str:
    """The text of ``data`` where its format demands UTF-8 (TOML, JSON), without its mark.

    Raises:
        NoTextError: it is none.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoTextError("UTF-8", error.start) from None


def undeclared(data: bytes) -> str | None:
    """The text of bytes that name no encoding; None where it cannot be told."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        sample = _sample(data)
    else:
        return None if _NO_TEXT.search(text) else text
    gb = _decoded(data, "gb18030") if _looks_gb(sample) else None
    sjis = _decoded(data, "shift_jis") if _looks_sjis(sample) else None
    if gb is None:
        return sjis
    if not (sjis is not None or _may_be_another(sample)) or _reads_chinese(gb):
        return gb
    return None if _FREQUENT.intersection(gb) else sjis


def _sample(data: bytes) -> bytes:
    """As much as tells what a file is: from the first byte that is not ASCII, by whole lines."""
    if len(data) <= _SAMPLE_BYTES:
        return data
    start = next(at for at, byte in enumerate(data) if byte > 0x7F)
    sample = data[start : start + _SAMPLE_BYTES]
    return sample[: sample.rfind(b"\n") + 1] or sample


def _marked(data: bytes, mark: bytes, encoding: str) -> str:
    if data == mark != codecs.BOM_UTF8:
        raise NoTextError(f"a mark of {encoding.upper()} and nothing behind it", len(mark))
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NoTextError(encoding.upper().removesuffix("-SIG"), error.start) from None


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    private = any(0xE000 <= ord(char) <= 0xF8FF or char == "\ufffd" for char in text)
    return None if private or _CONTROLS.search(text) else text


def _looks_gb(data: bytes) -> bool:
    wide = [unit for unit in _GB_UNIT.findall(data) if unit[0] > 0x7F]
    plain = [unit for unit in wide if len(unit) == 2 and unit[1] >= 0xA1]
    common = sum(unit[0] in _GB_COMMON for unit in plain)
    signs = sum(unit[0] in _GB_SIGN for unit in plain)
    second = sum(unit[0] in _GB_SECOND for unit in plain)
    characters = len(wide) - signs
    return (
        characters >= _LEAST_CHARACTERS
        and common >= _COMMON_SHARE * characters
        and common + second >= _KNOWN_SHARE * characters
        # Rows 4 to 9 are kana, Greek and Cyrillic: EUC-JP has its kana there too.
        and not any(0xA4 <= unit[0] <= 0xA9 for unit in plain)
    )


def _may_be_another(data: bytes) -> bool:
    """Whether ``data``, which looks like GB18030, may be Korean, Japanese, Cyrillic, Thai ..."""
    wide = [unit for unit in _GB_UNIT.findall(data) if unit[0] > 0x7F]
    letters = [unit[0] for unit in wide if len(unit) == 2 and unit[0] not in _GB_SIGN]
    by_rows = len(wide[0]) == 2 and all(lead in _OTHER_ROWS for lead in letters)
    return by_rows or any(one.fullmatch(data) for one in _ONE_BYTE)


def _reads_chinese(text: str) -> bool:
    """Whether it is a short name that begins as names do, or mostly of frequent characters."""
    wide = list(islice((char for char in text if ord(char) >= _FIRST_IDEOGRAPH), _JUDGED))
    known = sum(char in _FREQUENT or char in _SURNAMES for char in wide)
    as_name = 0 < len(wide) <= _LONGEST_NAME and wide[0] in _SURNAMES
    return as_name or known * (2 if len(wide) <= _FEW else 3) > len(wide)


def _looks_sjis(data: bytes) -> bool:
    if _HALFWIDTH.fullmatch(data) and _HALFWIDTH_SURE.search(data):
        return True
    units = [unit for unit in _SJIS_UNIT.findall(data) if unit[0] > 0x7F]
    wide = [int.from_bytes(unit) for unit in units if len(unit) == 2]
    common = sum(any(value in block for block in _SJIS_COMMON) for value in wide)
    return len(wide) == len(units) >= _LEAST_CHARACTERS and common >= _KNOWN_SHARE * len(wide)
