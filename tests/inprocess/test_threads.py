"""Which ticket a mail belongs to, and what follows when that one has ended (A11, G1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from functions.core.domain.events import dump
from functions.core.domain.rules import Playbook
from functions.core.platform import aws, clock
from functions.core.storage.store import Store
from functions.core.text.tokens import reply_token
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import ROOT, WEBHOOK_SECRET, forget, shipped
from tests.inprocess.test_circles import letter, mails
from tests.inprocess.test_returns import CUSTOMER, DESK, SUPERVISOR, act, file, own_id
from tests.signed_requests import signed


def written(store: Store, number: str) -> list[Any]:
    found = store.history("standard", number)
    return [event for commit in found for event in commit.of("CustomerWrote")]


def numbers(store: Store) -> set[str]:
    found, _ = store.queue(
        ["standard#new", "standard#waiting#技术支持组", "standard#waiting#通用咨询组"]
    )
    return {ticket.number for ticket in found}


def test_every_mail_to_a_customer_says_where_answers_go(loop: Simulator, store: Store) -> None:
    """An address with a token of this ticket; mail to staff has none."""
    number = file(loop, store)
    token = reply_token(aws.root_key(loop.deployment), "standard", number)
    raw = next(raw for to, raw in mails() if to == CUSTOMER)
    found = message_from_bytes(raw, policy=policy.default)
    assert found["Reply-To"] == f"support+{token}@standard.local"
    act(loop, number, "assign", agent="li-1")
    staff = next(raw for to, raw in mails() if to == "tech@standard.local")
    assert message_from_bytes(staff, policy=policy.default)["Reply-To"] == DESK
    assert b"X-Deskbell-Id" not in staff


@pytest.mark.parametrize("where", ["envelope", "To", "Cc", "Delivered-To"])
def test_an_answer_to_that_address_joins_its_ticket(
    loop: Simulator, store: Store, where: str
) -> None:
    """Nothing quoted, another sender, another subject, capitals: the address proves it."""
    number = file(loop, store)
    token = reply_token(aws.root_key(loop.deployment), "standard", number)
    address = f"Support+{token.upper()}@standard.local"
    headers = {} if where in {"envelope", "To"} else {where: address}
    raw = letter("colleague@example.org", address if where == "To" else DESK, "您好", **headers)
    loop.mail(raw, address if where == "envelope" else DESK)
    loop.pump()
    assert len(written(store, number)) == 1
    assert numbers(store) == {number}


@pytest.mark.parametrize("by", ["reference", "address"])
def test_who_answered_in_the_customers_place_is_shown(
    loop: Simulator, store: Store, by: str
) -> None:
    """G3, G4: a mail was forwarded; the agent sees, masked, that it is not the customer's word."""
    number = file(loop, store)
    token = reply_token(aws.root_key(loop.deployment), "standard", number)
    to = DESK if by == "reference" else f"support+{token}@standard.local"
    references = {"In_Reply_To": own_id(loop, number)} if by == "reference" else {}
    for sender in ("colleague@example.org", CUSTOMER.upper()):
        loop.mail(letter(sender, to, **references), to)
    loop.pump()
    view = loop.http("GET", f"/agent/desks/standard/tickets/{number}", claims=SUPERVISOR).json
    shown = [m["by_another"] for m in view["messages"] if m["event"] == "CustomerWrote"]
    (another, customer) = shown
    assert customer is None
    assert another.endswith(".org")
    assert "*" in another
    assert "colleague" not in another
    stored = [dump((event,)) for event in written(store, number)]
    assert ["by_another" in body for body in stored] == [
        True,
        False,
    ]  # the customer's costs nothing


def test_a_forged_address_proves_nothing(loop: Simulator, store: Store) -> None:
    number = file(loop, store)
    token = reply_token(aws.root_key(loop.deployment), "omnichannel", number)
    for forged in (token, f"{number.lower()}.aaaaaaaaaaaaaaaa", number):
        loop.mail(letter("eve@example.net", DESK), f"support+{forged}@standard.local")
    loop.pump()
    assert written(store, number) == []
    assert len(numbers(store)) == 4


def test_it_holds_for_mail_that_a_provider_posts(loop: Simulator, store: Store) -> None:
    """F5"""
    number = file(loop, store)
    token = reply_token(aws.root_key(loop.deployment), "standard", number)
    raw = letter("colleague@example.org", f"support+{token}@standard.local")
    headers = {"content-type": "message/rfc822", **signed(WEBHOOK_SECRET, raw)}
    answer = loop.http("POST", "/desks/standard/channels/mime", raw, headers=headers)
    assert (answer.status, answer.json) == (202, {"number": number, "new": False})


