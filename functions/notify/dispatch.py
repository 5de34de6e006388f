"""Claim, send and record each delivery, so that no repetition sends a message twice (E11).

`functions.core.domain.delivery` describes the states and their order.

- One claim covers all recipients of a commit: that of its first delivery, whose key depends on the
  commit alone. It names the others, which get their own items with their outcome.
- A claim that is younger than the function's timeout may belong to a run that is still sending: the
  record is retried. The run of an older claim died before or after sending, and nobody can tell
  which, so the delivery is dead-lettered for a person to decide. That also holds if the playbook
  has changed since and no longer asks for the message.
- Everything that may block a message is read before the claim, so a throttled table leaves none.
- A message that was certainly not sent is retried after `RETRY_AFTER`: the sweep makes it due, and
  the stream brings it here. After the last attempt, or if no retry can help, it is dead-lettered.
- A dead letter goes to the queue before the delivery is marked, so no crash can hide it (G3).
"""

from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from functions.core.deliver.failures import Passing, Permanent, SendFailure, Withheld
from functions.core.domain.delivery import RETRY_AFTER, Delivery, State
from functions.core.domain.errors import DeadLetter, TryAgain
from functions.core.domain.events import (
    CallRecorded,
    Commit,
    Event,
    TimerBreached,
    TimerWarned,
)
from functions.core.domain.recipients import CUSTOMERS
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.domain.webhook_message import is_webhook
from functions.core.services.composing import notifications_for
from functions.core.services.preparing import (
    EVENT_GONE,
    Channel,
    Preparation,
    PreparedMessage,
    TicketOpening,
    draft_delivery,
    restored_notification,
)
from functions.core.storage.items import read_commit, read_pieces
from functions.notify.base_dispatch import (
    BaseDispatcher,
    ClaimedElsewhere,
    is_due,
    is_same_claim,
    log,
    log_fields,
)
from functions.notify.chat_sending import OutsideWindow
from functions.notify.limits import blocked_by_limit, blocked_by_returned_mail
from functions.notify.other_contact import other_contact
from functions.notify.sending import Sender

UNCERTAIN = "uncertain: a run claimed it and ended; it may or may not have been sent"


@dataclass(frozen=True)
class Claim:
    """The claim of a commit's deliveries, held by the first of them.

    Attributes:
        lead: the first delivery, as stored.
        own: whether this run made the claim.
    """

    lead: Delivery
    own: bool


