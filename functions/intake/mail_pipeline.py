"""Process a mail from its announcement to its ticket. Imported with the first mail (cold start)."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from functions.core.domain.errors import Quarantined
from functions.core.mail.parser import InboundMail, parse
from functions.core.platform import metering
from functions.core.platform.logging import logger
from functions.core.services.create_ticket import TicketCreator
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.text.unmasking import Seal
from functions.intake import mail_policy
from functions.intake.bounces import BounceRecorder, ReturnedMail, read_ses_notification
from functions.intake.mail_routing import MailRouter, ReceivedMail, RoutedMail
from functions.intake.mail_store import NO_VERDICTS, MailAnnouncement, MailStore, read_announcement

log = logger("intake")

NO_DESK = "-"
"""The folder in the quarantine for mail of no desk."""


@dataclass(frozen=True)
class MailPipeline:
    storage: Storage
    root_key: bytes
    seal_original: Seal
    creator: TicketCreator
    mail_store: MailStore
    now: datetime

    def process_message(self, body: str) -> None:
        """Process an SQS message: a received mail, or SES's notification about a sent one.

        A received mail is routed at each desk whose mailbox it was sent to.

        Raises:
            DeadLetter: the message is neither, or the mail is not in the bucket.
        """
        notification = read_ses_notification(body)
        if isinstance(notification, ReturnedMail):
            self._record_returned(notification, body)
            return
        if notification is not None:
            log.info("mail.notification_ignored", extra={"notification": notification})
            return
        metering.count_received_mail()
        announcement = read_announcement(body)
        if announcement.raw is None:
            raw = self.mail_store.get(announcement.key)
        else:
            raw = announcement.raw
            announcement = replace(announcement, key=self.mail_store.put(raw))
        mailboxes = map(self.storage.playbooks.desk_of_mailbox, announcement.recipients)
        desks = dict.fromkeys(filter(None, mailboxes))
        if not desks:
            cause = "unknown recipient: no desk has a mailbox that this mail was sent to"
            self._quarantine(raw, announcement, NO_DESK, cause)
        for desk in desks:
            self._route(raw, announcement, desk)

    def process_raw(self, raw: bytes, desk: str) -> RoutedMail | None:
        """Process a raw mail that a provider posted for a desk; None if it is quarantined."""
        checks = self.storage.playbooks.get(desk, self.now).mail.checks
        verdicts = mail_policy.Verdicts.from_header(raw, checks.results_of)
        return self._route(raw, MailAnnouncement(self.mail_store.put(raw), (), verdicts), desk)

    def _record_returned(self, returned: ReturnedMail, body: str) -> None:
        """Record on its ticket, else for its recipients, that a sent mail came back."""
        bounces = BounceRecorder(self.storage, self.root_key, self.now)
        ticket = bounces.find_ticket(returned.ids)
        desk = ticket.desk if ticket else self.storage.playbooks.desk_of_mailbox(returned.mailbox)
        if desk is not None:
            playbook = self.storage.playbooks.get(desk, self.now)
            if ticket is not None:
                feedback_id = returned.feedback_id
                idempotency = IdempotencyRecord(desk, "ses", feedback_id) if feedback_id else None
                bounces.record(returned, ticket, playbook, idempotency)
                return
            if bounces.record_for_recipients(returned, playbook):
                return
        raw = body.encode()
        announcement = MailAnnouncement(f"returned/{sha256(raw).hexdigest()}", ())
        cause = f"{returned.cause}: of no ticket's mail"
        self._quarantine(raw, announcement, desk or NO_DESK, cause)

    def _route(self, raw: bytes, announcement: MailAnnouncement, desk: str) -> RoutedMail | None:
        playbook = self.storage.playbooks.get(desk, self.now)
        router = MailRouter(
            self.storage,
            self.root_key,
            self.seal_original,
            self.creator,
            self.mail_store,
            playbook,
            self.now,
        )
        try:
            trusted = mail_policy.trusts_sender(
                announcement.verdicts,
                playbook.mail.checks,
                released=announcement.released,
                even_infected=announcement.even_infected,
            )
            mail = _with_recipients(parse(raw), announcement.recipients)
            if not announcement.released:
                mail_policy.require_within_limits(len(raw), mail.defects, playbook.mail.checks)
            return router.route(
                ReceivedMail(
                    mail,
                    announcement.key,
                    sha256(raw).hexdigest(),
                    released=announcement.released,
                    sender_trusted=trusted,
                    sender_proven=announcement.verdicts.dmarc == "PASS",
                    infected=announcement.verdicts.infected,
                    # Where nothing checks senders, every mail would count.
                    limited=not (trusted or announcement.released)
                    and announcement.verdicts != NO_VERDICTS,
                )
            )
        except Quarantined as error:
            self._quarantine(raw, announcement, desk, str(error))
            return None

    def _quarantine(
        self, raw: bytes, announcement: MailAnnouncement, desk: str, cause: str
    ) -> None:
        self.mail_store.quarantine(raw, announcement.key, desk, cause, announcement.verdicts)
        log.info("mail.quarantined", extra={"desk": desk, "cause": cause})


def _with_recipients(mail: InboundMail, recipients: tuple[str, ...]) -> InboundMail:
    """Add the envelope's recipients, which the mail's headers need not name."""
    return replace(mail, to=tuple(dict.fromkeys((*recipients, *mail.to))))
