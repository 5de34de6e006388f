"""The ticket that a mail joins, and answers to ended tickets."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from functions.core.domain.events import CustomerWrote, TicketLinked
from functions.core.domain.rules import Playbook
from functions.core.platform import aws, clock
from functions.core.storage.database import Storage
from functions.core.storage.event_codec import dump_events
from functions.core.storage.tickets import Tickets
from functions.core.text.tokens import reply_token
from functions.intake.mail_routing import MailRouter
from infra.simulator.simulator import Simulator
from tests.core.sample_desk import new_tickets
from tests.inprocess.conftest import ROOT, WEBHOOK_SECRET, erase_customer, shipped
from tests.inprocess.desk_journey import customer_link
from tests.inprocess.test_mail_loops import mails, make_mail
from tests.inprocess.test_returns import CUSTOMER, DESK, SUPERVISOR, act_on, file_ticket, own_id
from tests.signed_requests import signed

pytestmark = pytest.mark.requirement("A11", "G1")


def customer_messages(storage: Storage, number: str) -> list[Any]:
    found = storage.tickets.history("standard", number)
    return [event for commit in found for event in commit.of(CustomerWrote)]


def reply_address(simulator: Simulator, number: str, desk: str = "standard") -> str:
    token = reply_token(aws.root_key(simulator.deployment), desk, number, 1)
    return f"support+{token}@standard.local"


def answer_by(simulator: Simulator, number: str, by: str, *senders: str) -> None:
    """Answer a ticket's mail by its `reference`, or by its reply `address` alone."""
    to = DESK if by == "reference" else reply_address(simulator, number)
    references = {"In_Reply_To": own_id(simulator, number)} if by == "reference" else {}
    for sender in senders:
        simulator.mail(make_mail(sender, to, **references), to)
    simulator.pump()


def waiting_numbers(storage: Storage) -> set[str]:
    found, _ = storage.tickets.queue_page(
        ["standard#waiting#技术支持组", "standard#waiting#通用咨询组"]
    )
    return {ticket.number for ticket in (*found, *new_tickets(storage, "standard"))}


def test_mail_to_a_customer_has_a_reply_address_of_its_ticket(
    simulator: Simulator, storage: Storage
) -> None:
    """Mail to staff has none."""
    number = file_ticket(simulator, storage)
    raw = next(raw for to, raw in mails() if to == CUSTOMER)
    found = message_from_bytes(raw, policy=policy.default)
    assert found["Reply-To"] == reply_address(simulator, number)
    act_on(simulator, number, "assign", agent="li-1")
    staff = next(raw for to, raw in mails() if to == "tech@standard.local")
    assert message_from_bytes(staff, policy=policy.default)["Reply-To"] == DESK
    assert b"X-Deskbell-Id" not in staff


@pytest.mark.parametrize("where", ["envelope", "To", "Cc", "Delivered-To"])
def test_an_answer_to_the_reply_address_joins_its_ticket(
    simulator: Simulator, storage: Storage, where: str
) -> None:
    """From any sender, without a quotation, in any case."""
    number = file_ticket(simulator, storage)
    name, _, domain = reply_address(simulator, number).partition("@")
    address = f"Support{name.removeprefix('support').upper()}@{domain}"
    headers = {} if where in {"envelope", "To"} else {where: address}
    raw = make_mail("colleague@example.org", address if where == "To" else DESK, "您好", **headers)
    simulator.mail(raw, address if where == "envelope" else DESK)
    simulator.pump()
    assert len(customer_messages(storage, number)) == 1
    assert waiting_numbers(storage) == {number}


