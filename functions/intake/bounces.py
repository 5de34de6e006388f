"""Mail that came back: record it on its ticket, and stop mail to addresses that do not work.

A bounce or a complaint arrives as a mail (RFC 3464, RFC 5965) or as SES's own notification: from a
configuration set's event publishing (`eventType`) or an identity's feedback notifications
(`notificationType`). Both have the same content (SES developer guide, "Contents of event data that
Amazon SES publishes to Amazon SNS" and "Amazon SNS notification contents for Amazon SES").

Anybody can write a mail that looks like a bounce. It counts for the ticket whose keyed id it
contains, which only recipients of the ticket's mail know, and those they forwarded it to. So it
stops further mail only if it also names the ticket's customer as its recipient. A notification of
SES counts for an address alone.
"""

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.core.domain.commands import MailReturned
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import COMPLAINT, Ticket
from functions.core.mail.parser import InboundMail
from functions.core.services.command_service import change
from functions.core.services.contacts import address_digest
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.text.tokens import ticket_of_message_id

BOUNCE = "bounce"
ENDED = frozenset({"archived", "closed", "merged"})
_MAX_TICKETS = 100
_ADDRESS = re.compile(r"[^\s<>\"]{1,128}@[^\s<>\"]{1,255}")
_ID = re.compile(r"<([^<>\s]{1,300})>")
_DETAIL = re.compile(r"[A-Za-z0-9.-]{1,40}")
_TOPIC_VALIDATED = "Successfully validated SNS topic"
"""The beginning of the text that SES publishes when a topic becomes an event destination."""
_AROUND = '" \r\n\t'
_SETUP = "AMAZON_SES_SETUP_NOTIFICATION"
"""The id that SES gives the mail which it writes when a receipt rule is created or changed. SES
chooses ids, so no sender can use this one."""
_CONFIRMATIONS = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})
_ID_HEADERS = frozenset({"message-id", "in-reply-to", "references", "x-deskbell-id"})


@dataclass(frozen=True)
class ReturnedMail:
    """A bounce or a complaint, from a mail or from SES.

    `stops_mail`: no further mail is to go to `recipients`. `mailbox` is the sender of the mail that
    came back, as SES reports it; empty for a bounce that arrived as a mail, whose content anybody
    could have written. `feedback_id` is SES's id of the notification.
    """

    kind: str
    stops_mail: bool
    detail: str
    ids: tuple[str, ...]
    recipients: tuple[str, ...]
    mailbox: str = ""
    feedback_id: str = ""
    by_ses: bool = False

    @property
    def cause(self) -> str:
        """`bounce 5.1.1`, `complaint abuse`: only codes, so there is nothing to mask."""
        detail = self.detail if _DETAIL.fullmatch(self.detail) else ""
        return f"{self.kind} {detail}".strip()


def read_report(mail: InboundMail) -> ReturnedMail:
    report = mail.returned
    references = [mail.in_reply_to or "", *reversed(mail.references)]
    if report is None:
        return ReturnedMail(mail.origin, False, "", tuple(filter(None, references)), ())
    complaint = mail.origin == "complaint"
    return ReturnedMail(
        kind=COMPLAINT if complaint else BOUNCE,
        stops_mail=report.feedback != "not-spam" if complaint else report.permanent,
        detail=report.feedback if complaint else report.status,
        ids=tuple(filter(None, (report.message_id, *report.references, *references))),
        recipients=report.recipients,
    )


def read_ses_notification(body: str) -> ReturnedMail | str | None:
    """Read SES's notification about a sent mail from an SQS message, in SNS's envelope or not.

    Returns the bounce or complaint, the name of any other kind of notification, or None if the
    message is something else, such as the announcement of a received mail. AWS's announcements that
    a topic, a rule or a bucket was set up count as notifications of another kind.
    """
    content, text = _parse(body), body
    if content.get("Type") in _CONFIRMATIONS:
        return str(content["Type"])
    if "Message" in content:
        content, text = _parse(content["Message"]), str(content["Message"])
    if text.strip(_AROUND).startswith(_TOPIC_VALIDATED):
        return "TopicValidated"
    kind = content.get("eventType") or content.get("notificationType") or content.get("Event")
    if not isinstance(kind, str) or kind == "Received":
        return _SETUP if _get_object(content, "mail").get("messageId") == _SETUP else None
    if kind not in {"Bounce", "Complaint"}:
        return kind
    details, mail = _get_object(content, kind.lower()), _get_object(content, "mail")
    complaint = kind == "Complaint"
    listed = details.get("complainedRecipients" if complaint else "bouncedRecipients")
    recipients = [recipient for recipient in listed or () if isinstance(recipient, dict)]
    addresses = (_ADDRESS.search(str(entry.get("emailAddress", ""))) for entry in recipients)
    feedback = str(details.get("complaintFeedbackType") or "")
    senders = _ADDRESS.findall(str(mail.get("source", "")))
    return ReturnedMail(
        kind=COMPLAINT if complaint else BOUNCE,
        stops_mail=feedback != "not-spam"
        if complaint
        else details.get("bounceType") == "Permanent",
        detail=feedback if complaint else _bounce_status(details, recipients),
        ids=tuple(_referenced_ids(mail)),
        recipients=tuple(address.group().lower() for address in addresses if address),
        mailbox=senders[0].lower() if senders else "",
        feedback_id=str(details.get("feedbackId") or ""),
        by_ses=True,
    )


