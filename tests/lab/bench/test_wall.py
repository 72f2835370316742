"""A frame full of forged codes: reading it costs most, and what is made of them next to nothing."""

from agent.lab.bench.wall import CODES, bench_wall


def test_sixteen_forged_codes_are_read_and_judging_them_is_the_least_of_it() -> None:
    found = bench_wall(15)
    assert (found["codes"], found["read"]) == (CODES, CODES)
    assert found["standing_ms"] < found["film_ms"] < found["decode_ms"] / 2
    assert found["decode_to_one"] < CODES
