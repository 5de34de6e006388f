"""WhatsApp and Messenger: what only they do."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.core.channels.base import Choice, DeliveryReport, OutgoingMessage, adapter
from functions.intake.signatures import verify
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import NOW, as_json

pytestmark = pytest.mark.requirement("F5", "G1", "G3")
WHATSAPP, MESSENGER = FAKE_PROVIDERS["whatsapp"], FAKE_PROVIDERS["messenger"]
CHOICES = (
    Choice("returns", "退货"),
    Choice("person", "请一位同事在工作时间内尽快给我回电话好吗谢谢"),
)


def adapter_of(name: str) -> Any:
    found = adapter(name)
    assert found is not None
    return found


def body_of(name: str, text: str, user: str = "8613800000000") -> Any:
    message = OutgoingMessage(user, text, choices=CHOICES)
    return json.loads(adapter_of(name).send(message, FAKE_PROVIDERS[name].secret).body)


@pytest.mark.parametrize("name", ["whatsapp", "messenger"])
def test_the_older_signature_is_not_accepted(name: str) -> None:
    call = FAKE_PROVIDERS[name].call(b"{}", NOW)
    older = {"X-Hub-Signature": "sha1=0c0a9b67b1c5e1fa2a7a4eb4b9a6ae22a0a2cd2f"}
    for headers in (older, {**older, "X-Hub-Signature-256": older["X-Hub-Signature"]}):
        request = replace(call, headers=headers).request(NOW)
        scheme, parts = adapter_of(name).signed(request, FAKE_PROVIDERS[name].secret)
        assert not verify(scheme, **parts)


@pytest.mark.parametrize("name", ["whatsapp", "messenger"])
def test_an_element_of_another_shape_is_a_message_of_nobody(name: str) -> None:
    """It is quarantined, and the others are read."""
    provider: Any = FAKE_PROVIDERS[name]
    known = json.loads(provider.text("一", NOW))
    entry = known["entry"][0]
    batch = entry["changes"][0]["value"]["messages"] if "changes" in entry else entry["messaging"]
    good = batch[0]
    batch += [7, {**good, "id": "", "message": {"text": "no mid"}}, {**good}]
    found = adapter_of(name).read(provider.call(as_json(known), NOW).request(NOW), provider.secret)
    assert [(message.user, message.text) for message in found] == [
        (provider.user, "一"), ("", ""), ("", ""), (provider.user, "一"),
    ]  # fmt: skip
    assert all(message.raw for message in found)


def test_whatsapp_shows_choices_as_buttons_and_under_a_long_text_as_lines() -> None:
    content = body_of("whatsapp", "需要什么帮助？")["interactive"]
    assert content["body"] == {"text": "需要什么帮助？"}
    replies = [button["reply"] for button in content["action"]["buttons"]]
    assert [reply["id"] for reply in replies] == ["returns", "person"]
    assert all(len(reply["title"]) <= 20 for reply in replies)
    long = body_of("whatsapp", "长" * 1025)["text"]["body"]
    assert long.startswith("长" * 1025 + "\n1. 退货\n2. 请一位同事")


def test_messenger_shows_choices_as_quick_replies() -> None:
    replies = body_of("messenger", "需要什么帮助？")["message"]["quick_replies"]
    assert [(reply["payload"], reply["content_type"]) for reply in replies] == [
        ("returns", "text"), ("person", "text"),
    ]  # fmt: skip
    assert all(len(reply["title"]) <= 20 for reply in replies)


def test_somebody_who_hides_their_number_is_answered_by_their_id() -> None:
    content = body_of("whatsapp", "您好", "CN.13491208655302741918")
    assert (content.get("to"), content["recipient"]) == (None, "CN.13491208655302741918")


def test_whatsapp_reports_what_became_of_messages() -> None:
    statuses = [
        {"id": "1", "status": "sent"},
        {"id": "1", "status": "delivered"},
        {"id": "2", "status": "failed", "errors": [{"code": 131047, "title": "Re-engagement"}]},
        {"id": "3", "status": "failed", "errors": [{"code": 131053, "title": "Media upload"}]},
    ]
    change = {"field": "messages", "value": {"statuses": [*statuses, None]}}
    call = WHATSAPP.call(as_json({"entry": [{"changes": [change]}]}), NOW)
    delivered, refused, failed = adapter_of("whatsapp").reports(call.request(NOW), WHATSAPP.secret)
    assert delivered == DeliveryReport("1", "delivered")
    assert (refused.id, refused.state) == ("2", "failed")
    assert "more than 24 hours old" in refused.cause
    assert failed == DeliveryReport("3", "failed", "WhatsApp 131053: Media upload")


@pytest.mark.parametrize(
    ("name", "status", "error", "state"),
    [
        ("whatsapp", 401, {"code": 190, "error_subcode": 463}, "permanent"),
        ("whatsapp", 429, {"code": 130429}, "passing"),
        ("whatsapp", 400, {"code": 131056}, "passing"),
        ("whatsapp", 500, {"code": 131000}, "passing"),
        ("whatsapp", 400, {"code": 99999, "message": "new"}, "permanent"),
        ("messenger", 400, {"code": 10, "error_subcode": 2534022}, "permanent"),
        ("messenger", 400, {"code": 551}, "permanent"),
        ("messenger", 400, {"code": 613}, "passing"),
        ("messenger", 500, {"code": 1200}, "passing"),
        ("messenger", 400, {"code": 77777, "is_transient": True}, "passing"),
    ],
)
def test_an_error_of_meta_s_tells_whether_to_try_again(
    name: str, status: int, error: dict[str, Any], state: str
) -> None:
    found = adapter_of(name).outcome(status, as_json({"error": error}))
    assert found.state == state
    assert found.cause.split(":")[0].split()[1] in map(str, error.values())
