"""Contacts: tickets, class, conversation and erasure of a person."""

from datetime import timedelta

import pytest

from functions.core.domain.errors import Conflict
from functions.core.domain.rules import Playbook
from functions.core.storage.contacts import Conversation
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import IdempotencyRecord
from tests.core.sample_desk import NOON, file_ticket
from tests.core.storage.samples import file_with

MINUTE = timedelta(minutes=1)


def test_a_contacts_tickets_are_listed_newest_first(storage: Storage, playbook: Playbook) -> None:
    for index in range(3):
        file_ticket(storage, playbook, f"CS{index}", NOON + index * MINUTE)
    assert storage.contacts.tickets("testdesk", "h1") == ["CS2", "CS1", "CS0"]
    assert storage.contacts.tickets("testdesk", "h1", 2) == ["CS2", "CS1"]
    assert storage.contacts.opened_since("testdesk", "h1", NOON + MINUTE, 5) == {
        "CS2": NOON + 2 * MINUTE
    }
    assert storage.contacts.tickets("testdesk", "h2", 2) == []


@pytest.mark.requirement("A5")
def test_a_contacts_class_is_remembered(storage: Storage) -> None:
    storage.contacts.set_class("testdesk", "h1", "vip")
    assert storage.contacts.known("testdesk", None, "h1").customer_class == "vip"
    assert storage.contacts.known("testdesk", None, "h2").customer_class is None
    storage.contacts.set_class("testdesk", "h1", None)
    assert storage.contacts.known("testdesk", None, "h1").customer_class is None


@pytest.mark.requirement("G1")
def test_a_conversation_moves_only_from_the_ticket_that_was_read(
    storage: Storage, playbook: Playbook
) -> None:
    """Of two messages at once, one opens a ticket."""
    message = IdempotencyRecord("testdesk", "line", "1")
    _, read = storage.contacts.conversation(message, "h1")
    assert read == Conversation("testdesk", "h1", None)
    file_with(storage, playbook, "CS1", conversation=read)
    with pytest.raises(Conflict):
        file_with(storage, playbook, "CS2", conversation=read)
    _, moved = storage.contacts.conversation(message, "h1")
    assert moved.number == "CS1"
    file_with(storage, playbook, "CS2", conversation=moved)


@pytest.mark.requirement("B10")
def test_an_erased_contact_has_no_class_and_no_conversation(
    storage: Storage, playbook: Playbook
) -> None:
    storage.contacts.set_class("testdesk", "h1", "vip")
    file_with(storage, playbook, "CS1", conversation=Conversation("testdesk", "h1"))
    storage.contacts.forget("testdesk", "h1")
    known, conversation = storage.contacts.conversation(
        IdempotencyRecord("testdesk", "line", "1"), "h1"
    )
    assert (known.customer_class, conversation.number) == (None, None)


@pytest.mark.requirement("B10")
def test_an_interrupted_erasure_is_found_again(storage: Storage) -> None:
    assert storage.contacts.begin_erasure("testdesk", "h1", ["CS2"]) == ["CS2"]
    assert storage.contacts.begin_erasure("testdesk", "h1", ["CS1"]) == ["CS1", "CS2"]
    assert storage.contacts.begin_erasure("testdesk", "h1", []) == ["CS1", "CS2"]
    storage.contacts.end_erasure("testdesk", "h1")
    assert storage.contacts.begin_erasure("testdesk", "h1", []) == []


@pytest.mark.requirement("G1")
def test_a_conversation_that_moved_since_it_was_read_conflicts(
    storage: Storage, playbook: Playbook
) -> None:
    file_with(storage, playbook, "CS1", conversation=Conversation("testdesk", "h1"))
    read = Conversation("testdesk", "h1", "CS1")
    file_with(storage, playbook, "CS2", conversation=read)
    with pytest.raises(Conflict):
        file_with(storage, playbook, "CS3", conversation=read)