def close(loop: Simulator, store: Store) -> str:
    number = file(loop, store)
    assert act(loop, number, "close", reason="重复").status == 200
    return number


def answer_to(loop: Simulator, number: str) -> None:
    loop.mail(letter(CUSTOMER, DESK, "Re: x", References=own_id(loop, number)), DESK)
    loop.pump()


def with_changes(store: Store, loop: Simulator, **changes: Any) -> None:
    playbook: Playbook = shipped(ROOT / "playbooks" / "standard.yaml")
    store.put_playbook(playbook.model_copy(update=changes), datetime.now(UTC))
    loop.pump()
    loop.expire_playbooks()


def test_a_closed_ticket_is_taken_up_again(loop: Simulator, store: Store) -> None:
    """`closed_reply: reopen`, within `reopen_within`."""
    number = close(loop, store)
    answer_to(loop, number)
    assert store.load("standard", number).status == "queued"
    assert store.load("standard", number).related == ()


@pytest.mark.parametrize(("reply", "days"), [("linked", 0), ("reopen", 15)])
def test_or_a_linked_one_is_opened(
    loop: Simulator, store: Store, monkeypatch: pytest.MonkeyPatch, reply: str, days: int
) -> None:
    """As the playbook says, and after its time in any case; each names the other."""
    with_changes(store, loop, closed_reply=reply)
    number = close(loop, store)
    later = datetime.now(UTC) + timedelta(days=days)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        answer_to(loop, number)
    (new,) = numbers(store)
    assert new != number
    for one, other in ((number, new), (new, number)):
        path = f"/agent/desks/standard/tickets/{one}"
        assert loop.http("GET", path, claims=SUPERVISOR).json["related"] == [other]
    events = [e for c in store.history("standard", number) for e in c.of("TicketLinked")]
    assert [event.number for event in events] == [new]
    assert written(store, number) == []


def test_a_link_that_was_not_come_to_is_made_with_the_next_try(
    loop: Simulator, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G1: the mail comes again, opens nothing twice, and both tickets know each other."""
    from functions.intake import mail_routing

    with_changes(store, loop, closed_reply="linked")
    number = close(loop, store)
    raw = letter(CUSTOMER, DESK, "Re: x", References=own_id(loop, number))

    def dies(*_: Any) -> None:
        raise RuntimeError("the function ended")

    with monkeypatch.context() as patch:
        patch.setattr(mail_routing, "_link", dies)
        assert loop.mail(raw, DESK)["batchItemFailures"]
    loop.mail(raw, DESK)
    loop.pump()
    (new,) = numbers(store)
    assert store.load("standard", number).related == (new,)
    loop.mail(raw, DESK)
    assert store.load("standard", number).related == (new,)


def test_the_status_page_takes_it_up_again_either_way(loop: Simulator, store: Store) -> None:
    """Only the ticket itself can open its contact, so nothing else can be opened for it."""
    with_changes(store, loop, closed_reply="linked")
    body = {"contact": CUSTOMER, "description": "无法登录"}
    filed = loop.http("POST", "/desks/standard/tickets", body).json
    loop.pump()
    act(loop, filed["number"], "close", reason="重复")
    path, _, query = filed["status_url"].removeprefix("https://desk.example.com").partition("?")
    assert loop.http("POST", f"{path}/messages?{query}", {"text": "还有"}).status == 201
    assert store.load("standard", filed["number"]).status == "queued"


@pytest.mark.parametrize("by", ["reference", "address"])
def test_who_was_forgotten_begins_anew(loop: Simulator, store: Store, by: str) -> None:
    """B10, G3: on an erased ticket nobody could answer, and no link says whose it was."""
    number = file(loop, store)
    token = reply_token(aws.root_key(loop.deployment), "standard", number)
    later = datetime.now(UTC) + timedelta(minutes=5)
    forget(loop, later, number=number)
    references = {"In_Reply_To": own_id(loop, number)} if by == "reference" else {}
    to = DESK if by == "reference" else f"support+{token}@standard.local"
    loop.mail(letter(CUSTOMER, to, **references), to)
    loop.pump()
    assert written(store, number) == []
    (new,) = numbers(store) - {number}
    assert [store.load("standard", each).related for each in (number, new)] == [(), ()]
    assert any(to == CUSTOMER and new.encode() in raw for to, raw in mails())