def _bounce_status(details: dict[str, Any], recipients: list[dict[str, Any]]) -> str:
    sub_type = str(details.get("bounceSubType") or "")
    if "Suppress" in sub_type:  # SES did not send the mail; no status code exists for that
        return sub_type
    statuses = (str(recipient["status"]) for recipient in recipients if recipient.get("status"))
    return next(statuses, sub_type)


def _parse(text: object) -> dict[str, Any]:
    try:
        content = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _get_object(content: dict[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _referenced_ids(mail: dict[str, Any]) -> list[str]:
    """Return the ids in the headers of the mail that came back, if SES includes them."""
    headers = mail.get("headers")
    ids: list[str] = []
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, dict) and str(header.get("name", "")).lower() in _ID_HEADERS:
            ids += _ID.findall(str(header.get("value", "")))
    return list(dict.fromkeys(ids))


@dataclass(frozen=True)
class BounceRecorder:
    storage: Storage
    root_key: bytes
    now: datetime

    def find_ticket(self, ids: tuple[str, ...], desk: str | None = None) -> Ticket | None:
        """Return the ticket of the first keyed id, at any desk or at `desk` alone."""
        for message_id in ids:
            key = ticket_of_message_id(self.root_key, message_id)
            if key is not None and desk in {None, key[0]}:
                return self.storage.tickets.find(*key)
        return None

    def record(
        self,
        returned: ReturnedMail,
        ticket: Ticket,
        playbook: Playbook,
        idempotency: IdempotencyRecord | None,
    ) -> None:
        """Record it on its ticket, once; if it stops mail, on the contact's other tickets too.

        A report about an address other than the customer's (a forwarding that failed) is recorded
        and stops nothing. The same holds for a mail that names no recipient; SES's notification
        need not name one. The ticket comes last, so that an interrupted run is repeated completely.
        """
        unnamed = returned.by_ses and not returned.recipients
        digests = self._recipient_digests(returned, playbook)
        concerns_customer = unnamed or ticket.customer.hash in digests
        stops = returned.stops_mail and concerns_customer and not ticket.erased
        if stops:
            self._stop_mail(
                returned.cause, ticket.customer.hash, playbook, except_for=ticket.number
            )
        command = MailReturned(cause=returned.cause, permanent=stops)
        record = replace(idempotency, number=ticket.number) if idempotency else None
        try:
            self._change(ticket, command, playbook, record)
        except Duplicate:
            return

    def record_for_recipients(self, returned: ReturnedMail, playbook: Playbook) -> bool:
        """Record SES's notification for its recipients; False if none of them is a customer."""
        known = False
        for digest in self._recipient_digests(returned, playbook):
            if self.storage.contacts.tickets(playbook.desk, digest, 1):
                known = True
                if returned.stops_mail:
                    self._stop_mail(returned.cause, digest, playbook)
        return known

    def _recipient_digests(self, returned: ReturnedMail, playbook: Playbook) -> list[str]:
        digests = (
            address_digest(address, playbook.desk, self.root_key) for address in returned.recipients
        )
        return [digest for digest in digests if digest is not None]

    def _stop_mail(
        self, cause: str, digest: str, playbook: Playbook, except_for: str | None = None
    ) -> None:
        """Mark a contact as undeliverable, for its open tickets and its next ones."""
        desk = playbook.desk
        self.storage.contacts.set_undeliverable(desk, digest, cause)
        numbers = self.storage.contacts.tickets(desk, digest, _MAX_TICKETS)
        others = [number for number in numbers if number != except_for]
        for ticket in self.storage.tickets.load_many(desk, others):
            if ticket.status not in ENDED:
                command = MailReturned(cause=cause, permanent=True, elsewhere=True)
                self._change(ticket, command, playbook)

    def _change(
        self,
        ticket: Ticket,
        command: MailReturned,
        playbook: Playbook,
        idempotency: IdempotencyRecord | None = None,
    ) -> None:
        change(
            self.storage,
            ticket.desk,
            ticket.number,
            command,
            playbook,
            self.now,
            actor="system",
            idempotency=idempotency,
        )
