"""The registry's side of an update, as a reference: sends it, answers requests, keeps receipts."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.adapters.broker.reach import Reach, opened
from agent.credentials.errors import CredentialError
from agent.credentials.sealed.parcel import PUSHED, Parcel
from agent.credentials.signed.receipt import Receipt, Request, verify_receipt, verify_request

_CONNECT_S = 10.0
_AFTER_S = 1.0
"""Receipts come after the version, which says that they do."""


@dataclass(slots=True)
class Outcome:
    """What became of it: the version that the kiosk says it has, and its receipts by their ids."""

    sent: int = 0
    version: int | None = None
    receipts: dict[bytes, Receipt] = field(default_factory=dict)


class RegistrySide:
    """One update on its way to one kiosk."""

    def __init__(
        self,
        topics: tuple[str, str, str],
        kiosk: Ed25519PublicKey,
        acknowledged: Callable[[Sequence[bytes]], bytes],
    ) -> None:
        """``topics``: of updates, requests and receipts; ``kiosk`` is the key it signs with.

        ``acknowledged`` makes the message that says that receipts have come.
        """
        self._topics, self._kiosk, self._acknowledged = topics, kiosk, acknowledged
        self._parcels: dict[int, Parcel] = {}
        self._outcome = Outcome()
        self._heard = threading.Event()

    def send(
        self, parcels: Sequence[Parcel], version: int, reach: Reach, within_s: float
    ) -> Outcome:
        """Send an update to ``version``, and answer the kiosk until it has that.

        Raises:
            UnavailableError: the broker cannot be reached.
        """
        self._parcels = {one.number: one for one in parcels}
        with opened(reach, self._topics[1:], self._on_message, _CONNECT_S) as client:
            self._publish(client, self._unasked(parcels))
            ends_s = time.monotonic() + within_s
            while time.monotonic() < ends_s:
                self._heard.wait(0.1)
                if (self._outcome.version or 0) >= version:
                    time.sleep(min(_AFTER_S, within_s))
                    break
        return self._outcome

    @staticmethod
    def _unasked(parcels: Sequence[Parcel]) -> list[bytes]:
        everything = [one for parcel in parcels for one in parcel.messages]
        return everything if len(everything) <= PUSHED else [parcels[0].head]

    def _publish(self, client: mqtt.Client, messages: Sequence[bytes]) -> None:
        for one in messages:
            client.publish(self._topics[0], one, 1)
        self._outcome.sent += len(messages)

    def _on_message(self, client: mqtt.Client, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        try:
            if message.topic == self._topics[1]:
                self._answer(client, verify_request(payload, self._kiosk))
            else:
                receipt = verify_receipt(payload, self._kiosk)
                self._outcome.receipts[receipt.id] = receipt
                client.publish(self._topics[0], self._acknowledged([receipt.id]), 1)
        except CredentialError:
            return  # a stranger may write there: it is not the kiosk's
        self._heard.set()

    def _answer(self, client: mqtt.Client, request: Request) -> None:
        self._outcome.version = request.version
        for part, runs in request.lacks:
            if part in self._parcels:
                self._publish(client, self._parcels[part].lacked(runs))
