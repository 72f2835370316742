"""What the community said of categories' rules, as the rules that hold at this kiosk."""

from collections.abc import Collection, Mapping

from agent.app.open.schedules import schedules
from agent.app.open.settings import rule_of
from agent.config import GateConfig
from agent.config.category_rules import rules_of_category
from agent.domain.access.community_rules import CommunityRules
from agent.domain.access.rule import Rule
from agent.ports import SaidRules


class RuleReader:
    """Holds what is said to the kiosk's config; what was read before is not read again.

    Any thread may ask.
    """

    def __init__(self, config: GateConfig, pad: Collection[str] | None = None) -> None:
        """``pad`` names the installed packs of attack detection, None where nobody has looked."""
        self._config, self._pad = config, pad
        self._hours = schedules(config)
        self._known: Mapping[tuple[str, str], tuple[Rule, ...] | None] = {}

    def read(self, category: str, text: str) -> tuple[Rule, ...]:
        """The rules that ``text`` says.

        Raises:
            ValueError: this kiosk cannot keep them; what is wrong with the first.
        """
        said = rules_of_category(self._config, category, text, self._pad)
        return tuple(rule_of(one, self._hours, self._config) for one in said)

    def rules(self, said: Mapping[str, SaidRules], *, lost: bool) -> tuple[CommunityRules, int]:
        """The rules of all categories, and how many texts cannot be kept here: they let nobody in.

        ``lost`` as in ``CommunityRules``.
        """
        texts = [(category, one.text) for category, one in said.items() if one.text is not None]
        known = self._known
        self._known = {key: known[key] if key in known else self._read(*key) for key in texts}
        found = {one: self._known.get((one, said[one].text or "")) or () for one in said}
        return CommunityRules(found, lost), sum(self._known[key] is None for key in texts)

    def _read(self, category: str, text: str) -> tuple[Rule, ...] | None:
        try:
            return self.read(category, text)
        except ValueError:
            return None
