"""The data that each proof opens."""

import hmac
from dataclasses import replace
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import InvalidInput, NotFound, TooManyAttempts
from functions.core.domain.events import EVENTS, Attachment, CustomerWrote
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import RefusedFile, Ticket
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.text.tokens import LinkKind
from functions.portal.calls import PAGE
from functions.portal.submissions import MAX_MESSAGES, MESSAGE_WINDOW
from tests.core.sample_desk import NOON, file_ticket
from tests.portal.conftest import NUMBER, Customer

pytestmark = pytest.mark.requirement("F6", "A15", "A16", "G1", "G4")
ASSIGN = c.Assign(team="technical", handler="agent-1")


def carry_out(
    storage: Storage, playbook: Playbook, *commands: c.Command, actor: str = "agent-1"
) -> Ticket:
    return [
        change(storage, "testdesk", NUMBER, command, playbook, NOON, actor=actor)
        for command in commands
    ][-1]


@pytest.mark.requirement("F6")
def test_proofs_are_compared_in_constant_time_and_always_all(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `hmac.compare_digest`, both keys and the contact, whether or not there is a ticket."""
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    missing = Customer(customer.storage, "CS20260310999")
    for who in (customer, missing):
        for query in ({"key": "x" * 22}, {"contact": "1234"}, {"key": "x", "contact": "y"}, {}):
            compared.clear()
            with pytest.raises(NotFound):
                who.get(**query)
            given = [one.decode() for one, _ in compared]
            key = query.get("key", "")
            assert given == [key, key, query.get("contact", "")]
            keys = {who.key.encode(), replace(who, kind="submitter").key.encode()}
            assert {expected for _, expected in compared[:2]} == keys


@pytest.mark.requirement("F6", "A16")
def test_a_desk_can_require_the_key(customer: Customer, playbook: Playbook) -> None:
    """The last four of the contact then open nothing."""
    assert customer.get(contact="8000").status == 200
    fields = playbook.fields.model_copy(update={"status_by_contact": False})
    strict = playbook.model_copy(update={"fields": fields})
    customer.storage.playbooks.put(strict, NOON)
    fresh = Customer(Storage.on(customer.storage.table.client, customer.storage.table.name))
    with pytest.raises(NotFound):
        fresh.get(contact="8000")
    assert fresh.get(key=fresh.key).status == 200


@pytest.mark.requirement("G1")
def test_an_idempotency_key_is_separate_per_ticket(
    customer: Customer, storage: Storage, playbook: Playbook
) -> None:
    file_ticket(storage, playbook, "CS20260310002")
    other = Customer(storage, "CS20260310002")
    for who, words in ((customer, "还有一事"), (other, "别的事")):
        answer = who.send("messages", {"text": words}, idempotency_key="k1")
        assert answer.body["number"] == who.number
        (written,) = storage.tickets.history("testdesk", who.number)[-1].of(CustomerWrote)
        assert written.text == words


@pytest.mark.requirement("G4")
@pytest.mark.parametrize(
    ("call", "fields", "event", "field"),
    [
        ("messages", {"text": "电话13800138000"}, "CustomerWrote", "text"),
        (
            "confirmation",
            {"solved": False, "reason": "电话13800138000"},
            "ConfirmationGiven",
            "reason",
        ),
        ("survey", {"score": 5, "comment": "电话13800138000"}, "SurveyAnswered", "comment"),
    ],
)
def test_a_customer_s_text_is_masked_and_its_original_sealed(
    customer: Customer,
    storage: Storage,
    playbook: Playbook,
    call: str,
    fields: dict[str, Any],
    event: str,
    field: str,
) -> None:
    """In every call; a recorded act opens it."""
    carry_out(storage, playbook, ASSIGN, c.Resolve("已重置密码"))
    customer.send(call, fields)
    (commit,) = (k for k in storage.tickets.history("testdesk", NUMBER) if k.of(EVENTS[event]))
    assert getattr(commit.of(EVENTS[event])[0], field) == "电话138****8000"
    assert storage.tickets.original("testdesk", NUMBER, commit.version) is not None


@pytest.mark.requirement("D10", "G4")
def test_only_kept_files_have_a_link_and_refused_names_need_the_key(
    customer: Customer, storage: Storage, playbook: Playbook
) -> None:
    """A raw mail has no link; names of files can identify a person."""
    kept, inside = (
        Attachment(name=name, content_type="image/png", size=4, key=key)
        for name, key in (("截图.png", "files/testdesk/a"), ("原件.eml", "mail/abc"))
    )
    refused = RefusedFile(name="发票.exe", size=9, reason="program")
    wrote = c.CustomerMessage("见附件", "mail", attachments=(kept, inside), refused=(refused,))
    carry_out(storage, playbook, wrote, actor="customer")
    shown = customer.get(key=customer.key).body
    assert [file["url"] for file in shown["attachments"]] == [
        "https://files.example.com/files/testdesk/a",
        None,
    ]
    assert [file["name"] for file in shown["refused"]] == ["发票.exe"]
    assert customer.get(contact="8000").body["refused"] == []


@pytest.mark.requirement("G4")
def test_another_customer_s_refused_file_is_not_shown(
    customer: Customer, storage: Storage, playbook: Playbook
) -> None:
    """It came with that customer's merged ticket."""
    refused = RefusedFile(name="别人的.exe", size=9, reason="program")
    wrote = c.CustomerMessage(
        "见附件", "mail", refused=(refused,), via="CS20260310009", stranger=True
    )
    carry_out(storage, playbook, wrote, actor="customer")
    assert customer.get(key=customer.key).body["refused"] == []


@pytest.mark.requirement("G9")
@pytest.mark.parametrize("kind", ["customer", "submitter"])
def test_a_link_takes_a_limited_number_of_messages_an_hour(
    customer: Customer, kind: LinkKind
) -> None:
    """The other kind's messages do not count; an hour later there is room again."""
    other: LinkKind = "submitter" if kind == "customer" else "customer"
    assert replace(customer, kind=other).send("messages", {"text": "x"}).status == 201
    who = replace(customer, kind=kind)
    for count in range(MAX_MESSAGES):
        assert who.send("messages", {"text": f"{count}"}).status == 201
    with pytest.raises(TooManyAttempts):
        who.send("messages", {"text": "one more"})
    assert replace(customer, kind=other).send("messages", {"text": "x"}).status == 201
    assert replace(who, now=NOON + MESSAGE_WINDOW).send("messages", {"text": "x"}).status == 201


@pytest.mark.slow
@pytest.mark.requirement("A14", "G2")
def test_a_long_history_is_shown_in_pages(customer: Customer) -> None:
    for count in range(PAGE):
        at = NOON + MESSAGE_WINDOW * count
        assert replace(customer, now=at).send("messages", {"text": f"{count}"}).status == 201
    newest = customer.get(key=customer.key).body
    assert len(newest["timeline"]) == PAGE
    assert "TicketReceived" not in [entry["event"] for entry in newest["timeline"]]
    earlier = customer.get(key=customer.key, before=str(newest["before"])).body
    assert earlier["timeline"][0]["event"] == "TicketReceived"
    assert earlier["before"] is None
    page = customer.get("text/html", key=customer.key).body
    assert f"before={newest['before']}" in page
    with pytest.raises(InvalidInput):
        customer.get(key=customer.key, before="x")
