"""The files of chat messages: fetched once, from the provider alone, under the desk's rules."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from functions.core.deliver import media, message
from functions.core.domain.errors import TryAgain
from functions.core.domain.events import FilesReceived
from functions.core.platform import outgoing
from functions.core.receive.chat import ChatChannel
from functions.core.storage.database import Storage
from infra.console.quarantine import quarantine_of
from infra.simulator.simulator import Simulator
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import fixture_folder
from tests.inprocess.conftest import erase_customer
from tests.inprocess.recording_provider import recording_provider
from tests.inprocess.test_chat import DESK, Chat, put_secret, quarantine_causes
from tests.inprocess.test_returns import SUPERVISOR

pytestmark = pytest.mark.requirement("D10", "G1", "G3")

PICTURE = b"\xff\xd8\xff\xe0 a picture"
JSON = "application/json"
Served = dict[str, tuple[int, str, bytes]]


def _leads_to(content: Any) -> tuple[int, str, bytes]:
    return 200, JSON, json.dumps(content).encode()


WITH_A_PICTURE: dict[str, tuple[str, str, Callable[[str], Served], int]] = {
    "whatsapp": (
        "image.json",
        "图片.jpg",
        lambda api: {
            "/1001?": _leads_to({"messaging_product": "whatsapp", "url": f"{api}/files/1"}),
            "/files/1": (200, "image/jpeg", PICTURE),
        },
        2,
    ),
    "messenger": (
        "file.json",
        "发票.pdf.jpg",
        lambda _api: {"/v/t59/": (200, "application/pdf", PICTURE)},
        1,
    ),
    "wechat": (
        "image.xml",
        "图片.jpg",
        lambda _api: {"media_id=media-image-1": (200, "image/jpeg", PICTURE)},
        1,
    ),
    "feishu": (
        "image.json",
        "图片.jpg",
        lambda _api: {"/resources/img_v3_0002?type=image": (200, "image/jpeg", PICTURE)},
        1,
    ),
    "dingtalk": (
        "picture.json",
        "图片.jpg",
        lambda api: {
            "/messageFiles/download": _leads_to({"downloadUrl": f"{api}/files/1"}),
            "/files/1": (200, "image/jpeg", PICTURE),
        },
        1,
    ),
    "line": (
        "image.json",
        "图片.jpg",
        lambda _api: {"/content": (200, "image/jpeg", PICTURE)},
        1,
    ),
    "telegram": (
        "photo.json",
        "图片.jpg",
        lambda _api: {
            "/getFile?": _leads_to({"ok": True, "result": {"file_path": "photos/file_1.jpg"}}),
            "/photos/file_1.jpg": (200, "application/octet-stream", PICTURE),
        },
        2,
    ),
    "slack": (
        "file.json",
        "",
        lambda api: {
            "/files.info?": _leads_to({"ok": True, "file": {"url_private": f"{api}/files/1"}}),
            "/files/1": (200, "image/jpeg", PICTURE),
        },
        2,
    ),
}
"""Channel → its fixture with a file, the file's name on the ticket, the provider's responses, and
the calls that they take."""


def _writer(simulator: Simulator, storage: Storage, name: str) -> Iterator[Chat]:
    provider = FAKE_PROVIDERS[name]
    with recording_provider(provider.accepted()) as api:
        put_secret(simulator, name, {**provider.secret, "api": api.url})
        yield Chat(simulator, storage, name, provider, api)


@pytest.fixture(
    params=[
        "whatsapp",
        *(pytest.param(n, marks=pytest.mark.slow) for n in WITH_A_PICTURE if n != "whatsapp"),
    ]
)
def chat(request: pytest.FixtureRequest, simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    yield from _writer(simulator, storage, request.param)


@pytest.fixture
def whatsapp(simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    yield from _writer(simulator, storage, "whatsapp")


@pytest.fixture
def messenger(simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    yield from _writer(simulator, storage, "messenger")


def received(chat: Chat) -> list[FilesReceived]:
    history = chat.storage.tickets.history(DESK, chat.ticket.number)
    return [event for commit in history for event in commit.of(FilesReceived)]


def send_file(chat: Chat, file: str = "") -> None:
    """Send the channel's fixture with a file; Messenger's is kept by the fake provider."""
    body = (fixture_folder(chat.name) / (file or WITH_A_PICTURE[chat.name][0])).read_bytes()
    body = body.replace(b"https://cdn.fbsbx.com", chat.api.url.encode())
    assert chat.send(chat.provider.call(body, chat.now)).status == 200


def serve(chat: Chat, content: bytes = PICTURE, media_type: str = "image/jpeg") -> None:
    chat.api.files = WITH_A_PICTURE[chat.name][2](chat.api.url)
    *_, last = chat.api.files
    chat.api.files[last] = (200, media_type, content)


def test_a_file_is_fetched_once_and_agents_and_the_customer_see_it(chat: Chat) -> None:
    """The provider's repetition asks again, and a file that is there is not fetched again."""
    serve(chat)
    send_file(chat)
    send_file(chat)
    chat.simulator.pump()
    _, name, _, calls = WITH_A_PICTURE[chat.name]
    assert len(chat.api.fetched) == calls
    (event,) = received(chat)
    (file,) = event.attachments
    assert (file.content_type, file.size, event.refused) == ("image/jpeg", len(PICTURE), ())
    assert file.name == (name or file.name)
    s3 = boto3.client("s3")
    bucket = chat.simulator.deployment.mail_bucket
    assert s3.get_object(Bucket=bucket, Key=file.key)["Body"].read() == PICTURE
    path = f"/agent/desks/{DESK}/tickets/{chat.ticket.number}"
    view = chat.simulator.http("GET", path, claims=SUPERVISOR).json
    assert [(each["name"], each["event"]) for each in view["attachments"]] == [
        (file.name, "FilesReceived")
    ]
    chat.simulator.pump()
    pages = {
        urlsplit(url).path + "?" + urlsplit(url).query
        for _, words in chat.sent_messages
        for url in re.findall(r"https?://[!-~]+key=[!-~]+", words)
    }
    for page in pages:
        shown = chat.simulator.http("GET", page, headers={"Accept": "application/json"}).json
        assert [each["name"] for each in shown["attachments"]] == [file.name]
    assert pages or chat.name == "wechat"  # which carries the link in its response
    incoming = [m for m in view["messages"] if m["event"] == "FilesReceived"]
    assert [(m["direction"], m["channel"]) for m in incoming] == [("in", chat.name)]


