"""The ticket that a chat message joins, and the stored parts of the message."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.core.domain.commands import AnswerSurvey, CorrectContact
from functions.core.domain.events import EVENTS, TicketReceived
from functions.core.platform import clock
from functions.core.receive.chat import MAX_TEXT
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.tickets import Tickets
from infra.console.quarantine import quarantine_of
from infra.simulator.simulator import Simulator
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.inprocess.conftest import erase_customer
from tests.inprocess.recording_provider import recording_provider
from tests.inprocess.test_chat import DESK, Chat, put_secret

pytestmark = pytest.mark.requirement("E10", "G1", "G3")


def _writer(simulator: Simulator, storage: Storage, name: str) -> Iterator[Chat]:
    provider = FAKE_PROVIDERS[name]
    with recording_provider(provider.accepted()) as api:
        put_secret(simulator, name, {**provider.secret, "api": api.url})
        yield Chat(simulator, storage, name, provider, api)


@pytest.fixture
def line(simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    """A person on LINE."""
    yield from _writer(simulator, storage, "line")


@pytest.fixture
def wechat(simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    """A person on WeChat."""
    yield from _writer(simulator, storage, "wechat")


@pytest.fixture
def telegram(simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    """A person on Telegram."""
    yield from _writer(simulator, storage, "telegram")


def send_event(chat: Chat, **event: Any) -> None:
    """Send a LINE event that is no text message."""
    known = {"source": {"type": "user", "userId": chat.provider.user}, "mode": "active"}
    body = json.dumps({"destination": "U0", "events": [{**known, **event}]}).encode()
    assert chat.send(chat.provider.call(body, chat.now)).status == 200


def resolve_ticket(chat: Chat) -> datetime:
    """Open and resolve a ticket; return when it was resolved."""
    chat.write("无法登录")
    chat.simulator.pump()
    chat.act("take")
    chat.act("resolve", summary="重置密码后恢复")
    at = chat.ticket.resolved_at
    assert at is not None
    return at


def events_named(chat: Chat, *names: str) -> list[Any]:
    history = chat.storage.tickets.history(DESK, chat.ticket.number)
    return [event for commit in history for event in commit.of(*(EVENTS[name] for name in names))]


@pytest.mark.requirement("E10", "A13")
@pytest.mark.parametrize(("more", "tickets"), [(0, 1), (1, 2)])
def test_a_solved_ticket_is_reopened_until_the_last_second_of_reopen_within(
    line: Chat, monkeypatch: pytest.MonkeyPatch, more: int, tickets: int
) -> None:
    ended = resolve_ticket(line)
    late = ended + line.storage.playbooks.get(DESK, ended).reopen_within + timedelta(seconds=more)
    monkeypatch.setattr(clock, "now", lambda: late)
    line.write("还是登录不了")
    assert len(line.tickets) == tickets


@pytest.mark.requirement("E10", "A13")
def test_a_message_during_the_review_reopens_the_ticket(line: Chat) -> None:
    resolve_ticket(line)
    playbook = line.storage.playbooks.get(DESK, line.now)
    answer = AnswerSurvey(score=2)
    change(line.storage, DESK, line.ticket.number, answer, playbook, clock.now(), actor="customer")
    assert line.ticket.status == "in_review"
    line.write("还是登录不了")
    assert len(line.tickets) == 1
    assert events_named(line, "TicketReopened")


@pytest.mark.requirement("G4")
def test_a_ticket_with_a_corrected_contact_takes_no_more_messages(line: Chat) -> None:
    line.write("无法登录")
    ticket = line.ticket
    theirs = ticket.customer.model_copy(update={"hash": "of-another-contact"})
    command = CorrectContact(customer=theirs, sealed=b"sealed")
    playbook = line.storage.playbooks.get(DESK, line.now)
    change(line.storage, DESK, ticket.number, command, playbook, clock.now(), actor="zg-1")
    send_event(line, type="unfollow", webhookEventId="2101")
    assert line.ticket.version == ticket.version + 1
    line.write("是手机端")
    assert len(line.tickets) == 2


@pytest.mark.requirement("C1", "E10")
@pytest.mark.parametrize(
    "event",
    [{"type": "follow"}, {"type": "unfollow"}, {"type": "postback", "postback": {"data": "faq"}}],
    ids=lambda event: str(event["type"]),
)
def test_an_event_opens_no_ticket_and_is_a_note_on_an_open_one(line: Chat, event: Any) -> None:
    send_event(line, **event, webhookEventId="2201")
    assert line.tickets == []
    line.write("无法登录")
    for _ in range(2):
        send_event(line, **event, webhookEventId="2202")
    (note,) = events_named(line, "NoteAdded")
    assert note.text.startswith("[")
    assert not events_named(line, "CustomerWrote")


def test_an_edited_message_joins_and_opens_no_ticket(telegram: Chat) -> None:

    def edits(words: str, number: int) -> None:
        written = json.loads(telegram.provider.text(words, telegram.now, id=str(number)))
        edited = {"update_id": written["update_id"], "edited_message": written["message"]}
        call = telegram.provider.call(json.dumps(edited).encode(), telegram.now)
        assert telegram.send(call).status == 200

    edits("无法登陆", 2301)
    assert telegram.tickets == []
    telegram.write("无法登录")
    edits("无法登录手机端", 2302)
    (written,) = events_named(telegram, "CustomerWrote")
    assert "无法登录手机端" in written.text


def stored_raw(chat: Chat, key: str | None) -> bytes:
    assert key is not None
    found = boto3.client("s3").get_object(Bucket=chat.simulator.deployment.mail_bucket, Key=key)
    return found["Body"].read()


def test_a_message_with_a_picture_is_stored_raw(line: Chat) -> None:
    image = {"type": "message", "message": {"id": "9001", "type": "image"}}
    send_event(line, **image, webhookEventId="2401")
    send_event(line, **image, webhookEventId="2402")
    (received,) = events_named(line, "TicketReceived")
    (written,) = events_named(line, "CustomerWrote")
    for event in (received, written):
        assert json.loads(stored_raw(line, event.raw))["message"]["id"] == "9001"
    line.write("这是截图")
    assert events_named(line, "CustomerWrote")[-1].raw is None


@pytest.mark.requirement("G3", "A15")
def test_a_long_message_is_stored_whole(line: Chat) -> None:
    """The description has the beginning, the ticket `MAX_TEXT` characters."""
    words = "无法登录" * (MAX_TEXT // 4) + "完"
    limit = line.storage.playbooks.get(DESK, line.now).fields.description_max
    line.write(words)
    line.write(words)
    (received,) = events_named(line, "TicketReceived")
    (written,) = events_named(line, "CustomerWrote")
    assert (received.description, received.text) == (words[:limit], words[:MAX_TEXT])
    assert written.text == words[:MAX_TEXT]
    for event in (received, written):
        assert json.loads(stored_raw(line, event.raw))["message"]["text"] == words


@pytest.mark.requirement("G4")
def test_the_original_of_a_joining_message_is_sealed(line: Chat) -> None:
    line.write("无法登录")
    line.write("请回电13912345678")
    (written,) = events_named(line, "CustomerWrote")
    assert "13912345678" not in written.text
    assert line.storage.tickets.original(DESK, line.ticket.number, line.ticket.version) is not None


@pytest.mark.requirement("G3", "B10")
def test_a_message_to_a_ticket_erased_meanwhile_opens_a_new_one(
    line: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.write("无法登录")
    commit_all = Tickets.commit_all

    def meanwhile(tickets: Tickets, *changes: Any, **more: Any) -> None:
        monkeypatch.setattr(Tickets, "commit_all", commit_all)
        erase_customer(line.simulator, line.now, contact=f"{line.name}:{line.provider.user}")
        commit_all(tickets, *changes, **more)

    monkeypatch.setattr(Tickets, "commit_all", meanwhile)
    line.write("是手机端")
    (gone, new) = line.tickets
    assert (gone.erased, new.erased) == (True, False)
    (commit,) = line.storage.tickets.history(DESK, new.number)
    assert commit.of(TicketReceived)[0].description == "是手机端"


@pytest.mark.requirement("G4")
def test_the_stored_query_of_a_request_names_nobody(wechat: Chat) -> None:
    call = wechat.provider.call(b"<xml><a>", wechat.now)
    call = replace(call, query={**call.query, "encrypt_type": "raw"})
    assert wechat.provider.user in call.query.values()
    assert wechat.send(call).status == 200
    with quarantine_of(wechat.simulator.deployment.stage).opened() as (waiting,):
        assert waiting.call["query"] == {"encrypt_type": "raw"}
