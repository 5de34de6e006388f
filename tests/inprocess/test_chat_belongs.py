"""Which ticket a chat message belongs to, and what of it is kept (E10, G1, G3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.core.domain.commands import AnswerSurvey, CorrectContact
from functions.core.platform import clock
from functions.core.services.command_service import change
from functions.core.storage.store import Store
from functions.intake.chat import MAX_TEXT
from infra.console.quarantine import Quarantine
from infra.simulator.simulator import Simulator
from tests.core.channels.provider_requests import SIDES
from tests.inprocess.conftest import forget
from tests.inprocess.recording_provider import provider
from tests.inprocess.test_chat import DESK, Chat, put_secret


def _writer(loop: Simulator, store: Store, name: str) -> Iterator[Chat]:
    side = SIDES[name]
    with provider(side.accepted()) as api:
        put_secret(loop, name, {**side.secret, "api": api.url})
        yield Chat(loop, store, name, side, api)


@pytest.fixture
def line(loop: Simulator, store: Store) -> Iterator[Chat]:
    """Somebody on LINE."""
    yield from _writer(loop, store, "line")


@pytest.fixture
def wechat(loop: Simulator, store: Store) -> Iterator[Chat]:
    """Somebody on WeChat."""
    yield from _writer(loop, store, "wechat")


@pytest.fixture
def telegram(loop: Simulator, store: Store) -> Iterator[Chat]:
    """Somebody on Telegram."""
    yield from _writer(loop, store, "telegram")


def sends(chat: Chat, **event: Any) -> None:
    """Something of LINE's that is no text."""
    known = {"source": {"type": "user", "userId": chat.side.user}, "mode": "active"}
    body = json.dumps({"destination": "U0", "events": [{**known, **event}]}).encode()
    assert chat.send(chat.side.call(body, chat.now)).status == 200


def resolved(chat: Chat) -> datetime:
    """A ticket that was solved; when that was."""
    chat.writes("无法登录")
    chat.loop.pump()
    chat.acts("take")
    chat.acts("resolve", summary="重置密码后恢复")
    at = chat.ticket.resolved_at
    assert at is not None
    return at


def happened(chat: Chat, *names: str) -> list[Any]:
    history = chat.store.history(DESK, chat.ticket.number)
    return [event for commit in history for event in commit.of(*names)]


@pytest.mark.parametrize(("more", "tickets"), [(0, 1), (1, 2)])
def test_a_solution_is_taken_up_again_for_so_long(
    line: Chat, monkeypatch: pytest.MonkeyPatch, more: int, tickets: int
) -> None:
    """E10, A13: to the last second of the desk's `reopen_within`; later it is a new request."""
    ended = resolved(line)
    late = ended + line.store.playbook(DESK, ended).reopen_within + timedelta(seconds=more)
    monkeypatch.setattr(clock, "now", lambda: late)
    line.writes("还是登录不了")
    assert len(line.tickets) == tickets


def test_what_is_written_while_qa_looks_at_it_takes_it_up_again(line: Chat) -> None:
    """E10, A13: a poor score does not make a stranger of the one who gave it."""
    resolved(line)
    playbook = line.store.playbook(DESK, line.now)
    answer = AnswerSurvey(score=2)
    change(line.store, DESK, line.ticket.number, answer, playbook, clock.now(), actor="customer")
    assert line.ticket.status == "in_review"
    line.writes("还是登录不了")
    assert len(line.tickets) == 1
    assert happened(line, "TicketReopened")


def test_a_ticket_that_is_somebody_elses_now_takes_no_more(line: Chat) -> None:
    """G4: since its contact was corrected or erased, what is written opens a ticket of its own."""
    line.writes("无法登录")
    ticket = line.ticket
    theirs = ticket.customer.model_copy(update={"hash": "of-another-contact"})
    command = CorrectContact(customer=theirs, sealed=b"sealed")
    playbook = line.store.playbook(DESK, line.now)
    change(line.store, DESK, ticket.number, command, playbook, clock.now(), actor="zg-1")
    sends(line, type="unfollow", webhookEventId="2101")
    assert line.ticket.version == ticket.version + 1
    line.writes("是手机端")
    assert len(line.tickets) == 2


