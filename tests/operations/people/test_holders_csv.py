"""Tables of holders as offices keep them: read whole, or refused by row and column."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from agent.domain.foreign.text import text_of
from agent.errors import RefusedError
from agent.operations.people.transfer import Import, parse_lines

HERE = timezone(timedelta(hours=8))
HEAD = "id,name,category,enabled,valid_from,valid_until"


def read(*lines: str) -> list[Import]:
    return parse_lines(lines, "people.csv", None, zone=HERE)


def refusal(*lines: str) -> str:
    with pytest.raises(RefusedError) as refused:
        read(*lines)
    assert refused.value.reason == "import"
    return str(refused.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        "ID,Name,Category,Enabled,Valid From,Valid-Until",
        "编号,姓名,类别,启用,生效日期,有效期至",
    ],
)
def test_a_table_is_read_by_its_head(head: str, delimiter: str) -> None:
    row = "r-1,张三,resident,TRUE,2026/1/1,2026-12-31"
    [one] = read(head.replace(",", delimiter), row.replace(",", delimiter))
    holder = one.holder
    assert (holder.id, holder.name, holder.category, holder.enabled) == (
        "r-1",
        "张三",
        "resident",
        True,
    )
    # Whole days where the kiosk stands.
    assert holder.valid_from == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert holder.valid_until == datetime(2026, 12, 31, 16, tzinfo=UTC)


def test_columns_come_in_any_order_and_some_are_missing() -> None:
    [one] = read("category,name,id", '"resident","O\'Brien, Pat",r-2', "", ",,")
    assert (one.holder.id, one.holder.name) == ("r-2", "O'Brien, Pat")
    assert (one.holder.enabled, one.holder.valid_from, one.silent_on_enabled) == (True, None, True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "utf-16"])
def test_what_excel_saves_is_read(encoding: str) -> None:
    text = "sep=;\r\n编号;姓名;类别\r\nr-1;张三;resident\r\n"
    [one] = read(*text_of(text.encode(encoding)).splitlines())
    assert one.holder.name == "张三"


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026/3/4", (2026, 3, 4)),
        ("2026.03.04", (2026, 3, 4)),
        ("2026年3月4日", (2026, 3, 4)),
        ("31/12/2026", (2026, 12, 31)),
        ("12/31/2026", (2026, 12, 31)),
        ("31.12.2026", (2026, 12, 31)),
        ("5/5/2026", (2026, 5, 5)),
    ],
)
def test_a_day_is_read_where_it_can_be_told(cell: str, day: tuple[int, int, int]) -> None:
    [one] = read(HEAD, f"r-1,A,resident,1,{cell},")
    assert one.holder.valid_from == datetime(*day, tzinfo=HERE)


def test_a_time_of_day_is_read() -> None:
    [one] = read(HEAD, "r-1,A,resident,是,2026/1/1 8:30,2026-01-02T00:00:00Z")
    assert one.holder.valid_from == datetime(2026, 1, 1, 8, 30, tzinfo=HERE)
    assert one.holder.valid_until == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("r-1,A,resident,TRUE,3/4/2026,", ":2: column valid_from: may be either of two days"),
        ("r-1,A,resident,TRUE,,46023", ":2: column valid_until: is no date"),
        ("r-1,A,resident,TRUE,,32/13/2026", ":2: column valid_until: is no date"),
        ("r-1,A,resident,maybe,,", ":2: column enabled: is neither TRUE nor FALSE"),
        ("r-1,A,resident,,,", ":2: column enabled: is neither"),
        ("r 1,A,resident,TRUE,,", ":2: column id: a holder id is"),
        ("110101199003070000,A,resident,TRUE,,", ":2: column id: a holder id is never an ID"),
        ("r-1,A\u202eB,resident,TRUE,,", ":2: column name: a name is 1 to 200 printable"),
        ("r-1,,resident,TRUE,,", ":2: column name: a name is"),
        ("r-1,A,住户,TRUE,,", ":2: column category: a category is"),
        ("r-1,A,resident,TRUE,2026-02-01,2026-01-01", ":2: valid-from lies at or after"),
        ("r-1,A,resident,TRUE,,,more", ":2: has a cell in no column"),
        ("r-1,A", ":2: has 2 of the head's 6 cells"),
        ('r-1,"A,resident,TRUE,,', "is no row: unexpected end"),
    ],
)
def test_a_fault_is_told_by_row_and_column(row: str, said: str) -> None:
    told = refusal(HEAD, row)
    assert said in told
    assert "nothing was imported" in told


def test_every_fault_is_told_at_once_under_the_words_of_the_table() -> None:
    told = refusal(
        "编号,姓名,类别,有效期至",
        "r-1,A,resident,soon",
        "r-2,B,resident,",
        "r-3,C,resident,1/2/2026",
    )
    assert "people.csv:2: column 有效期至: is no date" in told
    assert "people.csv:3" not in told
    assert "people.csv:4: column 有效期至: may be either" in told


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("id,name", ":1: lacks the column category"),
        ("id,name,category,phone", ":1: unknown columns: 'phone'"),
        ("id,name,category" + ",x" * 50_000, "'x', 'x', 'x' and 49990 more"),
        ("id,name,category," + "y" * 50_000, f":1: unknown columns: '{'y' * 40}'"),
        ("id,name,category,姓名", ":1: has a column twice"),
    ],
)
def test_a_head_that_lacks_something_is_told(head: str, said: str) -> None:
    assert said in refusal(head, "r-1,A,resident,x")


def test_the_same_id_twice_is_told_by_row() -> None:
    told = refusal("id,name,category", "r-1,A,resident", "r-1,B,resident")
    assert "people.csv:3: the same id as line 2" in told


def test_json_lines_stay_json_lines() -> None:
    [one] = parse_lines(['{"id": "id", "name": "name", "category": "resident"}'], "x", None)
    assert (one.holder.id, one.silent_on_enabled) == ("id", False)


def test_a_missing_column_is_named_as_the_manual_has_it() -> None:
    assert "lacks the column category (类别)" in refusal("编号,姓名", "r-1,张三")
