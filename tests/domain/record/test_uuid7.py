"""UUIDv7: the example of RFC 9562, and ids that always rise."""

import os
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.record.uuid7 import Uuid7Source, uuid7

NOW = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


def test_the_example_of_the_rfc() -> None:
    # RFC 9562, appendix A.6: 1645557742000 ms, rand_a CC3, rand_b 18C4DC0C0C07398F.
    random = (0x18C4DC0C0C07398F << 2).to_bytes(8, "big")
    assert uuid7(0x017F22E279B0, random, 0xCC3) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(st.integers(0, 2**48 - 1), st.binary(min_size=8, max_size=8), st.integers(0, 0xFFF))
def test_every_id_is_one_of_version_7_and_tells_its_time(unix_ms, random, counter) -> None:
    made = uuid.UUID(uuid7(unix_ms, random, counter))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == unix_ms


@pytest.mark.parametrize("step_ms", [0, 1, -1, -3_600_000])
def test_ids_rise_within_a_millisecond_and_when_the_clock_goes_back(step_ms) -> None:
    source = Uuid7Source(os.urandom)
    made = [source.make(NOW + timedelta(milliseconds=step_ms * i)) for i in range(10_000)]
    assert made == sorted(set(made))


def test_chance_differs_where_time_and_counter_agree() -> None:
    one, other = Uuid7Source(os.urandom), Uuid7Source(os.urandom)
    assert one.make(NOW) != other.make(NOW)
