"""The archive's categories as the config has them, and the registry as the desk writes it."""

from agent.config import GateConfig
from agent.config.eleven import ELEVEN
from agent.config.tables.registers.category import CategoryConfig
from agent.domain.registers.category import Alternative, Category, Ledger
from agent.domain.registers.resident_code import community_code


def categories_of(config: GateConfig | None) -> tuple[Category, ...]:
    """Every archive category; without a config those by default."""
    return tuple(map(_category, ELEVEN if config is None else config.categories))


def code_of_community(config: GateConfig) -> str:
    """What resident codes begin with here."""
    return config.registers.community_code or community_code(config.kiosk.community)


def _category(one: CategoryConfig) -> Category:
    return Category(
        one.id,
        one.zh,
        one.en,
        Alternative(one.alternative),
        Ledger(one.ledger),
        one.valid_days,
        one.retention_days,
    )
