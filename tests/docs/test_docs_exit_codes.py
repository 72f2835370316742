"""The page of exit codes has those that the program ends with."""

import re
from collections.abc import Iterator

from places import ROOT

from agent.cli.failures import INTERRUPTED
from agent.errors import GateAgentError
from agent.lifecycle import ExitCode

PAGE = (ROOT / "docs" / "exit-codes.md").read_text()


def codes(error: type[GateAgentError]) -> Iterator[int]:
    yield error.exit_code
    for kind in error.__subclasses__():
        yield from codes(kind)


def test_the_page_has_the_codes_of_the_errors_and_no_others() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE)}
    assert told == {*ExitCode, INTERRUPTED}
    assert {*codes(GateAgentError)} < told
