"""Loops over the tables of a config: what they owe each other, as (key path, message)."""

from collections.abc import Collection, Iterator
from pathlib import Path

from agent.config.base import Table
from agent.config.lines import KeyPath
from agent.config.mend import fields_of, model_at
from agent.config.pins import check_pins
from agent.config.schema import GateConfig
from agent.config.whole import Finding, Whole


def tables() -> tuple[type[Table], ...]:
    """The class of each table, in the order of the schema."""
    found = (model_at((name,)) for name, _ in fields_of(GateConfig))
    return tuple(one for one in found if one is not None and issubclass(one, Table))


def whole_of(
    config: GateConfig,
    mended: Collection[KeyPath] = (),
    folder: Path | None = None,
    pad: Collection[str] | None = None,
) -> Whole:
    """The config as its tables see it; ``folder`` is where its file is, ``pad`` as in ``Whole``."""
    values = [getattr(config, name) for name in GateConfig.model_fields]
    rows = [value if isinstance(value, tuple) else (value,) for value in values]
    present = [table for row in rows for table in row if table is not None]
    # Behind the config's own: what is to be said of a rule is to be said of these as well.
    present += [rule for rule, _ in config.made_rules()]
    return Whole(tuple(present), mended, folder or Path(), pad)


def placed(config: GateConfig, finding: Finding) -> Finding:
    """``finding`` at the place of the file that is meant: a category, where that made the rule."""
    path, own = finding[0], len(config.rule)
    if len(path) < 2 or path[0] != "rule" or not isinstance(path[1], int) or path[1] < own:
        return finding
    made = config.made_rules()[path[1] - own][1]
    if made[0] == "category":
        made = (*made, *path[2:])
    return (made, *finding[1:])


def check_relations(
    config: GateConfig, mended: Collection[KeyPath] = (), pad: Collection[str] | None = None
) -> Iterator[Finding]:
    """Every reference without its referent, every double use, every risk left unaccepted.

    Nothing is said of what stands at ``mended`` in place of the file's own values.
    """
    whole = whole_of(config, mended, pad=pad)
    for table in tables():
        yield from (placed(config, one) for one in table.findings(whole))
    yield from check_pins(config, mended)
