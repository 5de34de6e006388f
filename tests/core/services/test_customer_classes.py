"""A customer's class: of the contact, or by the company's id if somebody vouches for it (A5)."""

from __future__ import annotations

from typing import Any

import pytest

from functions.core.domain.customers import Identity
from functions.core.domain.events import ChatHandedOver
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer
from functions.core.services.create_ticket import (
    NewTicket,
    Source,
    TicketCreator,
    TicketRequest,
)
from functions.core.services.customers import join_customer
from functions.core.storage.database import Storage
from tests.core.sample_desk import NOON

pytestmark = pytest.mark.requirement("A5", "C2")
CHAT = ChatHandedOver(id="chat-1", reason="asked")


@pytest.fixture
def creator(storage: Storage, playbook: Playbook) -> TicketCreator:
    storage.playbooks.put(playbook, NOON)
    return TicketCreator(
        storage=storage,
        seal=lambda desk, number, contact: b"sealed",
        seal_original=lambda desk, number, words: (),
        root_key=bytes(32),
        public_url="https://desk.example.com",
    )


def filed(creator: TicketCreator, playbook: Playbook, **source: Any) -> Customer:
    body = NewTicket(contact="13800138000", description="无法登录", customer_id="V-7")
    number = creator.create(playbook, TicketRequest(body, NOON, source=Source(**source))).number
    return creator.storage.tickets.load("testdesk", number).customer


@pytest.mark.parametrize(
    ("source", "classes"),
    [
        ({"contact_proven": True}, ("vip", None)),
        ({"entered_by": "agent-1"}, ("vip", None)),
        ({"contact_proven": True, "chat": CHAT}, (None, "vip")),
        ({"chat": CHAT}, (None, "vip")),
        ({}, (None, "vip")),
    ],
)
def test_an_id_gives_its_class_only_where_somebody_vouches_for_it(
    creator: TicketCreator, playbook: Playbook, source: dict[str, Any], classes: tuple[str, str]
) -> None:
    """Anybody can type an id when a chat begins, whoever's contact is verified in it later."""
    customer = filed(creator, playbook, **source)
    assert (customer.customer_class, customer.claimed_class) == classes


def test_a_chat_s_verified_contact_brings_its_own_class(
    creator: TicketCreator, playbook: Playbook
) -> None:
    known = filed(creator, playbook).hash
    creator.storage.contacts.set_class("testdesk", known, "partner")
    customer = filed(creator, playbook, contact_proven=True, chat=CHAT)
    assert (customer.customer_class, customer.claimed_class) == ("partner", "vip")


@pytest.mark.parametrize(
    ("known", "classes"),
    [({}, {"phone": "vip", "mail": "vip"}), ({"mail": "b"}, {"phone": "b", "mail": "b"})],
)
def test_the_class_of_a_proven_id_stays_with_every_contact(
    storage: Storage, known: dict[str, str], classes: dict[str, str]
) -> None:
    for contact, name in known.items():
        storage.contacts.set_class("d", contact, name)
    company, phone = Identity(kind="customer_id", hash="id"), Identity(kind="phone", hash="phone")
    join_customer(storage, "d", (phone, Identity(kind="email", hash="mail")), "code", NOON)
    join_customer(storage, "d", (company, phone), "channel", NOON, class_by_id="vip")
    assert storage.contacts.classes("d", ("id", "phone", "mail")) == classes