@pytest.mark.requirement("G3", "G4")
@pytest.mark.parametrize("by", ["reference", "address"])
def test_another_writer_s_address_is_shown_masked(
    simulator: Simulator, storage: Storage, by: str
) -> None:
    number = file_ticket(simulator, storage)
    answer_by(simulator, number, by, "colleague@example.org", CUSTOMER.upper())
    view = simulator.http("GET", f"/agent/desks/standard/tickets/{number}", claims=SUPERVISOR).json
    messages = [m for m in view["messages"] if m["event"] == "CustomerWrote"]
    another, customer = (message["by_another"] for message in messages)
    assert customer is None
    assert another.endswith(".org")
    assert "*" in another
    assert "colleague" not in another
    stored = [dump_events((event,)) for event in customer_messages(storage, number)]
    # The customer's own costs nothing.
    assert ["by_another" in body for body in stored] == [True, False]


def test_a_forged_reply_address_opens_a_new_ticket(simulator: Simulator, storage: Storage) -> None:
    number = file_ticket(simulator, storage)
    token = reply_token(aws.root_key(simulator.deployment), "omnichannel", number, 1)
    for forged in (token, f"{number.lower()}.aaaaaaaaaaaaaaaa", number):
        simulator.mail(make_mail("eve@example.net", DESK), f"support+{forged}@standard.local")
    simulator.pump()
    assert customer_messages(storage, number) == []
    assert len(waiting_numbers(storage)) == 4


@pytest.mark.requirement("F5")
def test_the_reply_address_counts_for_mail_over_http(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, storage)
    raw = make_mail("colleague@example.org", reply_address(simulator, number))
    headers = {"content-type": "message/rfc822", **signed(WEBHOOK_SECRET, raw)}
    answer = simulator.http("POST", "/desks/standard/channels/mime", raw, headers=headers)
    assert (answer.status, answer.json) == (202, {"number": number, "new": False})


def closed_ticket(simulator: Simulator, storage: Storage) -> str:
    number = file_ticket(simulator, storage)
    assert act_on(simulator, number, "close", reason="重复").status == 200
    return number


def send_answer(simulator: Simulator, number: str) -> None:
    simulator.mail(make_mail(CUSTOMER, DESK, "Re: x", References=own_id(simulator, number)), DESK)
    simulator.pump()


def change_playbook(storage: Storage, simulator: Simulator, **changes: Any) -> None:
    playbook: Playbook = shipped(ROOT / "playbooks" / "standard.yaml")
    storage.playbooks.put(playbook.model_copy(update=changes), datetime.now(UTC))
    simulator.pump()
    simulator.expire_playbooks()


def test_an_answer_reopens_a_closed_ticket(simulator: Simulator, storage: Storage) -> None:
    """`closed_reply: reopen`, within `reopen_within`."""
    number = closed_ticket(simulator, storage)
    send_answer(simulator, number)
    assert storage.tickets.load("standard", number).status == "queued"
    assert storage.tickets.load("standard", number).related == ()


@pytest.mark.parametrize(("reply", "days"), [("linked", 0), ("reopen", 15)])
def test_an_answer_opens_a_linked_ticket(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch, reply: str, days: int
) -> None:
    """`closed_reply: linked`, or after `reopen_within`."""
    change_playbook(storage, simulator, closed_reply=reply)
    number = closed_ticket(simulator, storage)
    later = datetime.now(UTC) + timedelta(days=days)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        send_answer(simulator, number)
    (new,) = waiting_numbers(storage)
    assert new != number
    for one, other in ((number, new), (new, number)):
        path = f"/agent/desks/standard/tickets/{one}"
        assert simulator.http("GET", path, claims=SUPERVISOR).json["related"] == [other]
    events = [e for c in storage.tickets.history("standard", number) for e in c.of(TicketLinked)]
    assert [event.number for event in events] == [new]
    assert customer_messages(storage, number) == []


