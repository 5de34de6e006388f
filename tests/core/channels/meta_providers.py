"""Fake WhatsApp and Messenger, which sign alike."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from tests.core.channels.provider_requests import JSON, Call, FakeProvider, as_json


class Meta(FakeProvider):
    """An app of Meta's."""

    secret: Mapping[str, Any] = {
        "app_secret": "an app secret for tests",
        "verify_token": "a-verify-token-for-tests",
        "access_token": "an access token for tests",
    }

    def check(self, now: datetime) -> Call:
        """Return the URL-verification request ("Verification requests")."""
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": "1158201444",
            "hub.verify_token": self.secret["verify_token"],
        }
        return Call(query=query, method="GET")

    def call(self, body: bytes, now: datetime) -> Call:
        digest = hmac.new(self.secret["app_secret"].encode(), body, "sha256").hexdigest()
        return Call(body, {}, {"Content-Type": JSON, "X-Hub-Signature-256": f"sha256={digest}"})


class WhatsApp(Meta):
    """A business number."""

    secret: Mapping[str, Any] = {**Meta.secret, "phone_number_id": "200000000000001"}
    user: str = "8613800000000"
    closed = 400, b'{"error":{"message":"Re-engagement message","code":131047}}'

    def batch(self, *messages: Any, user: str = "") -> bytes:
        """Return the body of a request with messages as WhatsApp writes them."""
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550000001", "phone_number_id": "2"},
            "contacts": [{"profile": {"name": "Example"}, "wa_id": user or self.user}],
            "messages": list(messages),
        }
        change = {"field": "messages", "value": value}
        return as_json(
            {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
        )

    def message(self, now: datetime, message_type: str, content: Any, **more: str) -> Any:
        return {
            "from": more.get("user", self.user),
            "id": f"wamid.{more.get('id') or uuid4().hex}",
            "timestamp": str(int(now.timestamp())),
            "type": message_type,
            message_type: content,
        }

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        user = more.get("user", "")
        return self.batch(self.message(now, "text", {"body": words}, **more), user=user)

    def accepted(self) -> bytes:
        return as_json({"messaging_product": "whatsapp", "messages": [{"id": "wamid.OUT="}]})

    def refused(self) -> tuple[int, bytes]:
        return 400, as_json({"error": {"message": "undeliverable", "code": 131026}})

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        text = (
            body["interactive"]["body"]["text"] if "interactive" in body else body["text"]["body"]
        )
        return body.get("to") or body["recipient"], text


class Messenger(Meta):
    """A page."""

    user: str = "6000000000000001"
    closed = 400, b'{"error":{"message":"outside","code":10,"error_subcode":2018278}}'

    def batch(self, *events: Any) -> bytes:
        """Return the body of a request with one entry for each event."""
        entries = [{"id": "100", "time": 1, "messaging": [event]} for event in events]
        return as_json({"object": "page", "entry": entries})

    def event(self, now: datetime, message: Any, **more: str) -> Any:
        return {
            "sender": {"id": more.get("user", self.user)},
            "recipient": {"id": "100"},
            "timestamp": int(now.timestamp() * 1000),
            "message": {"mid": f"m_{more.get('id') or uuid4().hex}", **message},
        }

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        return self.batch(self.event(now, {"text": words}, **more))

    def accepted(self) -> bytes:
        return as_json({"recipient_id": self.user, "message_id": "m_OUT"})

    def refused(self) -> tuple[int, bytes]:
        return 400, as_json({"error": {"message": "unavailable", "code": 551}})

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        return body["recipient"]["id"], body["message"]["text"]
