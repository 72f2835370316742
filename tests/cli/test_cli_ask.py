"""One question before what lasts: at a real terminal, and nowhere else."""

import os
import pty
import subprocess
from pathlib import Path

import pytest
from gate_command import END, PROGRAM, TIMEOUT_S, Gate, Typed, read_until

HOLDERS = "id,name,category\nr-1,Ann,resident\nr-2,Bob,resident\n"


@pytest.fixture
def people(gate: Gate, keyed: Path, tmp_path: Path) -> None:
    """Two holders."""
    assert keyed.is_file()
    (tmp_path / "people.csv").write_text(HOLDERS)
    assert gate("holders", "import", tmp_path / "people.csv").code == 0


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("answer", ["n", "", "no", "yess", "q"])
def test_whoever_does_not_agree_keeps_the_holder(typed: Typed, gate: Gate, answer: str) -> None:
    done = typed(f"{answer}\n", "holders", "remove", "r-1", "--json")
    assert (done.code, done.json["reason"]) == (1, "not_confirmed")
    assert "Remove r-1 (resident, 0 references), for good? [y/N] " in done.err
    assert gate("holders", "show", "r-1").code == 0


@pytest.mark.usefixtures("people")
def test_the_end_of_input_agrees_to_nothing(typed: Typed, gate: Gate) -> None:
    assert typed("\x04", "holders", "remove", "r-1").code == 1
    assert gate("holders", "show", "r-1").code == 0


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("answer", ["y", "Yes"])
def test_whoever_agrees_has_it_done(typed: Typed, gate: Gate, answer: str) -> None:
    done = typed(f"{answer}\n", "holders", "remove", "r-1", "--json")
    assert (done.code, done.json["removed"]) == (0, True)
    assert gate("holders", "show", "r-1").code == 1


@pytest.mark.usefixtures("people")
def test_yes_is_not_asked(typed: Typed) -> None:
    done = typed("\n", "holders", "remove", "r-1", "--yes")
    assert done.code == 0
    assert "[y/N]" not in done.err


@pytest.mark.usefixtures("people")
def test_without_a_terminal_nobody_is_asked(program: Gate) -> None:
    done = program("holders", "remove", "r-1")
    assert (done.code, done.out, done.err) == (0, "removed r-1 and all references\n", "")


@pytest.mark.usefixtures("people")
def test_the_program_asks_at_its_terminal(state_dir: Path) -> None:
    ours, its = pty.openpty()
    os.write(ours, b"y\n")
    with subprocess.Popen(
        [str(PROGRAM), "holders", "remove", "r-1"],
        stdin=its,
        stdout=subprocess.PIPE,
        stderr=its,
        env={**os.environ},
    ) as process:
        out, _ = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out) == (0, b"removed r-1 and all references\n")
    os.write(its, END)
    assert "[y/N]" in read_until(ours, END)
    os.close(ours)
    os.close(its)


@pytest.mark.usefixtures("people")
def test_who_is_unknown_is_refused_without_a_question(typed: Typed) -> None:
    done = typed("y\n", "holders", "remove", "r-9", "--json")
    assert done.json["reason"] == "no_such_holder"
    assert "[y/N]" not in done.err


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("key rotate", "destroy the old one? [y/N]"),
        ("models remove dlib", "Remove the model pack dlib?"),
        ("models choose dlib", "Use dlib?"),
        ("trust remove eu", "Remove the trust list eu?"),
        ("pass revoke 3f9a0c1d2e4b5a67", "Revoke this pass, for good?"),
        ("state accept passes.sqlite --reason new", "Accept passes.sqlite as it is?"),
        ("door free-passage --all", "Let everybody through at every access point"),
        ("door free-passage north south", "through at north, south, until door resume?"),
        ("clock set-back --reason r --to 2026-01-01T00:00Z", "may open again. [y/N]"),
        ("holders unbind-document r-1", "Forget the ID document of r-1?"),
        ("passback forgive --all", "Forget where everybody is?"),
        ("holders references r-1 --remove 1", "Remove photograph 1 of r-1, for good?"),
    ],
)
def test_what_lasts_is_asked_for_everywhere(typed: Typed, words: str, asked: str) -> None:
    done = typed("n\n", *words.split(), "--json")
    assert (done.code, done.json["reason"]) == (1, "not_confirmed")
    assert asked in done.err


def test_a_key_is_distrusted_by_the_name_of_its_issuer(
    typed: Typed, gate: Gate, tmp_path: Path
) -> None:
    made = gate("pass", "keygen", tmp_path / "office.pem", "--json").json
    assert gate("pass", "trust", made["public"], "--issuer", "office").code == 0
    done = typed("n\n", "pass", "distrust", made["key_id"])
    assert f"Believe passes of office signed by {made['key_id']} no longer? [y/N]" in done.err
    assert len(gate("pass", "issuers", "--json").json) == 1


@pytest.mark.usefixtures("people")
def test_a_file_that_shuts_people_out_is_asked_for(
    typed: Typed, gate: Gate, tmp_path: Path
) -> None:
    file = tmp_path / "next.csv"
    file.write_text(
        "id,name,category,enabled,valid_until\nr-1,Ann,resident,no,\nr-2,Bob,resident,yes,2020-01-31\n"
        "r-3,Cay,resident,no,\n"
    )
    done = typed("n\n", "holders", "import", file)
    assert done.code == 1
    assert "The file of 3 holders shuts out 2 who may pass now. Import it? [y/N]" in done.err
    assert [one["enabled"] for one in gate("holders", "list", "--json").json] == [True, True]
    assert typed("y\n", "holders", "import", file).code == 0
    # Who is shut out already is asked about no more.
    assert "[y/N]" not in typed("\n", "holders", "import", file).err