@pytest.mark.parametrize(
    "event",
    [{"type": "follow"}, {"type": "unfollow"}, {"type": "postback", "postback": {"data": "faq"}}],
    ids=lambda event: str(event["type"]),
)
def test_an_event_opens_no_ticket_and_is_a_remark_on_one(line: Chat, event: Any) -> None:
    """C1, E10: whoever only subscribes asks nothing; on an open ticket it stands inside."""
    sends(line, **event, webhookEventId="2201")
    assert line.tickets == []
    line.writes("无法登录")
    for _ in range(2):
        sends(line, **event, webhookEventId="2202")
    (note,) = happened(line, "NoteAdded")
    assert note.text.startswith("[")
    assert not happened(line, "CustomerWrote")


def test_an_edited_message_joins_and_opens_nothing(telegram: Chat) -> None:
    """E10: what was corrected belongs to what it corrects."""

    def edits(words: str, number: int) -> None:
        written = json.loads(telegram.side.text(words, telegram.now, id=str(number)))
        edited = {"update_id": written["update_id"], "edited_message": written["message"]}
        call = telegram.side.call(json.dumps(edited).encode(), telegram.now)
        assert telegram.send(call).status == 200

    edits("无法登陆", 2301)
    assert telegram.tickets == []
    telegram.writes("无法登录")
    edits("无法登录手机端", 2302)
    (written,) = happened(telegram, "CustomerWrote")
    assert "无法登录手机端" in written.text


def original(chat: Chat, key: str | None) -> bytes:
    assert key is not None
    found = boto3.client("s3").get_object(Bucket=chat.loop.deployment.mail_bucket, Key=key)
    return found["Body"].read()


def test_a_picture_is_kept_as_it_came(line: Chat) -> None:
    """G3: the ticket shows that there was one; the message tells where it is."""
    image = {"type": "message", "message": {"id": "9001", "type": "image"}}
    sends(line, **image, webhookEventId="2401")
    sends(line, **image, webhookEventId="2402")
    (received,) = happened(line, "TicketReceived")
    (written,) = happened(line, "CustomerWrote")
    for event in (received, written):
        assert json.loads(original(line, event.raw))["message"]["id"] == "9001"
    line.writes("这是截图")
    assert happened(line, "CustomerWrote")[-1].raw is None


def test_a_long_message_is_kept_whole(line: Chat) -> None:
    """G3, A15: the description shows the beginning, the ticket `MAX_TEXT`, the bucket all of it."""
    words = "无法登录" * (MAX_TEXT // 4) + "完"
    limit = line.store.playbook(DESK, line.now).fields.description_max
    line.writes(words)
    line.writes(words)
    (received,) = happened(line, "TicketReceived")
    (written,) = happened(line, "CustomerWrote")
    assert (received.description, received.text) == (words[:limit], words[:MAX_TEXT])
    assert written.text == words[:MAX_TEXT]
    for event in (received, written):
        assert json.loads(original(line, event.raw))["message"]["text"] == words


def test_what_is_hidden_of_a_line_that_joins_is_sealed(line: Chat) -> None:
    """G4: like that of the first one, to be opened by a recorded act."""
    line.writes("无法登录")
    line.writes("请回电13912345678")
    (written,) = happened(line, "CustomerWrote")
    assert "13912345678" not in written.text
    assert line.store.original(DESK, line.ticket.number, line.ticket.version) is not None


def test_a_message_is_not_lost_with_a_ticket_that_is_erased_meanwhile(
    line: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G3, B10: between reading and writing; what was written opens a ticket of its own."""
    line.writes("无法登录")
    commit_all = Store.commit_all

    def meanwhile(store: Store, *changes: Any, **more: Any) -> None:
        monkeypatch.setattr(Store, "commit_all", commit_all)
        forget(line.loop, line.now, contact=f"{line.name}:{line.side.user}")
        commit_all(store, *changes, **more)

    monkeypatch.setattr(Store, "commit_all", meanwhile)
    line.writes("是手机端")
    (gone, new) = line.tickets
    assert (gone.erased, new.erased) == (True, False)
    (commit,) = line.store.history(DESK, new.number)
    assert commit.of("TicketReceived")[0].description == "是手机端"


def test_what_is_kept_of_a_call_s_query_names_nobody(wechat: Chat) -> None:
    """G4: WeChat's query says who wrote and proves the call; how the body is read is enough."""
    call = wechat.side.call(b"<xml><a>", wechat.now)
    call = replace(call, query={**call.query, "encrypt_type": "raw"})
    assert wechat.side.user in call.query.values()
    assert wechat.send(call).status == 200
    with Quarantine(wechat.loop.deployment.stage).opened() as (waiting,):
        assert waiting.call["query"] == {"encrypt_type": "raw"}
