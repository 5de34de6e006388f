"""Block mail to addresses that bounced or complained, and automatic messages beyond their limits.

Two machines that answer each other would never stop. The headers of automatic mail (RFC 3834) end
most such loops at once; if a system drops them, the playbook's `mail.automatic_limits` do. Blocked
mail counts like sent mail, so a continuing loop stays blocked. Mail that an agent's action causes
is never limited.

Anybody can name any number on the open form: automatic text messages to one that nobody has proven
are limited by the playbook's `sms.unproven`, and counted in the same way.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from functions.core.domain.delivery import Delivery
from functions.core.domain.playbook_types import parse_duration
from functions.core.domain.recipients import CUSTOMERS
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.composing import written_by_agent
from functions.core.storage.database import Storage

BLOCKED = "blocked: "
CAPPED = "capped: "

_FIRST_VERSIONS = 2
_MAILS_OF_FIRST_VERSIONS = 4
"""The most mails that the first two versions of a ticket send to its customer."""


def blocked_by_returned_mail(delivery: Delivery, ticket: Ticket) -> str | None:
    """Return why mail to the customer is blocked after a bounce or complaint, None if it is not."""
    cause = ticket.customer.undeliverable
    if cause is None or not _is_to_customer(delivery):
        return None
    if ticket.customer.complained and written_by_agent(delivery.event):
        return None
    return f"{BLOCKED}{cause}; correct the contact first"


def blocked_by_limit(
    delivery: Delivery,
    ticket: Ticket,
    playbook: Playbook,
    storage: Storage,
    now: datetime,
    earlier: Sequence[Delivery] = (),
) -> str | None:
    """Return the limit that an automatic mail would exceed, None if it may go.

    Costs one read of the contact index and, after the ticket's first two versions, one of its
    deliveries. The tickets of an address are read one by one only if there are so many recent ones
    that together they could exceed the address's limit.

    Args:
        earlier: the deliveries that the same commit requested before; they count, stored or not.
    """
    if not _is_automatic(delivery):
        return None
    requested = [delivery, *earlier]
    if delivery.channel == "sms":
        return _blocked_by_sms_limit(requested, ticket, playbook, storage, now)
    limits = playbook.mail.automatic_limits
    first_versions = delivery.version <= _FIRST_VERSIONS
    if not first_versions or min(limits.ticket.values()) < _MAILS_OF_FIRST_VERSIONS:
        times = _request_times(requested, ticket.number, limits.ticket, storage, now)
        if reached := limit_reached(limits.ticket, times, now):
            return f"{CAPPED}{reached} about this ticket"
    reached = _address_limit_reached(requested, ticket, limits.address, storage, now, limits.ticket)
    return f"{CAPPED}{reached} to this address" if reached else None


def _blocked_by_sms_limit(
    requested: Sequence[Delivery],
    ticket: Ticket,
    playbook: Playbook,
    storage: Storage,
    now: datetime,
) -> str | None:
    if ticket.contact_proven:
        return None
    limits = playbook.sms.unproven
    reached = _address_limit_reached(requested, ticket, limits, storage, now)
    return f"{CAPPED}{reached} to this number" if reached else None


def limit_reached(
    limits: Mapping[str, int], times: Iterable[datetime], now: datetime, what: str = "mails"
) -> str | None:
    """Describe the first limit that messages requested at `times` use up, None if there is none."""
    requested_at = list(times)
    for window, most in limits.items():
        since = now - parse_duration(window)
        if sum(time > since for time in requested_at) >= most:
            return f"{most} automatic {what} within {window}"
    return None


def _address_limit_reached(
    requested: Sequence[Delivery],
    ticket: Ticket,
    limits: Mapping[str, int],
    storage: Storage,
    now: datetime,
    of_ticket: Mapping[str, int] | None = None,
) -> str | None:
    """Return the limit that an address has reached, over all tickets that it opened recently.

    Args:
        of_ticket: the limits of each ticket, if it has its own.
    """
    what = "mails" if requested[0].channel == "email" else "text messages"
    opened = {
        **storage.contacts.opened_since(
            ticket.desk,
            ticket.customer.hash,
            now - _longest(limits),
            max(limits.values()) + 1,
        ),
        ticket.number: ticket.received_at,
    }
    if of_ticket and _cannot_exceed(of_ticket, limits, len(opened)):
        return None
    # Each ticket requested an acknowledgement; those alone may reach the limit.
    others = [at for number, at in opened.items() if number != ticket.number]
    if reached := limit_reached(limits, others, now, what):
        return reached
    times: list[datetime] = []
    for number in opened:
        times += _request_times(requested, number, limits, storage, now)
    return limit_reached(limits, times, now, what)


def _cannot_exceed(ticket: Mapping[str, int], address: Mapping[str, int], count: int) -> bool:
    """Return whether `count` tickets, each within its limits, stay within the address's limits."""
    for window, most in address.items():
        within = [
            n for other, n in ticket.items() if parse_duration(other) >= parse_duration(window)
        ]
        if not within or count * min(within) > most:
            return False
    return True


def _request_times(
    requested: Sequence[Delivery],
    number: str,
    limits: Mapping[str, int],
    storage: Storage,
    now: datetime,
) -> list[datetime]:
    """Return when automatic messages about a ticket were requested, newest first, up to the limit.

    Args:
        requested: the message in question, which does not count, and the earlier ones of its
            commit; messages on other channels do not count.
    """
    since, most = now - _longest(limits), max(limits.values())
    message, *earlier = requested
    same_ticket = message.number == number
    times = [
        other.claimed_at for other in earlier if same_ticket and _is_like(other, message.channel)
    ]
    if same_ticket and message.version == 1:
        return times  # nothing else was requested before
    counted = {other.identity for other in requested if same_ticket}
    for other in storage.deliveries.newest_first(message.desk, number):
        if other.claimed_at <= since or len(times) >= most:
            break
        if _is_like(other, message.channel) and other.identity not in counted:
            times.append(other.claimed_at)
    return times


def _longest(limits: Mapping[str, int]) -> timedelta:
    return max(map(parse_duration, limits))


def _is_to_customer(delivery: Delivery) -> bool:
    return delivery.recipient in CUSTOMERS and delivery.channel == "email"


def _is_automatic(delivery: Delivery) -> bool:
    """Return whether a message goes to the customer by mail or SMS without an agent's action."""
    by_agent = delivery.by_hand or written_by_agent(delivery.event)
    limited = delivery.recipient in CUSTOMERS and delivery.channel in {"email", "sms"}
    return limited and not by_agent


def _is_like(delivery: Delivery, channel: str) -> bool:
    return delivery.channel == channel and _is_automatic(delivery)
