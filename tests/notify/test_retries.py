"""A retried delivery: its recipient, and whether it may go."""

from email import message_from_bytes
from functools import partial
from typing import Any

import pytest

from functions.core.deliver.failures import Passing
from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.services.contacts import ContactCorrector
from tests.notify.deployment import DEPLOYMENT, MAIL, ROOT, Harness

pytestmark = pytest.mark.requirement("B10", "E11", "G3")
OTHER = "wang.example@example.com"


@pytest.fixture
def waiting(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> tuple[Ticket, Delivery]:
    """Return an acknowledgement that the provider has not accepted yet."""
    ticket = harness.file()

    def busy(*_: Any) -> str:
        raise Passing("SES Throttling")

    with monkeypatch.context() as down:
        down.setattr("functions.core.deliver.email.send", busy)
        assert harness.invoke(harness.event_record(ticket)) == []
    (found,) = harness.deliveries(ticket)
    assert (found.state, found.attempts) == ("retrying", 1)
    return ticket, found


def test_a_retry_goes_to_the_corrected_contact(
    harness: Harness, waiting: tuple[Ticket, Delivery]
) -> None:
    """The old address gets nothing more."""
    ticket, delivery = waiting
    corrector = ContactCorrector(harness.storage, partial(aws.seal, DEPLOYMENT), ROOT)
    harness.change(ticket, corrector.correction(harness.playbook, ticket, OTHER))
    assert harness.invoke(harness.make_due(delivery)) == []
    (mail,) = harness.mails
    assert (OTHER in str(mail.destinations), MAIL in str(mail.destinations)) == (True, False)
    (sent,) = harness.deliveries(ticket)
    corrected = harness.storage.tickets.load("standard", ticket.number)
    assert (sent.state, sent.to) == ("sent", corrected.customer.contact)


def test_a_bounce_before_a_retry_blocks_it(
    harness: Harness, waiting: tuple[Ticket, Delivery]
) -> None:
    """Nothing goes to an address that bounced; a person decides about the message."""
    ticket, delivery = waiting
    harness.change(ticket, c.MailReturned(cause="bounce 5.1.1", permanent=True))
    assert harness.invoke(harness.make_due(delivery)) == []
    assert harness.mails == []
    (delivery,) = harness.deliveries(ticket)
    assert delivery.state == "dead_lettered"
    assert str(delivery.cause).startswith("blocked: bounce 5.1.1")
    assert len(harness.dead_letters) == 1


def test_only_an_agents_own_text_is_not_automatic_mail(harness: Harness) -> None:
    """Other machines must not reply to an assignment or a survey; they may reply to an agent (RFC
    3834)."""
    ticket = harness.file()
    give = c.Assign("技术支持组", "agent-1", by_person=True)
    for command, automatic in ((give, True), (c.Reply("请重启后再试"), False)):
        ticket = harness.change(ticket, command)
        before = len(harness.mails)
        assert harness.invoke(harness.event_record(ticket)) == []
        theirs = [m for m in harness.mails[before:] if MAIL in str(m.destinations)]
        (mail,) = (message_from_bytes(m.raw_data.encode()) for m in theirs)
        assert (mail["Auto-Submitted"] is not None) is automatic
