"""Mail that came back: on which ticket it shows, and where no further mail goes.

A bounce or a complaint reaches Deskbell as a mail (RFC 3464, RFC 5965) or as SES's own
notification: what its event publishing tells a configuration set's topic (`eventType`), and what an
identity's feedback notifications tell (`notificationType`). Both have the same content (SES
developer guide, "Contents of event data that Amazon SES publishes to Amazon SNS" and "Amazon SNS
notification contents for Amazon SES").

Anybody can write a mail that looks like a bounce. It shows on the ticket whose keyed id is in it,
which only whoever got the ticket's mail can know, or whoever they forwarded it to. So it stops mail
only where it names the ticket's customer as its recipient too. SES's word counts for an address.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from functions.core.domain.commands import MailReturned
from functions.core.domain.errors import NotFound
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import COMPLAINT, Ticket
from functions.core.services.command_service import change
from functions.core.services.create_ticket import Filing
from functions.core.storage.store import Duplicate, IdempotencyRecord
from functions.core.text.contacts import contact_hash, normalise_contact
from functions.core.text.tokens import derive, ticket_of_message_id
from functions.intake.mail.parser import InboundMail

BOUNCE = "bounce"
ENDED = frozenset({"archived", "closed", "merged"})
_MOST_TICKETS = 100
_ADDRESS = re.compile(r"[^\s<>\"]{1,128}@[^\s<>\"]{1,255}")
_ID = re.compile(r"<([^<>\s]{1,300})>")
_DETAIL = re.compile(r"[A-Za-z0-9.-]{1,40}")
_THREAD = frozenset({"message-id", "in-reply-to", "references", "x-deskbell-id"})


@dataclass(frozen=True)
class ReturnedMail:
    """A bounce or a complaint, however it was told.

    `stops`: no further mail is to go to `recipients`. `mailbox` is who had sent the mail that came
    back, said by SES; empty where a mail says it, which anybody could write (`by_ses` is False).
    """

    what: str
    stops: bool
    detail: str
    ids: tuple[str, ...]
    recipients: tuple[str, ...]
    mailbox: str = ""
    told_as: str = ""
    by_ses: bool = False

    @property
    def cause(self) -> str:
        """`bounce 5.1.1`, `complaint abuse`: no words of others, so nothing to hide."""
        detail = self.detail if _DETAIL.fullmatch(self.detail) else ""
        return f"{self.what} {detail}".strip()


def by_mail(mail: InboundMail) -> ReturnedMail:
    """What a mail whose origin is a bounce or a complaint tells."""
    found = mail.returned
    ids = [mail.in_reply_to or "", *reversed(mail.references)]
    if found is None:
        return ReturnedMail(mail.origin, False, "", tuple(filter(None, ids)), ())
    complaint = mail.origin == "complaint"
    return ReturnedMail(
        what=COMPLAINT if complaint else BOUNCE,
        stops=found.feedback != "not-spam" if complaint else found.permanent,
        detail=found.feedback if complaint else found.status,
        ids=tuple(filter(None, (found.message_id, *found.references, *ids))),
        recipients=found.recipients,
    )


def told_by_ses(body: str) -> ReturnedMail | str | None:
    """A bounce or complaint out of an SQS message, in SNS's envelope or not.

    The name of the notification where it is one of another kind than that and than a received
    mail; None where it is none of these.
    """
    content = _json(body)
    if "Message" in content:
        content = _json(content["Message"])
    kind = content.get("eventType") or content.get("notificationType")
    if not isinstance(kind, str) or kind == "Received":
        return None
    if kind not in {"Bounce", "Complaint"}:
        return kind
    detail, mail = _dict(content, kind.lower()), _dict(content, "mail")
    complaint = kind == "Complaint"
    listed = detail.get("complainedRecipients" if complaint else "bouncedRecipients")
    recipients = [each for each in listed or () if isinstance(each, dict)]
    feedback = str(detail.get("complaintFeedbackType") or "")
    kind_of_bounce = str(detail.get("bounceSubType") or "")
    status = next((str(each["status"]) for each in recipients if each.get("status")), "")
    if "Suppress" in kind_of_bounce:  # SES itself has not sent it, which no status tells
        status = kind_of_bounce
    return ReturnedMail(
        what=COMPLAINT if complaint else BOUNCE,
        stops=feedback != "not-spam" if complaint else detail.get("bounceType") == "Permanent",
        detail=feedback if complaint else status or kind_of_bounce,
        ids=tuple(_ids(mail)),
        recipients=tuple(
            found.group().lower()
            for each in recipients
            if (found := _ADDRESS.search(str(each.get("emailAddress", ""))))
        ),
        mailbox=next(iter(_ADDRESS.findall(str(mail.get("source", "")))), "").lower(),
        told_as=str(detail.get("feedbackId") or ""),
        by_ses=True,
    )


def _json(text: object) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _dict(content: dict[str, Any], key: str) -> dict[str, Any]:
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _ids(mail: dict[str, Any]) -> list[str]:
    """The ids in the headers of the mail that came back, where SES was asked to include them."""
    headers = mail.get("headers")
    found: list[str] = []
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, dict) and str(header.get("name", "")).lower() in _THREAD:
            found += _ID.findall(str(header.get("value", "")))
    return list(dict.fromkeys(found))


def ticket_of(ids: tuple[str, ...], filing: Filing, desk: str | None = None) -> Ticket | None:
    """The ticket of the first keyed id, whatever has become of it since; of one desk, or of any."""
    for each in ids:
        found = ticket_of_message_id(filing.root, each)
        if found is not None and desk in {None, found[0]}:
            try:
                return filing.store.load(*found)
            except NotFound:
                return None
    return None


def take_back(
    returned: ReturnedMail,
    ticket: Ticket,
    filing: Filing,
    playbook: Playbook,
    idempotency: IdempotencyRecord | None,
) -> None:
    """Show it on its ticket, once. Where it stops mail, the address's other tickets know it too.

    A report about another address than the customer's (somebody's forwarding that failed) shows
    and stops nothing; so does a mail that names no recipient, which SES's own word need not do. The
    ticket comes last, so that an interrupted run is done again whole.
    """
    unnamed = returned.by_ses and not returned.recipients
    theirs = unnamed or ticket.customer.hash in _hashes(returned, filing, playbook)
    stops = returned.stops and theirs and not ticket.erased
    if stops:
        _stop(returned.cause, ticket.customer.hash, filing, playbook, besides=ticket.number)
    command = MailReturned(cause=returned.cause, permanent=stops)
    noted = replace(idempotency, number=ticket.number) if idempotency else None
    try:
        _change(ticket, command, filing, playbook, noted)
    except Duplicate:
        return


def stop_address(returned: ReturnedMail, filing: Filing, playbook: Playbook) -> bool:
    """SES's word about addresses alone; whether any of them is a customer's."""
    known = False
    for digest in _hashes(returned, filing, playbook):
        if filing.store.tickets_of_contact(playbook.desk, digest, 1):
            known = True
            if returned.stops:
                _stop(returned.cause, digest, filing, playbook)
    return known


def _hashes(returned: ReturnedMail, filing: Filing, playbook: Playbook) -> list[str]:
    found = []
    for address in returned.recipients:
        try:
            contact = normalise_contact(address)
        except ValueError:
            continue
        found.append(contact_hash(contact, playbook.desk, derive(filing.root, "contact")))
    return found


def _stop(
    cause: str, digest: str, filing: Filing, playbook: Playbook, besides: str | None = None
) -> None:
    """No further mail to a contact: its next tickets begin with the mark, its open ones get it."""
    store, desk = filing.store, playbook.desk
    store.mark_contact(desk, digest, cause)
    numbers = store.tickets_of_contact(desk, digest, _MOST_TICKETS)
    for other in store.tickets(desk, [number for number in numbers if number != besides]):
        if other.status not in ENDED:
            command = MailReturned(cause=cause, permanent=True, elsewhere=True)
            _change(other, command, filing, playbook)


def _change(
    ticket: Ticket,
    command: MailReturned,
    filing: Filing,
    playbook: Playbook,
    idempotency: IdempotencyRecord | None = None,
) -> None:
    change(
        filing.store,
        ticket.desk,
        ticket.number,
        command,
        playbook,
        filing.now,
        actor="system",
        idempotency=idempotency,
    )