@pytest.mark.requirement("A13", "G1")
@pytest.mark.parametrize(("reply", "days"), [("linked", 0), ("reopen", 15)])
def test_thanks_open_no_ticket(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch, reply: str, days: int
) -> None:
    change_playbook(storage, simulator, closed_reply=reply)
    number = closed_ticket(simulator, storage)
    mail = make_mail(CUSTOMER, DESK, "Re: x", References=own_id(simulator, number))
    body = mail.partition(b"\n\n")[0].replace(b"base64", b"8bit") + "\n\n好的，谢谢！".encode()
    later = datetime.now(UTC) + timedelta(days=days)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        simulator.mail(body, DESK)
        simulator.pump()
    assert waiting_numbers(storage) == set()
    assert storage.tickets.load("standard", number).status == "closed"
    assert [message.text for message in customer_messages(storage, number)] == ["好的，谢谢！"]


def test_an_interrupted_link_is_made_by_the_next_attempt(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_playbook(storage, simulator, closed_reply="linked")
    number = closed_ticket(simulator, storage)
    raw = make_mail(CUSTOMER, DESK, "Re: x", References=own_id(simulator, number))

    def dies(*_: Any) -> None:
        raise RuntimeError("the function ended")

    with monkeypatch.context() as patch:
        patch.setattr(MailRouter, "_link", dies)
        assert simulator.mail(raw, DESK)["batchItemFailures"]
    simulator.mail(raw, DESK)
    simulator.pump()
    (new,) = waiting_numbers(storage)
    assert storage.tickets.load("standard", number).related == (new,)
    simulator.mail(raw, DESK)
    assert storage.tickets.load("standard", number).related == (new,)


def test_the_status_page_always_reopens_a_closed_ticket(
    simulator: Simulator, storage: Storage
) -> None:
    change_playbook(storage, simulator, closed_reply="linked")
    body = {"contact": CUSTOMER, "description": "无法登录"}
    filed = simulator.http("POST", "/desks/standard/tickets", body).json
    simulator.pump()
    act_on(simulator, filed["number"], "close", reason="重复")
    ticket = storage.tickets.load("standard", filed["number"])
    path, _, query = customer_link(simulator, ticket).partition("?")
    assert simulator.http("POST", f"{path}/messages?{query}", {"text": "还有"}).status == 201
    assert storage.tickets.load("standard", filed["number"]).status == "queued"


@pytest.mark.requirement("B10", "G3")
@pytest.mark.parametrize("by", ["reference", "address"])
def test_an_answer_to_an_erased_ticket_opens_an_unlinked_one(
    simulator: Simulator, storage: Storage, by: str
) -> None:
    number = file_ticket(simulator, storage)
    erase_customer(simulator, datetime.now(UTC) + timedelta(minutes=5), number=number)
    answer_by(simulator, number, by, CUSTOMER)
    assert customer_messages(storage, number) == []
    (new,) = waiting_numbers(storage) - {number}
    assert [storage.tickets.load("standard", each).related for each in (number, new)] == [(), ()]
    assert any(to == CUSTOMER and new.encode() in raw for to, raw in mails())


@pytest.mark.requirement("G4")
def test_a_joining_mail_of_an_unproven_sender_says_so(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_ticket(simulator, storage)
    to = reply_address(simulator, number)
    failing = {"spfVerdict": {"status": "FAIL"}, "dkimVerdict": {"status": "FAIL"}}
    simulator.mail(make_mail(CUSTOMER, to), to, verdicts=failing)
    assert [message.unproven for message in customer_messages(storage, number)] == [True]


@pytest.mark.requirement("B10")
def test_a_ticket_erased_meanwhile_is_not_linked(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, commit_all = file_ticket(simulator, storage), Tickets.commit_all

    def meanwhile(tickets: Tickets, *changes: Any, **more: Any) -> None:
        monkeypatch.setattr(Tickets, "commit_all", commit_all)
        erase_customer(simulator, clock.now(), contact=CUSTOMER)
        commit_all(tickets, *changes, **more)

    monkeypatch.setattr(Tickets, "commit_all", meanwhile)
    answer_by(simulator, number, "reference", CUSTOMER)
    (new,) = waiting_numbers(storage) - {number}
    assert storage.tickets.load("standard", new).related == ()
