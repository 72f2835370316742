"""Every command that a page names is one that its program takes, with options that it has."""

from collections import Counter

import pytest
from doc_commands import Told, commands_in, fault, told


@pytest.mark.parametrize("one", told(), ids=str)
def test_the_program_takes_what_a_page_tells_to_type(one: Told) -> None:
    assert fault(one) is None


def test_no_program_and_no_kind_of_page_was_overlooked() -> None:
    programs = Counter(one.words[0] for one in told())
    assert programs["gate-agent"] > 200
    assert {
        "scripts/backend/backend",
        "scripts/backend/broker/certificates",
        "scripts/deb",
        "scripts/demo",
        "scripts/flash",
        "scripts/rig",
        "scripts/setup",
        "scripts/test",
    } <= programs.keys()
    whole = Counter(one.page for one in told() if one.whole)
    assert {"README.md", "CONTRIBUTING.md", "docs/evaluation.md", "docs/quick-start.zh.md"} <= set(
        whole
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("gate-agent doctor   # all of it", [("gate-agent", "doctor")]),
        ("$ .venv/bin/gate-agent init", [("gate-agent", "init")]),
        ("sudo -u gate-agent gate-agent console", [("gate-agent", "console")]),
        (
            "as_agent key init && as_agent run",
            [("gate-agent", "key", "init"), ("gate-agent", "run")],
        ),
        ("gate-agent config schema > gate.json", [("gate-agent", "config", "schema")]),
        ("gate-agent pass \\\n  trust a.pub", [("gate-agent", "pass", "trust", "a.pub")]),
        ("A=1 scripts/setup --packs DIR; ls", [("scripts/setup", "--packs", "DIR")]),
        ("sudo cp systemd/gate-agent.service /etc", []),
        ("gate ── drawn by 'gate-agent", []),
    ],
)
def test_a_command_is_found_in_what_the_shell_does_around_it(
    line: str, words: list[tuple[str, ...]]
) -> None:
    assert [*commands_in(line)] == words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("gate-agent dorctor", "there is no gate-agent dorctor"),
        ("gate-agent events lst", "there is no gate-agent events lst"),
        ("gate-agent events list --typ x", "NoSuchOption"),
        ("gate-agent events list --limit many", "BadParameter"),
        ("gate-agent clock confirm", "Missing"),
        ("gate-agent door --all", "no such option"),
        ("scripts/deb --arch sparc", "invalid choice"),
        ("scripts/deb verify --key", "expected one argument"),
        ("scripts/backend/backend passage", "invalid choice"),
        ("scripts/setup --pakcs DIR", "knows no"),
        ("scripts/setpu", "there is no"),
    ],
)
def test_what_a_program_does_not_take_would_be_found(words: str, said: str) -> None:
    assert said in (fault(Told("x.md", tuple(words.split()), whole=True)) or "")


def test_a_command_that_is_only_named_may_lack_what_it_needs() -> None:
    def named(words: str) -> str | None:
        return fault(Told("x.md", tuple(words.split()), whole=False))

    assert named("gate-agent clock confirm") is None
    assert named("gate-agent fleet N --json") is None
    assert named("gate-agent clock confirm --resaon x") is not None
