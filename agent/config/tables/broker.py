"""[broker]: the community's MQTT broker."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from agent.config.base import FilePath, Name, Table
from agent.config.tables.kiosk import KioskConfig
from agent.config.whole import Finding, Whole
from agent.domain.record.home_assistant import PREFIX


class BrokerConfig(Table):
    """The community's MQTT broker; the password is read from a file, never from here."""

    host: Annotated[str, Field(min_length=1, max_length=253, description="name or address")]
    port: Annotated[int, Field(ge=1, le=65535, description="8883 with TLS")] = 1883
    protocol: Annotated[Literal["5", "3.1.1"], Field(description="of MQTT")] = "5"
    client_id: Annotated[Name | None, Field(description="as whom the broker knows the kiosk")] = (
        None
    )
    username: Annotated[
        Annotated[str, Field(min_length=1, max_length=128)] | None,
        Field(description="whose password is in password_file"),
    ] = None
    password_file: Annotated[
        FilePath | None, Field(description="holds the password; mode 0600")
    ] = None
    ca_file: Annotated[FilePath | None, Field(description="TLS is on where this is given")] = None
    cert_file: Annotated[FilePath | None, Field(description="the kiosk's own certificate")] = None
    key_file: Annotated[FilePath | None, Field(description="of cert_file; mode 0600")] = None
    keepalive_s: Annotated[int, Field(ge=5, le=600, description="between signs of life")] = 30
    health_every_s: Annotated[
        int, Field(ge=0, le=3600, description="between heartbeats; 0: no heartbeat")
    ] = 60

    backlog_per_s: Annotated[
        float, Field(ge=0, le=10_000, description="events that waited; 0: as fast as they go")
    ] = 50.0
    home_assistant: Annotated[
        bool, Field(description="tell Home Assistant what to show of the kiosk; read only")
    ] = False
    discovery_prefix: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$",
            max_length=128,
            description="home_assistant: where it listens",
        ),
    ] = PREFIX

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file needs a username")
        if self.cert_file is not None and self.ca_file is None:
            raise ValueError("cert_file needs ca_file: TLS is on where ca_file is given")
        return self

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """No broker, one that others can listen to, names that it changes, files that are away."""
        if not whole.rows(cls):
            message = "there is no [broker]: events stay in the journal of this kiosk"
            yield (), f"{message}, for [store] journal_days"
        for broker in whole.rows(cls):
            if broker.ca_file is None and broker.host not in {"localhost", "127.0.0.1"}:
                message = "[broker] has no ca_file: events cross the network in the clear"
                yield ("broker", "host"), message
            if broker.protocol == "3.1.1":
                yield from _dotted(whole.one(KioskConfig))
            for key in ("password_file", "ca_file", "cert_file", "key_file"):
                path = getattr(broker, key)
                if path is not None and not _readable(whole, path):
                    yield ("broker", key), f"{whole.resolve(path)} is not there or not readable"

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Its address, or None."""
        address = [f"{broker.host}:{broker.port}" for broker in whole.rows(cls)]
        return {"broker": next(iter(address), None)}


def _dotted(kiosk: KioskConfig) -> Iterator[Finding]:
    """A dot parts the levels of AMQP and of NATS, which speak 3.1.1."""
    for key in ("community", "grid", "id"):
        if "." in (name := getattr(kiosk, key)):
            said = f"the dot in {name!r}: with RabbitMQ it becomes a / in topics, and NATS takes no"
            yield ("kiosk", key), f"{said} such kiosk", "use - or _; Mosquitto keeps it"


def _readable(whole: Whole, path: FilePath) -> bool:
    try:
        with whole.resolve(path).open("rb"):
            return True
    except OSError:
        return False