def test_an_erased_customer_s_file_is_deleted(whatsapp: Chat) -> None:
    serve(whatsapp)
    send_file(whatsapp)
    whatsapp.simulator.pump()
    ((file,),) = (event.attachments for event in received(whatsapp))
    erase_customer(whatsapp.simulator, whatsapp.now, number=whatsapp.ticket.number)
    found = boto3.client("s3").list_objects_v2(
        Bucket=whatsapp.simulator.deployment.mail_bucket, Prefix=file.key
    )
    assert found["KeyCount"] == 0


@pytest.mark.requirement("G4")
def test_a_file_of_a_merged_ticket_goes_to_the_merge_target(whatsapp: Chat) -> None:
    """The target's customer is another, and does not see it."""
    whatsapp.write("退款没到账", user="8613800000001")
    (other,) = (ticket.number for ticket in whatsapp.tickets)
    serve(whatsapp)
    send_file(whatsapp)
    (own,) = (ticket.number for ticket in whatsapp.tickets if ticket.number != other)
    (task,) = whatsapp.simulator.accepted
    whatsapp.simulator.accepted.clear()
    whatsapp.act("merge", number=own, into=other)
    whatsapp.simulator.accepted.append(task)
    whatsapp.simulator.pump()
    history = whatsapp.storage.tickets.history(DESK, other)
    (event,) = (event for commit in history for event in commit.of(FilesReceived))
    assert (event.via, event.stranger, len(event.attachments)) == (own, True, 1)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"MZ a program", "program"), (b"\xff\xd8\xff" * 400_000, "size")]
)
def test_the_desk_s_rules_for_files_apply(whatsapp: Chat, content: bytes, reason: str) -> None:
    playbook = whatsapp.storage.playbooks.get(DESK, whatsapp.now)
    rules = playbook.files.model_copy(update={"max_mb": 1})
    whatsapp.storage.playbooks.put(playbook.model_copy(update={"files": rules}), whatsapp.now)
    whatsapp.simulator.expire_playbooks()
    whatsapp.simulator.replace_containers()
    serve(whatsapp, content)
    send_file(whatsapp)
    whatsapp.simulator.pump()
    (event,) = received(whatsapp)
    (file,) = event.refused
    assert (file.name, file.size, file.reason) == ("图片", len(content), reason)
    assert event.attachments == ()


