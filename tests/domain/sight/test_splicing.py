"""An index with rows out and others in is the one that would be made of what there is then."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.credential.holder import HolderId
from agent.domain.sight.coded.codes import TableInMaking
from agent.domain.sight.coded.splicing import NewRows, spliced
from agent.domain.sight.comparison import Metric, ReferenceIndex

Gallery = dict[int, str]
"""Owners by the number of the row."""
_OWNERS = st.sampled_from(["a", "b", "bb", "d", "é", "\U0001f600"])


def _index(gallery: Gallery) -> tuple[ReferenceIndex, NewRows]:
    rows = sorted(gallery.items(), key=lambda row: (row[1], row[0]))
    owners = [HolderId(owner) for _, owner in rows]
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    table = TableInMaking(len(rows), 4)
    made = np.array([np.random.default_rng(n).normal(size=4) for n in numbers.tolist()])
    table.put(np.arange(len(rows)), made.reshape(-1, 4).astype(np.float32))
    whole = NewRows(owners, numbers, table.table())
    index = ReferenceIndex.of_table(owners, whole.table, lambda _: (), Metric.EUCLIDEAN, 1)
    return index, whole


@given(
    before=st.dictionaries(st.integers(0, 12), _OWNERS, min_size=1),
    touched=st.sets(st.integers(0, 12)),
    comes=st.dictionaries(st.integers(0, 12), _OWNERS),
)
def test_it_is_the_index_of_what_there_is_then(
    before: Gallery, touched: set[int], comes: Gallery
) -> None:
    touched |= comes.keys()
    after = {number: owner for number, owner in before.items() if number not in touched} | comes
    index, whole = _index(before)
    out = np.isin(whole.numbers, [*touched])
    made = spliced(index, whole.numbers, out, _index(comes)[1])
    expected, all_rows = _index(after)
    assert [*made.names] == [*expected.names]
    assert np.diff(made.starts).tolist() == expected.counts.tolist()
    assert [*map(len, made.names)] == [*map(len, expected.names)]
    numbers = np.concatenate((whole.numbers, _index(comes)[1].numbers))[made.source]
    assert numbers.tolist() == all_rows.numbers.tolist()
    for one in ("codes", "scales", "half_squares"):
        assert getattr(made.table, one).tobytes() == getattr(expected.table, one).tobytes()
    assert made.table.lost >= expected.table.lost
    assert made.table.longest >= expected.table.longest
    again = ReferenceIndex.of_rows(made.names, made.starts, made.table, lambda _: (), index, 2)
    assert [again.rows_of(name) for name in again.names] == [
        expected.rows_of(name) for name in expected.names
    ]
    assert (again.revision, again.at(3).revision, len(again.at(3))) == (2, 3, len(after))
