"""The tables of the config: each has its file, and the loops forget none."""

import pytest
from places import ROOT

from agent.config import GateConfig
from agent.config.base import Table
from agent.config.relations import tables

HOOKS = ("findings", "warnings", "summary")
FILES = {path.stem for path in (ROOT / "agent" / "config" / "tables").rglob("[a-z]*.py")}


def test_the_loops_know_every_table_of_the_schema():
    assert len(tables()) == len(set(tables())) == len(GateConfig.model_fields)


def test_every_file_has_a_table():
    assert {table.__module__.rpartition(".")[2] for table in tables()} == FILES


def kinds(table: type[Table]) -> list[type[Table]]:
    return [table, *(kind for one in table.__subclasses__() for kind in kinds(one))]


@pytest.mark.parametrize("table", kinds(Table)[1:])
def test_no_table_says_what_no_loop_asks_it_for(table: type[Table]):
    says = [hook for hook in HOOKS if hook in vars(table)]
    assert not says or table in tables()