def test_nothing_is_fetched_from_another_host(
    messenger: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ticket says so; the name is not even resolved."""
    monkeypatch.setattr(outgoing, "resolve", lambda *_: pytest.fail("resolved"))
    photo = {"type": "image", "payload": {"url": "https://media.example.com/1.jpg"}}
    provider: Any = messenger.provider
    body = provider.batch(provider.event(messenger.now, {"attachments": [photo]}))
    assert messenger.send(provider.call(body, messenger.now)).status == 200
    messenger.simulator.pump()
    (event,) = received(messenger)
    assert [file.reason for file in event.refused] == ["address"]
    assert event.cause == "media.example.com is not one of messenger's hosts"


def test_a_file_that_the_provider_has_no_more_is_named_on_the_ticket(whatsapp: Chat) -> None:
    error = {"error": {"code": 100, "message": "Object does not exist"}}
    whatsapp.api.files = {"/1001?": (400, JSON, json.dumps(error).encode())}
    send_file(whatsapp)
    whatsapp.simulator.pump()
    (event,) = received(whatsapp)
    assert [(file.name, file.reason) for file in event.refused] == [("图片", "unavailable")]
    assert event.cause == "WhatsApp 100: Object does not exist"


@pytest.mark.parametrize(
    ("status", "cause"), [(503, "HTTP 503 from WhatsApp"), (0, "did not answer in time")]
)
def test_a_provider_that_is_down_is_asked_again(
    whatsapp: Chat, monkeypatch: pytest.MonkeyPatch, status: int, cause: str
) -> None:
    """Lambda repeats the event that fails, and dead-letters it in the end."""
    monkeypatch.setattr(media, "TIMEOUT", timedelta(seconds=0.5))
    whatsapp.api.files = {"/1001?": (status, "text/plain", b"")}
    send_file(whatsapp)
    (task,) = whatsapp.simulator.accepted
    with pytest.raises(TryAgain, match=f"1 of 1 files: .*{cause}"):
        whatsapp.simulator.pump()
    assert received(whatsapp) == []
    serve(whatsapp)
    whatsapp.simulator.accepted.append(task)
    whatsapp.simulator.pump()
    (event,) = received(whatsapp)
    assert len(event.attachments) == 1


def test_an_answer_whose_sending_times_out_is_not_sent_twice(
    messenger: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether the customer has it; the agent is told."""
    messenger.write_and_take()
    monkeypatch.setattr(message, "READ_TIMEOUT", timedelta(seconds=0.3))
    messenger.api.answers = [(0, b"")]
    messenger.act("reply", text="请重启")
    messenger.simulator.pump()
    (reply,) = messenger.replies()
    assert (reply.state, reply.attempts) == ("dead_lettered", 1)
    assert len([words for _, words in messenger.sent_messages if "请重启" in words]) == 1


def test_a_message_without_files_starts_no_function(whatsapp: Chat) -> None:
    whatsapp.write("无法登录")
    assert not whatsapp.simulator.accepted


def test_a_bad_message_of_a_batch_loses_no_other(
    whatsapp: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cannot be read, one makes the desk fail: both are quarantined, and the request with the
    latter is read again once that is repaired.
    """
    provider: Any = whatsapp.provider
    process = ChatChannel._process

    def fails(channel: ChatChannel, message: Any) -> str:
        if "坏" in message.text:
            raise ValueError("a bug")
        return process(channel, message)

    monkeypatch.setattr(ChatChannel, "_process", fails)
    now = whatsapp.now
    texts = [
        provider.message(now, "text", {"body": words}, user=user)
        for words, user in (
            ("一", "8613800000001"),
            ("坏的", "8613800000002"),
            ("三", "8613800000003"),
        )
    ]
    body = provider.batch(texts[0], {"type": "text"}, *texts[1:], user="8613800000009")
    for _ in range(2):
        assert whatsapp.send(provider.call(body, now)).status == 200
    assert len(whatsapp.tickets) == 2
    assert sorted(quarantine_causes(whatsapp)) == [
        "whatsapp: ValueError: a bug",
        "whatsapp: nobody to answer",
    ]
    monkeypatch.setattr(ChatChannel, "_process", process)
    box = quarantine_of(whatsapp.simulator.deployment.stage)
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName=f"{whatsapp.simulator.deployment.prefix}-mail")["QueueUrl"]
    with box.opened() as waiting:
        (failed,) = [entry for entry in waiting if "ValueError" in entry.cause]
        box.replay(failed)
    (queued,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    record = {"messageId": "m1", "body": queued["Body"]}
    whatsapp.simulator.invoke("intake_mail", {"Records": [record]})
    assert len(whatsapp.tickets) == 3


def test_url_verification_needs_the_token(whatsapp: Chat) -> None:
    provider: Any = whatsapp.provider
    call = provider.check(whatsapp.now)
    answer = whatsapp.send(call)
    assert (answer.status, answer.text) == (200, "1158201444")
    forged = replace(call, query={**call.query, "hub.verify_token": "another"})
    assert whatsapp.send(forged).status == 401