@dataclass(frozen=True)
class Dispatcher(BaseDispatcher):
    public_url: str
    sender: Sender

    def process(self, record: Any) -> None:
        """Process one record of the table's stream: new events or a delivery that is due.

        Raises:
            DeadLetter: the record cannot be read, or a message cannot be filled in.
            TryAgain: the record has to come again.
        """
        try:
            image: Any = record["dynamodb"].get("NewImage", {})
            kind, _, delivery_id = record["dynamodb"]["Keys"]["sk"]["S"].partition("#")
        except (AttributeError, KeyError, TypeError) as error:
            raise DeadLetter("not a record of the table's stream") from error
        if kind == "EVENT" and (record.get("eventName") == "INSERT" or "redriven_at" in image):
            commit = read_commit(image)
            self.notify(
                commit,
                _sealed_contact(image),
                self.storage.playbooks.refresh(image, self.now),
                read_pieces(image, "outgoing"),
            )
        elif kind == "DELIVERY" and is_due(image) and not is_webhook(delivery_id):
            _, desk, number = image["pk"]["S"].split("#", 2)
            self.retry(desk, number, delivery_id)

    def notify(
        self,
        commit: Commit,
        sealed: bytes | None = None,
        written_under: int | None = None,
        outgoing: tuple[bytes, ...] = (),
    ) -> None:
        """Deliver the notifications of a commit, each recipient independently of the others.

        Args:
            sealed: the customer's sealed contact, if the record carries it.
            written_under: the playbook version that the commit was written under. If it is still
                current, no other run can have claimed notifications that this one does not find.
            outgoing: the sealed pieces of what an agent wrote to the customer, if any.

        Raises:
            DeadLetter: a message cannot be filled in.
            TryAgain: something has to be retried; it takes precedence over `DeadLetter`.
        """
        self._settle_calls(commit)
        version, playbook = self.storage.playbooks.get_numbered(commit.desk, self.now)
        playbook_changed = version != written_under
        if not any(_may_notify(event, playbook) for event in commit.events):
            if playbook_changed:
                self._check_remaining_claim(commit)
            return
        ticket = self.storage.tickets.load_since(commit.desk, commit.number, commit.version)
        errors: list[TryAgain | DeadLetter] = []
        messages = self._prepare(commit, ticket, playbook, sealed, outgoing, errors)
        if messages:
            self._deliver_all(messages, errors)
        elif playbook_changed or ticket.erased:
            with _collected(errors):
                self._check_remaining_claim(commit)
        if errors:
            raise max(errors, key=_urgency)

    def retry(self, desk: str, number: str, delivery_id: str) -> None:
        """Make the next attempt at a delivery that is due."""
        due = self.load_due(desk, number, delivery_id)
        if due is None:
            return
        try:
            message = self._restored_message(due)
        except DeadLetter as error:
            self.dead_letter(due, str(error), "due")
            return
        ticket = message.ticket
        if due.recipient in CUSTOMERS:  # the contact may have been corrected since
            update = {"to": ticket.customer.contact, "channel": message.channel}
            due = due.model_copy(update=update)
            if ticket.erased:
                self.write_outcome(self.dead_lettered(due, "the customer was erased"), "due")
                return
        reason = blocked_by_returned_mail(due, ticket)
        if reason is not None:
            self.dead_letter(due, reason, "due")
        elif claimed := self.reclaim(due):
            self._send(claimed, message)

    def resolve_abandoned_claim(self, delivery: Delivery, expected: str | None) -> None:
        """Dead-letter a delivery that a dead run may or may not have sent."""
        self.dead_letter(delivery, UNCERTAIN, expected)

    def _settle_calls(self, commit: Commit) -> None:
        """Mark the messages as sent that a recorded call has told the customer (B8)."""
        desk, number = commit.desk, commit.number
        for version in {told for call in commit.of(CallRecorded) for told in call.calls}:
            for delivery in self.storage.deliveries.of_commits(desk, number, version, version):
                if delivery.state == "waiting":
                    sent = delivery.model_copy(update={"state": "sent", "at": commit.at})
                    self.write_outcome(sent, "waiting")

    def _prepare(
        self,
        commit: Commit,
        ticket: Ticket,
        playbook: Playbook,
        sealed: bytes | None,
        outgoing: tuple[bytes, ...],
        errors: list[TryAgain | DeadLetter],
    ) -> list[tuple[Delivery, PreparedMessage]]:
        """Prepare the messages of a commit; record the notifications that nobody can receive."""
        opening = TicketOpening(
            self.storage, commit.desk, commit.number, sealed if commit.version == 1 else None
        )
        preparation = self._preparation(playbook, opening, outgoing)
        messages: dict[str, tuple[Delivery, PreparedMessage]] = {}
        told: set[tuple[int, str]] = set()  # nobody at the desk gets two mails about one event
        for notification in notifications_for(commit, ticket, playbook):
            if ticket.erased and notification.recipient in CUSTOMERS:
                continue  # the contact is gone (B10)
            with _collected(errors):
                message = preparation.prepare(notification, commit, ticket)
                delivery = draft_delivery(message, self.now)
                if delivery.channel in _NOTED:
                    state = _NOTED[delivery.channel]
                    noted = message.with_text(delivery).model_copy(update={"state": state})
                    self.storage.deliveries.claim(noted)
                    continue
                about = (commit.events.index(notification.event), message.address)
                if delivery.identity not in messages and about not in told:
                    told.add(about)
                    earlier = [other for other, _ in messages.values()]
                    reason = self._blocking_reason(delivery, message, earlier)
                    messages[delivery.identity] = (delivery, replace(message, blocked=reason))
        return list(messages.values())

    def _preparation(
        self, playbook: Playbook, opening: TicketOpening, outgoing: tuple[bytes, ...]
    ) -> Preparation:
        def agent(username: str) -> Agent | None:
            return self.storage.roster.current(playbook.desk, username, self.now)

        root = self.sender.root
        return Preparation(self.public_url, root, playbook, opening, agent, outgoing)

    def _blocking_reason(
        self, delivery: Delivery, message: PreparedMessage, earlier: Sequence[Delivery]
    ) -> str | None:
        # A sweep may run for a later time; its messages belong to that moment.
        moment = max(self.now, message.commit.at)
        return blocked_by_returned_mail(delivery, message.ticket) or blocked_by_limit(
            delivery, message.ticket, message.playbook, self.storage, moment, earlier
        )

    def _deliver_all(
        self,
        messages: Sequence[tuple[Delivery, PreparedMessage]],
        errors: list[TryAgain | DeadLetter],
    ) -> None:
        drafts = [draft for draft, _ in messages]
        claim = self._claim_all(drafts)
        for draft, message in messages:
            with _collected(errors):
                self._deliver(draft, message, claim)
        lead = claim.lead
        if lead.state == "claimed" and lead.identity not in {draft.identity for draft in drafts}:
            with _collected(errors):
                self.check_claim(lead)  # the playbook no longer asks for it

    def _claim_all(self, drafts: Sequence[Delivery]) -> Claim:
        """Claim all deliveries of a commit by writing the first, or find the run that did."""
        first, *others = drafts
        covers = tuple(draft.identity for draft in others)
        lead = first.model_copy(update={"lead": True, "covers": covers})
        if self.storage.deliveries.claim(lead):
            return Claim(lead, own=True)
        stored = self.load_claimed(lead)
        return Claim(stored, own=is_same_claim(stored, lead))

    def _deliver(self, draft: Delivery, message: PreparedMessage, claim: Claim) -> None:
        """Send a delivery that this run has claimed, or check what became of another run's."""
        lead, is_lead = claim.lead, claim.lead.identity == draft.identity
        if claim.own:
            expected = "claimed" if is_lead else None
            self._send_unless_blocked(lead if is_lead else draft, message, expected)
            return
        key = f"DELIVERY#{draft.id}"
        stored = lead if is_lead else self.storage.deliveries.get(draft.desk, draft.number, key)
        if stored is not None:
            if stored.state == "claimed":
                self.check_claim(stored)
        elif draft.identity in lead.covers:
            covered = draft.model_copy(update={"claimed_at": lead.claimed_at})
            self.check_claim(covered, expected=None)
        elif self.claim(draft):
            self._send_unless_blocked(draft, message)  # a rule that the playbook got since

    def _send_unless_blocked(
        self, delivery: Delivery, message: PreparedMessage, expected: str | None = "claimed"
    ) -> None:
        """Send unless blocked; otherwise dead-letter it with the reason.

        Whether a number may get text messages shows when it is opened, so the sender decides there.
        """
        if message.blocked is None or delivery.channel == "sms":
            self._send(delivery, message, expected)
        else:
            self.dead_letter(message.with_text(delivery), message.blocked, expected)

    def _send(
        self, delivery: Delivery, message: PreparedMessage, expected: str | None = "claimed"
    ) -> None:
        """Send a claimed delivery and record the outcome.

        Args:
            expected: the stored state of the delivery, None if it has no item yet.
        """
        attempt = self.next_attempt(message.with_text(delivery))
        try:
            attempt, provider_id = self._send_or_divert(delivery, message, attempt)
        except (Passing, TryAgain) as error:  # a failed read, too, comes before sending
            self.retry_later(attempt, str(error), RETRY_AFTER, expected)
        except Withheld as error:
            self.write_outcome(self.dead_lettered(attempt, str(error)), expected)
            log.warning("delivery.withheld", extra={**log_fields(attempt), "cause": str(error)})
        except Permanent as error:
            self.dead_letter(attempt, str(error), expected)
        except SendFailure as error:
            self.dead_letter(attempt, f"{UNCERTAIN} ({error})", expected)
        else:
            self.record_sent(attempt, provider_id, expected, _reporter(attempt, message))

    def _send_or_divert(
        self, delivery: Delivery, message: PreparedMessage, attempt: Delivery
    ) -> tuple[Delivery, str]:
        """Send a message, to another contact of the customer if a chat channel takes none now.

        Returns the attempt as it went out, whose cause tells the agent, and the provider's id.

        Raises:
            SendFailure: it is not known to have gone out.
        """
        try:
            return attempt, self.sender.send(delivery, message, self.now)
        except OutsideWindow as outside:
            other = other_contact(self.storage, message.ticket, self.sender.open_contact)
            if other is None:
                raise
            channel: Channel = "sms" if other.contact.kind == "phone" else "email"
            instead = delivery.model_copy(update={"channel": channel, "to": other.shown})
            reason = self._blocking_reason(instead, message, ())
            if reason is not None:
                raise Permanent(reason) from None
            provider_id = self.sender.send(instead, message, self.now, other.contact)
            cause = f"outside the window of {outside.channel}, sent by {channel} instead"
            sent = self.next_attempt(message.with_text(instead))
            return sent.model_copy(update={"cause": cause}), provider_id

    def _restored_message(self, delivery: Delivery) -> PreparedMessage:
        """Prepare a stored delivery's message again, since its text is stored masked only."""
        desk, number = delivery.desk, delivery.number
        stored = self.storage.tickets.original(desk, number, delivery.version)
        if stored is None:
            raise DeadLetter(EVENT_GONE)
        commit = stored.commit
        outgoing = stored.pieces if stored.purpose == "outgoing" else ()
        notification = restored_notification(delivery, commit)
        ticket = self.storage.tickets.load(desk, number)
        playbook = self.storage.playbooks.get(desk, self.now)
        opening = TicketOpening(self.storage, desk, number)
        preparation = self._preparation(playbook, opening, outgoing)
        return preparation.prepare(notification, commit, ticket)

    def _check_remaining_claim(self, commit: Commit) -> None:
        """Check a claim that another run made under rules that the playbook no longer has."""
        key = f"DELIVERY#{commit.version:06}"
        stored = self.storage.deliveries.get(commit.desk, commit.number, key)
        if stored is not None and stored.state == "claimed":
            self.check_claim(stored)


