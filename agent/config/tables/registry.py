"""[registry]: the community's registry, whose updates come by the broker."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from agent.config.base import FilePath, Table
from agent.config.tables.broker import BrokerConfig
from agent.config.whole import Finding, Whole


class RegistryConfig(Table):
    """Whose updates of the registry count, and what of them comes in.

    A face comes in only with its holder's consent to the transmission, unless the broker is
    ``on_premises``, so that it crosses no network but the community's own.
    """

    key_files: Annotated[
        tuple[FilePath, ...],
        Field(min_length=1, max_length=8, description="public keys of the registry; PEM"),
    ]
    on_premises: Annotated[
        bool, Field(description="true: the broker is on the premises, faces need no consent")
    ] = False
    rules: Annotated[
        bool, Field(description="true: its rules for categories hold, over those of [[rule]]")
    ] = False
    max_update_mb: Annotated[
        int, Field(ge=1, le=4096, description="megabytes of the largest update")
    ] = 256

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Nobody to hear it from, keys that are not there, and faces without consent."""
        for registry in whole.rows(cls):
            if not whole.rows(BrokerConfig):
                message = "[registry]: without [broker] no update ever comes"
                yield ("registry", "key_files"), message
            for number, path in enumerate(registry.key_files):
                if not whole.resolve(path).is_file():
                    where = ("registry", "key_files", number)
                    yield where, f"{whole.resolve(path)} is not there"
            if registry.on_premises:
                message = (
                    "[registry] on_premises: faces come by the broker without their holders'"
                    " consent; that it is on the premises is your word"
                )
                yield ("registry", "on_premises"), message

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """How many keys of the registry there are; None where none is named."""
        found = [len(registry.key_files) for registry in whole.rows(cls)]
        return {"registry_keys": next(iter(found), None)}
