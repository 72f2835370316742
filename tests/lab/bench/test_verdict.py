"""Which limits a measurement keeps."""

from agent.lab.bench.verdict import figures, sentence, verdict

FOUND = {
    "ratios": {"face_path_to_bare": 1.2, "compare_1m_to_numpy": 0.3, "unlimited": 5.0},
    "limits": {"face_path_to_bare": 1.1, "compare_1m_to_numpy": 0.4, "start_s": 2.0, "rss": 300},
    "start_s": 2.0,
    "stages": {
        "detect": {"ratio": 1.7},
        "compare_1m": {"ratio": 0.3, "limit": 0.4, "memory_ratio": 1.4, "memory_limit": 1.3},
    },
    "peers": {
        "face_recognition": {"speedup": 21.0, "limit": 10.0},
        "deepface": {"unavailable": "it is not installed"},
        "opencv": {"speedup": 0.9},
    },
}


def test_each_figure_with_a_limit_is_judged_and_no_other() -> None:
    judged = {one["figure"]: (one["met"], one["bound"], one["by"]) for one in verdict(FOUND)}
    assert judged == {
        "face_path_to_bare": (False, "at most", -0.0909),
        "compare_1m_to_numpy": (True, "at most", 0.25),
        "start_s": (True, "at most", 0.0),
        "compare_1m ratio": (True, "at most", 0.25),
        "compare_1m memory_ratio": (False, "at most", -0.0769),
        "speedup over face_recognition": (True, "at least", 1.1),
    }


def test_each_figure_is_told_with_its_limit_where_it_has_one() -> None:
    told = {one["figure"]: (one["value"], one["limit"], one["met"]) for one in figures(FOUND)}
    assert told == {
        "face_path_to_bare": (1.2, 1.1, False),
        "compare_1m_to_numpy": (0.3, 0.4, True),
        "unlimited": (5.0, None, None),
        "speedup over face_recognition": (21.0, 10.0, True),
        "speedup over opencv": (0.9, None, None),
        "start_s": (2.0, 2.0, True),
        "compare_1m ratio": (0.3, 0.4, True),
        "compare_1m memory_ratio": (1.4, 1.3, False),
    }


def test_one_sentence_says_it() -> None:
    judged = verdict(FOUND)
    missed = "face_path_to_bare, compare_1m memory_ratio"
    assert sentence(judged) == f"2 of 6 limits are missed on this machine: {missed}"
    assert sentence(judged[:4]) == "1 of 4 limits is missed on this machine: face_path_to_bare"
    assert sentence(judged[:1]) == "the one limit is missed on this machine: face_path_to_bare"
    assert sentence(judged[1:4]) == "all 3 limits are met on this machine"
    assert sentence(judged[1:2]) == "the one limit is met on this machine"
    assert sentence([]) == "no figure that was measured has a limit"
