"""Whatever order events come in, what is missing and what does not join is named."""

from hypothesis import given
from hypothesis import strategies as st

from agent.domain.record.chain import ORIGIN
from agent.operations.stretches import Seen, Stretches, blamed


def chained(count: int) -> list[Seen]:
    links = [ORIGIN, *(f"{number:064x}" for number in range(1 << 200, (1 << 200) + count))]
    # A link's first digits tell it from others, as those of a hash do.
    links[1:] = [f"{number:016x}{link[16:]}" for number, link in enumerate(links[1:], 1)]
    return [Seen(number, links[number - 1], links[number]) for number in range(1, count + 1)]


COUNT = st.integers(1, 40)


@given(COUNT, st.data())
def test_in_any_order_exactly_what_was_taken_out_is_missing(
    count: int, draw: st.DataObject
) -> None:
    whole = chained(count)
    left = draw.draw(st.lists(st.sampled_from(whole), unique=True, min_size=1))
    stretches = Stretches()
    assert all(stretches.take(one) for one in left)
    assert not any(stretches.take(one) for one in left)
    gaps = list(stretches.close())
    assert stretches.loose == []
    missing = {sequence for first, last in gaps for sequence in range(first, last + 1)}
    there = {one.sequence for one in left}
    assert missing == set(range(1, max(there) + 1)) - there
    assert all(first <= last for first, last in gaps)
    assert (stretches.first, stretches.last) == (min(there), max(there))
    assert stretches.events == len(left)
    for one in whole:
        found = stretches.is_that(one.sequence, one.link)
        assert found is (True if one.sequence in there else None)
        assert stretches.is_that(one.sequence, "f" * 64) is (
            False if one.sequence in there else None
        )


@given(st.integers(2, 40), st.data())
def test_in_any_order_the_one_that_is_another_is_named(count: int, draw: st.DataObject) -> None:
    whole = chained(count)
    place = draw.draw(st.integers(0, count - 2))
    one = whole[place]
    whole[place] = draw.draw(
        st.sampled_from(
            [
                Seen(one.sequence, one.previous, "e" * 64),
                Seen(one.sequence, "e" * 64, "d" * 64),
                Seen(one.sequence, None, "c" * 64) if place else one,
            ]
        ).filter(lambda other: other != one)
    )
    stretches = Stretches()
    for each in draw.draw(st.permutations(whole)):
        stretches.take(each)
    assert list(stretches.close()) == []
    assert blamed(stretches.loose) == [one.sequence]


def test_what_came_before_the_chain_may_stand_before_it_and_nowhere_else() -> None:
    whole = chained(5)
    old = [Seen(one.sequence, None, one.link) for one in whole[:2]]
    stretches = Stretches()
    for each in (*old, Seen(3, ORIGIN, whole[2].link), *whole[3:]):
        stretches.take(each)
    assert list(stretches.close()) == []
    assert stretches.loose == []
    assert stretches.unchained == 2
    late = Stretches()
    for each in (*whole[:4], Seen(5, None, whole[4].link)):
        late.take(each)
    assert list(late.close()) == []
    assert late.loose == [5]