_NOTED: dict[str, State] = {"none": "sent", "phone": "waiting"}
"""Channel → state of a delivery that this function does not send: nobody reads it, or a member of
the desk calls the customer."""


def _reporter(sent: Delivery, message: PreparedMessage) -> str:
    """Return the provider whose reports about a sent message may come, "" if none may."""
    if sent.channel == "message":
        from functions.core.channels.base import adapter

        provider = adapter(message.ticket.channel)
        return provider.name if provider is not None and provider.reports_later else ""
    sms = message.playbook.sms
    return sms.provider if sent.channel == "sms" and sms.registers else ""


@contextmanager
def _collected(errors: list[TryAgain | DeadLetter]) -> Iterator[None]:
    """Keep one recipient's error until the others are notified."""
    try:
        yield
    except (DeadLetter, TryAgain) as error:
        errors.append(error)


def _urgency(error: TryAgain | DeadLetter) -> tuple[bool, bool]:
    """Rank errors: a claim of another run first, since it needs its time; a dead letter last,
    since its record does not come again. A retry finds the dead letter again."""
    return isinstance(error, ClaimedElsewhere), isinstance(error, TryAgain)


def _may_notify(event: Event, playbook: Playbook) -> bool:
    """Return whether an event may notify anybody; if none does, the ticket need not be read."""
    if isinstance(event, TimerWarned | TimerBreached):
        return True
    return any(rule.on in event.triggers for rule in playbook.notifications)


def _sealed_contact(image: Any) -> bytes | None:
    """Return the sealed contact (base64) of a first event's stream image."""
    sealed = image.get("sealed", {}).get("B")
    return b64decode(sealed) if isinstance(sealed, str) else sealed
