"""A community's registry at a real broker: it sends updates, answers requests, keeps receipts."""

import threading
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping, Sequence

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from paho.mqtt.enums import CallbackAPIVersion
from sync_parts import ISSUED, KIOSK, REGISTRY_KEY

from agent.credentials.passes.claim_values import text
from agent.credentials.sealed.chunks import acknowledged_message
from agent.credentials.sealed.parcel import PUSHED, Parcel, Recipient, make_update
from agent.credentials.signed.entries import Entry
from agent.credentials.signed.receipt import (
    Receipt,
    Request,
    acknowledge,
    verify_receipt,
    verify_request,
)

TOPIC = f"gate/{KIOSK}/registry"


def public_of(half: Mapping[str, object]) -> bytes:
    """The raw key of a half as ``gate-agent key show`` prints it."""
    return urlsafe_b64decode(text(half["public"]) + "=")


class Office:
    """One connection; what it was asked and answered is kept."""

    def __init__(self, port: int, keys: Mapping[str, Mapping[str, object]]) -> None:
        """``keys`` are the kiosk's, as ``gate-agent key show`` prints them."""
        self._signing = Ed25519PublicKey.from_public_bytes(public_of(keys["signing"]))
        sealing = X25519PublicKey.from_public_bytes(public_of(keys["sealing"]))
        self.to = Recipient(KIOSK, sealing)
        self.requests: list[Request] = []
        self.receipts: list[Receipt] = []
        self.parcels: list[Parcel] = []
        self.answers = True
        self.acknowledges = True
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "office", protocol=mqtt.MQTTv5)
        self._client.max_inflight_messages_set(1000)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{TOPIC}/#", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", port, keepalive=5)
        self._client.loop_start()
        assert self._ready.wait(60)

    def register(self, entries: Iterable[Entry], versions: tuple[int, int]) -> None:
        """Publish an update: all of it where it is small, else the head of its first part."""
        update = make_update(entries, self.to, versions)
        self.parcels = list(update.parcels(self.to, REGISTRY_KEY, ISSUED))
        everything = [one for parcel in self.parcels for one in parcel.messages]
        self.send(everything if len(everything) <= PUSHED else [self.parcels[0].head])

    def send(self, messages: Sequence[bytes]) -> None:
        """Publish these on the kiosk's topic."""
        for one in messages:
            self._client.publish(TOPIC, one, 1)

    def close(self) -> None:
        """Go away."""
        self._client.disconnect()
        self._client.loop_stop()

    def _heard(self, _client: object, _user: object, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/request"):
            request = verify_request(bytes(message.payload), self._signing)
            self.requests.append(request)
            if self.answers:
                for part, runs in request.lacks:
                    self.send(self.parcels[part].lacked(runs))
        elif message.topic.endswith("/receipts"):
            receipt = verify_receipt(bytes(message.payload), self._signing)
            self.receipts.append(receipt)
            if self.acknowledges:
                self.send([acknowledged_message(acknowledge(KIOSK, [receipt.id], REGISTRY_KEY))])
