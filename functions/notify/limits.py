"""What is not sent: mail to an address that is no good, and automatic mail beyond its limits.

Two machines that answer each other would go on for ever. Marks of automatic mail (RFC 3834) end
most of such loops at once; where they are lost on the way, the limits of the playbook do
(`mail.automatic_limits`). What counts is what was asked for, sent or held, so that a loop which
goes on stays held. Mail that follows from what an agent does is never capped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from functions.core.domain.delivery import Delivery
from functions.core.domain.playbook_types import parse_duration
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.composing import BY_AGENT
from functions.core.storage.store import Store

HELD = "held: "
CAPPED = "capped: "

_FIRST_CHANGES = 2
_TOLD_BY_THEM = 4
"""The first two changes of a ticket tell its customer no more than so many things."""


def unwanted(delivery: Delivery, ticket: Ticket) -> str | None:
    """Why no mail goes to the customer, None where it may: it came back, or was complained of."""
    cause = ticket.customer.undeliverable
    if cause is None or not _is_to_customer(delivery):
        return None
    if ticket.customer.complained and delivery.event in BY_AGENT:
        return None
    return f"{HELD}{cause}; correct the contact first"


def capped(
    delivery: Delivery,
    ticket: Ticket,
    playbook: Playbook,
    store: Store,
    now: datetime,
    before: Sequence[Delivery] = (),
) -> str | None:
    """Which limit an automatic mail would pass, None where it may go.

    `before` is what the same commit asked for before it, which counts though nothing of it may be
    stored yet.

    Costs one read of the contact index, and one of the ticket's deliveries after its first two
    changes. Only an address with so many tickets of late that together they could pass its limit
    has them looked at one by one.
    """
    if not _is_automatic(delivery):
        return None
    limits = playbook.mail.automatic_limits
    full = None
    if delivery.version > _FIRST_CHANGES or min(limits.ticket.values()) < _TOLD_BY_THEM:
        sent = _asked_for([delivery, *before], ticket.number, limits.ticket, store, now)
        full = passed(limits.ticket, sent, now)
    if full is not None:
        return f"{CAPPED}{full} about this ticket"
    full = _passed_by_address([delivery, *before], ticket, playbook, store, now)
    return f"{CAPPED}{full} to this address" if full is not None else None


def passed(limits: Mapping[str, int], sent: Iterable[datetime], now: datetime) -> str | None:
    """The first limit that is used up, in words, by mails asked for at `sent`."""
    moments = list(sent)
    for window, most in limits.items():
        since = now - parse_duration(window)
        if sum(moment > since for moment in moments) >= most:
            return f"{most} automatic mails within {window}"
    return None


def _passed_by_address(
    asked: Sequence[Delivery], ticket: Ticket, playbook: Playbook, store: Store, now: datetime
) -> str | None:
    limits = playbook.mail.automatic_limits
    opened = {
        **store.opened_since(
            ticket.desk,
            ticket.customer.hash,
            now - _longest(limits.address),
            max(limits.address.values()) + 1,
        ),
        ticket.number: ticket.received_at,
    }
    if _cannot_pass(limits.ticket, limits.address, len(opened)):
        return None
    # Each of them was to be acknowledged; those alone may be too many.
    others = [at for number, at in opened.items() if number != ticket.number]
    full = passed(limits.address, others, now)
    if full is not None:
        return full
    sent: list[datetime] = []
    for number in opened:
        sent += _asked_for(asked, number, limits.address, store, now)
    return passed(limits.address, sent, now)


def _cannot_pass(ticket: Mapping[str, int], address: Mapping[str, int], count: int) -> bool:
    """Whether so many tickets, each within its own limits, stay within the address's."""
    for window, most in address.items():
        within = [
            n for other, n in ticket.items() if parse_duration(other) >= parse_duration(window)
        ]
        if not within or count * min(within) > most:
            return False
    return True


def _asked_for(
    asked: Sequence[Delivery], number: str, limits: Mapping[str, int], store: Store, now: datetime
) -> list[datetime]:
    """When automatic mails about a ticket were asked for, as many as matter.

    `asked` is the mail in question, which does not count, and what its commit asked for before it.
    """
    since, enough = now - _longest(limits), max(limits.values())
    own, *before = asked
    here = own.number == number
    found = [other.claimed_at for other in before if here and _is_automatic(other)]
    known = {other.told for other in asked if here}
    for other in store.newest_deliveries(own.desk, number):
        if other.claimed_at <= since or len(found) >= enough:
            break
        if _is_automatic(other) and other.told not in known:
            found.append(other.claimed_at)
    return found


def _longest(limits: Mapping[str, int]) -> timedelta:
    return max(map(parse_duration, limits))


def _is_to_customer(delivery: Delivery) -> bool:
    return delivery.recipient == "customer" and delivery.channel == "email"


def _is_automatic(delivery: Delivery) -> bool:
    by_agent = delivery.by_hand or delivery.event in BY_AGENT
    return _is_to_customer(delivery) and not by_agent
