"""Each delivery is claimed, sent and marked, so that no repetition sends it twice (E11).

The states and their order are those of `functions.core.domain.delivery`. Every step is a
conditional write: whichever of two runs comes second sees what the first one did, and leaves it.

- One claim serves all whom a commit is told to: that of its first delivery, whose key follows from
  the commit alone. It names the others, which have no item of their own until they are sent,
  waiting or parked.
- A claim of another run that is younger than the function's own timeout may still be under way:
  the record is to come again. An older one died between sending and marking, or before sending;
  nobody can tell which, so it is parked, visibly, for a person to decide. That holds too where the
  rules that asked for it are gone since.
- What may hold a message back is read before the claim: a table that is busy then leaves none.
- What surely was not sent is tried again after `RETRY_AFTER`; the sweep makes it due and the stream
  brings it here. After the last time, and where no repetition helps, it is parked.
- Whatever is parked is announced in the dead-letter queue first, so that no crash in between can
  hide it (G3).
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal, Protocol
from uuid import UUID, uuid4

from functions.core.channels.base import OutgoingMessage
from functions.core.domain.delivery import RETRY_AFTER, Delivery
from functions.core.domain.erasure import without_person
from functions.core.domain.errors import DeadLetter, TryAgain
from functions.core.domain.events import MACHINES, Commit, TicketReceived
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.logging import logger
from functions.core.services.composing import (
    BY_AGENT,
    Notice,
    Words,
    about,
    compose,
    happenings,
    notices,
    team_of,
    uses_description,
)
from functions.core.storage.store import Store, read_commit
from functions.core.text import tokens
from functions.core.text.masking import mask, mask_but
from functions.notify import outcomes, texts
from functions.notify.contact import OpenContact
from functions.notify.deliver.email import deliverable
from functions.notify.deliver.failures import Passing, Permanent, SendFailure
from functions.notify.limits import capped, unwanted
from functions.notify.mail import Envelope, Thread, build
from functions.notify.webhook_dispatch import is_hook

LOCAL_PART = 64
"""Characters before the `@` of an address at most (RFC 5321, 4.5.3.1.1)."""

Way = Literal["sms", "email", "phone", "message", "none"]

UNCERTAIN = "uncertain: a run claimed it and ended; it may or may not have been sent"

log = logger("notify")


class SendMail(Protocol):
    def __call__(self, sender: str, to: str, raw: bytes) -> str: ...


class SendSms(Protocol):
    def __call__(self, number: str, text: str, sender: str) -> str: ...


class SendMessage(Protocol):
    def __call__(self, desk: str, channel: str, message: OutgoingMessage) -> str: ...


@dataclass(frozen=True)
class Ways:
    """What the room needs of the world.

    `open_contact(desk, number, sealed)` decrypts; `send_mail`, `send_sms` and `send_message` (on a
    chat channel) give the provider's id or raise a `SendFailure`; `announce(keys, cause)` puts a
    parked delivery before an operator.
    """

    store: Store
    root: bytes
    public_url: str
    open_contact: Callable[[str, str, bytes | None], OpenContact]
    send_mail: SendMail
    send_sms: SendSms
    send_message: SendMessage
    announce: Callable[[dict[str, str], str], None]


@dataclass(frozen=True)
class Job:
    """One notice with all that its message is made of; `held` says why it is not to be sent."""

    notice: Notice
    commit: Commit
    ticket: Ticket
    playbook: Playbook
    words: Words
    link: str
    first: _First
    held: str | None = None


class _First:
    """What a ticket began with, read when it is first needed, and once for all who are told.

    Args:
        sealed: the customer's contact where the stream has just brought it.
    """

    def __init__(self, store: Store, desk: str, number: str, sealed: bytes | None = None) -> None:
        self._read = lru_cache(maxsize=1)(lambda: store.opening(desk, number))
        self._sealed = sealed

    @property
    def sealed(self) -> bytes | None:
        return self._sealed or self._read().sealed

    @property
    def description(self) -> str:
        commit = self._read().commit
        received = commit.of(TicketReceived) if commit else ()
        return received[0].description if received else ""


def process(record: Any, ways: Ways, now: datetime) -> None:
    """One record of the table's stream: new events, or a delivery whose time has come.

    Raises:
        DeadLetter: the record cannot be read, or a message not be filled in.
        TryAgain: the record has to come again.
    """
    try:
        image: Any = record["dynamodb"].get("NewImage", {})
        kind, _, rest = record["dynamodb"]["Keys"]["sk"]["S"].partition("#")
    except (AttributeError, KeyError, TypeError) as error:
        raise DeadLetter("not a record of the table's stream") from error
    if kind == "EVENT" and record.get("eventName") == "INSERT":
        commit = read_commit(image)
        tell(commit, ways, now, _sealed_in(image), ways.store.hear(image, now))
    elif kind == "DELIVERY" and image.get("state", {}).get("S") == "due" and not is_hook(rest):
        _, desk, number = image["pk"]["S"].split("#", 2)
        again(desk, number, rest, ways, now)


def tell(
    commit: Commit,
    ways: Ways,
    now: datetime,
    sealed: bytes | None = None,
    written_under: int | None = None,
) -> None:
    """Deliver what the events of a commit give to say, each recipient by itself.

    Args:
        written_under: the number of the playbook that the commit's writer found current. Under the
            same one no other run can have claimed what this one finds nobody to tell of.

    Raises:
        DeadLetter: a message cannot be filled in.
        TryAgain: something is to come again, which goes before what is to be parked.
    """
    number, playbook = ways.store.numbered_playbook(commit.desk, now)
    if not any(_concerns(event, playbook) for event in commit.events):
        if number != written_under:
            _look_for_claim(commit, ways, now)
        return
    ticket = ways.store.load_since(commit.desk, commit.number, commit.version)
    opening = sealed if commit.version == 1 else None
    first = _First(ways.store, commit.desk, commit.number, opening)
    troubles: list[TryAgain | DeadLetter] = []
    jobs: dict[str, tuple[Delivery, Job]] = {}
    for notice in notices(commit, ticket, playbook):
        if ticket.erased and notice.recipient == "customer":
            continue  # nobody knows any more who that was (B10)
        with _noted(troubles):
            job = _job(notice, commit, ticket, playbook, ways, first)
            delivery = _draft(job, now)
            if delivery.channel == "none":
                _note(delivery, job, ways)
            elif delivery.told not in jobs:
                before = [other for other, _ in jobs.values()]
                jobs[delivery.told] = (delivery, _judged(delivery, job, before, ways, now))
    if jobs:
        claim = _claim([delivery for delivery, _ in jobs.values()], ways)
        for delivery, job in jobs.values():
            with _noted(troubles):
                _deliver(delivery, job, claim, ways, now)
        if claim.lead.state == "claimed" and claim.lead.told not in jobs:
            with _noted(troubles):
                _look_at_claim(claim.lead, ways, now)  # its rule is gone since
    elif number != written_under or ticket.erased:
        with _noted(troubles):
            _look_for_claim(commit, ways, now)
    if troubles:
        raise max(troubles, key=_urgency)


@contextmanager
def _noted(troubles: list[TryAgain | DeadLetter]) -> Iterator[None]:
    """Keep what befalls one recipient until the others are told."""
    try:
        yield
    except (DeadLetter, TryAgain) as error:
        troubles.append(error)


def _urgency(trouble: TryAgain | DeadLetter) -> tuple[bool, bool]:
    """A record that is parked does not come again, so that is the last thing to do with it: what
    has to be parked is found once more. A claim under way wants its time first of all."""
    return isinstance(trouble, outcomes.UnderWay), isinstance(trouble, TryAgain)


@dataclass(frozen=True)
class Claim:
    """The claim of a commit's deliveries, as the first one holds it; whether this run made it."""

    lead: Delivery
    ours: bool


def _claim(drafts: Sequence[Delivery], ways: Ways) -> Claim:
    """Claim all deliveries of a commit by writing the first, or find who did before."""
    first, *others = drafts
    lead = first.model_copy(update={"lead": True, "covers": tuple(d.told for d in others)})
    if ways.store.claim(lead):
        return Claim(lead, ours=True)
    found = _standing(lead, ways)
    return Claim(found, ours=_is_same(found, lead))


def _deliver(draft: Delivery, job: Job, claim: Claim, ways: Ways, now: datetime) -> None:
    """Send a delivery that this run has claimed; look at what became of one that another has."""
    lead, is_lead = claim.lead, claim.lead.told == draft.told
    if claim.ours:
        ours = lead if is_lead else draft
        _send_or_hold(ours, job, ways, now, "claimed" if is_lead else None)
        return
    found = (
        lead if is_lead else ways.store.delivery(draft.desk, draft.number, f"DELIVERY#{draft.id}")
    )
    if found is not None:
        if found.state == "claimed":
            _look_at_claim(found, ways, now)
    elif draft.told in lead.covers:
        _look_at_claim(draft.model_copy(update={"claimed_at": lead.claimed_at}), ways, now, None)
    elif ways.store.claim(draft) or _is_ours(draft, ways, now):
        _send_or_hold(draft, job, ways, now)  # the rules have it since


def again(desk: str, number: str, delivery_id: str, ways: Ways, now: datetime) -> None:
    """The next attempt of a delivery that is due."""
    before = ways.store.delivery(desk, number, f"DELIVERY#{delivery_id}")
    if before is None or before.state not in {"due", "claimed"}:
        return
    if before.state == "claimed":
        _look_at_claim(before, ways, now)
        return
    claimed = before.model_copy(
        update={"state": "claimed", "claimed_at": now, "at": now, "claim": uuid4().hex}
    )
    try:
        job = _job_of(before, ways, now)
        if before.recipient == "customer":  # whose contact may be another by now
            way = _way(job.notice, job.ticket, job.playbook)
            anew = {"to": job.ticket.customer.contact, "channel": way}
            before, claimed = (each.model_copy(update=anew) for each in (before, claimed))
        if job.ticket.erased and before.recipient == "customer":
            gone = {"state": "parked", "cause": "the customer was erased", "at": now}
            outcomes.mark(before.model_copy(update=gone), "due", ways)
            return
        held = unwanted(before, job.ticket)
        if held is not None:
            outcomes.park(before, held, ways, now, expected="due")
            return
    except DeadLetter as error:
        outcomes.park(before, str(error), ways, now, expected="due")
        return
    if ways.store.move(claimed, "due") or _is_ours(claimed, ways, now):
        _send(claimed, job, ways, now)


def _judged(
    delivery: Delivery, job: Job, before: Sequence[Delivery], ways: Ways, now: datetime
) -> Job:
    """The job with what speaks against sending it, where anything does.

    Args:
        before: what the same commit asked for before it.
    """
    held = unwanted(delivery, job.ticket) or capped(
        delivery, job.ticket, job.playbook, ways.store, now, before
    )
    return replace(job, held=held)


def _send_or_hold(
    delivery: Delivery, job: Job, ways: Ways, now: datetime, expected: str | None = "claimed"
) -> None:
    """Send what nothing speaks against; the rest is parked with its cause, for a person to see."""
    if job.held is None:
        _send(delivery, job, ways, now, expected)
    else:
        outcomes.park(_with_words(delivery, job), job.held, ways, now, expected)


def _concerns(event: Any, playbook: Playbook) -> bool:
    """Whether anybody could be told of an event: saves reading the ticket where nobody is."""
    timer = event.event in {"TimerWarned", "TimerBreached"}
    names = happenings(event)
    return timer or any(rule.on in names for rule in playbook.notifications)


def _job(
    notice: Notice, commit: Commit, ticket: Ticket, playbook: Playbook, ways: Ways, first: _First
) -> Job:
    from functions.core.services.create_ticket import status_url

    description = ""
    if ticket.erased:  # what is not blanked yet is not to be said any more (B10)
        kept = without_person(commit.model_copy(update={"events": (notice.event,)}), playbook, mask)
        notice = replace(notice, event=kept.events[0])
    elif commit.version > 1 and uses_description(playbook, notice.message):
        description = first.description
    link = status_url(ways.public_url, ways.root, ticket.desk, ticket.number)
    if _way(notice, ticket, playbook) == "phone":
        link = link.partition("?")[0]  # a colleague says the words; the secret is the customer's
    words = compose(notice, commit, ticket, playbook, status_url=link, description=description)
    return Job(notice, commit, ticket, playbook, words, link, first)


def _job_of(delivery: Delivery, ways: Ways, now: datetime) -> Job:
    """What a stored delivery was about, once more: its text is stored masked only."""
    store = ways.store
    commit = store.commit_at(delivery.desk, delivery.number, delivery.version)
    asked = next(
        (e for e in commit.events if e.event == delivery.event and about(e) == delivery.about)
        if commit
        else iter(()),
        None,
    )
    if commit is None or asked is None:
        raise DeadLetter("the event that asked for it is gone")
    ticket = store.load(delivery.desk, delivery.number)
    recipient: Any = delivery.recipient
    notice = Notice(asked, recipient, delivery.message, delivery.about)
    first = _First(store, delivery.desk, delivery.number)
    return _job(notice, commit, ticket, store.playbook(delivery.desk, now), ways, first)


def _way(notice: Notice, ticket: Ticket, playbook: Playbook) -> Way:
    """B8: how somebody is told: staff by mail to their team's mailbox, the customer by the
    preferred way where it can be gone, else by what the contact is.

    Who prefers a call is called by the ticket's team. It has none yet when the request is
    acknowledged, which happens at once (A4). Who wrote on a chat channel is answered there.
    """
    mailbox = _mailbox(notice, ticket, playbook)
    if notice.recipient != "customer":
        return "email" if mailbox else "none"
    if ticket.customer.kind != "phone":
        return ticket.customer.kind
    called = ticket.customer.preferred == "phone" and notice.event.event != "TicketReceived"
    return "phone" if called and mailbox else "sms"


def _draft(job: Job, now: datetime) -> Delivery:
    """The delivery before it is sent. Its words are added with the outcome."""
    notice, ticket, playbook = job.notice, job.ticket, job.playbook
    channel, preferred = _way(notice, ticket, playbook), ""
    if notice.recipient == "customer":
        to = ticket.customer.contact
        if ticket.customer.preferred != channel:
            preferred = ticket.customer.preferred or ""
    else:
        team = team_of(notice, ticket, playbook)
        to = playbook.teams[team].label[playbook.locale] if team in playbook.teams else ""
    return Delivery.model_validate(
        {
            "desk": ticket.desk,
            "number": ticket.number,
            "version": job.commit.version,
            "event": notice.event.event,
            "message": notice.message,
            "recipient": notice.recipient,
            "about": notice.about,
            "channel": channel,
            "preferred": preferred,
            "by_hand": job.commit.actor not in MACHINES,
            "to": to,
            "claimed_at": now,
            "at": now,
            "claim": uuid4().hex,
        }
    )


def _mailbox(notice: Notice, ticket: Ticket, playbook: Playbook) -> str | None:
    team = team_of(notice, ticket, playbook)
    return playbook.teams[team].mailbox if team in playbook.teams else None


def _note(delivery: Delivery, job: Job, ways: Ways) -> None:
    """Nobody can be written to, so it is on the record and nowhere else."""
    ways.store.claim(_with_words(delivery, job).model_copy(update={"state": "sent"}))


def _with_words(delivery: Delivery, job: Job) -> Delivery:
    """What was said, as it may be shown: masked, and without the customer's secret."""
    short = delivery.channel in {"sms", "message"}
    text = job.words.sms if short else job.words.text
    shown = text.replace(job.link, job.link.partition("?")[0])
    public = job.playbook.public_contacts
    subject = "" if short else mask_but(job.words.subject, public)
    return delivery.model_copy(update={"subject": subject, "text": mask_but(shown, public)})


def _is_ours(claimed: Delivery, ways: Ways, now: datetime) -> bool:
    """Whether a refused claim was our own, written by a request that the network repeated."""
    found = _standing(claimed, ways)
    if _is_same(found, claimed):
        return True
    if found.state == "claimed":
        _look_at_claim(found, ways, now)
    return False


def _standing(claimed: Delivery, ways: Ways) -> Delivery:
    """What stands where a claim was refused."""
    found = ways.store.delivery(claimed.desk, claimed.number, f"DELIVERY#{claimed.id}")
    if found is None:
        raise TryAgain("a delivery refused its claim and is gone")
    return found


def _is_same(found: Delivery, claimed: Delivery) -> bool:
    return found.state == "claimed" and found.claim == claimed.claim


def _look_at_claim(
    found: Delivery, ways: Ways, now: datetime, expected: str | None = "claimed"
) -> None:
    """Another run has claimed it: wait for its outcome, or park what it left behind."""
    if now - found.claimed_at < outcomes.CLAIM_HOLDS:
        raise outcomes.UnderWay(f"{found.number}: another run is sending {found.id}")
    outcomes.park(found, UNCERTAIN, ways, now, expected)


def _look_for_claim(commit: Commit, ways: Ways, now: datetime) -> None:
    """A claim that another run made under rules that are gone since is looked at all the same."""
    key = f"DELIVERY#{commit.version:06}"
    found = ways.store.delivery(commit.desk, commit.number, key)
    if found is not None and found.state == "claimed":
        _look_at_claim(found, ways, now)


def _send(
    delivery: Delivery, job: Job, ways: Ways, now: datetime, expected: str | None = "claimed"
) -> None:
    """Send a claimed delivery and mark what came of it; `expected` is what stands of it so far."""
    tried = _with_words(delivery, job).model_copy(
        update={"attempts": delivery.attempts + 1, "at": now, "next_at": None, "cause": None}
    )
    try:
        provider_id = _go(delivery, job, ways, now)
    except (Passing, TryAgain) as error:  # what is read is read before anything is sent
        outcomes.later(tried, str(error), ways, now, RETRY_AFTER, expected)
    except Permanent as error:
        outcomes.park(tried, str(error), ways, now, expected)
    except SendFailure as error:
        outcomes.park(tried, f"{UNCERTAIN} ({error})", ways, now, expected)
    else:
        sent = tried.model_copy(update={"state": "sent", "provider_id": provider_id})
        outcomes.mark(sent, expected, ways)
        log.info("delivery.sent", extra=outcomes.about(sent))


def _go(delivery: Delivery, job: Job, ways: Ways, now: datetime) -> str:
    """Hand the message to its provider; the provider's id of it."""
    ticket, playbook = job.ticket, job.playbook
    domain = playbook.mail.address.rpartition("@")[2]
    if delivery.recipient == "customer":
        contact = ways.open_contact(ticket.desk, ticket.number, _sealed(job, ways))
        if delivery.channel == "phone":
            return _ask_to_call(contact.contact, delivery, job, ways, now)
        if contact.kind == "phone":
            return ways.send_sms(contact.contact, job.words.sms, playbook.sms_sender)
        if contact.kind == "message":
            return _message(contact, delivery, job, ways)
        to = deliverable(contact.contact)
        version = delivery.version
        thread = Thread(
            own_id=tokens.message_id(ways.root, ticket.desk, ticket.number, version, domain),
            ticket_id=tokens.message_id(ways.root, ticket.desk, ticket.number, 1, domain),
            answers=contact.message_id.strip().strip("<>"),
        )
        by_hand = delivery.event in BY_AGENT
        return _mail(to, thread, job.words, job, ways, now, automatic=not by_hand)
    return _mail_to_staff(job.words, delivery, job, ways, now)


def _message(contact: OpenContact, delivery: Delivery, job: Job, ways: Ways) -> str:
    """Write to the customer on the chat channel that the request came by."""
    channel, _, user = contact.contact.partition(":")
    # Some providers refuse a message that they have had under the same key.
    about = f"{delivery.desk}#{delivery.number}#{delivery.id}"
    key = str(UUID(bytes=sha256(about.encode()).digest()[:16], version=4))
    message = OutgoingMessage(user, job.words.sms, thread=contact.message_id, key=key)
    return ways.send_message(delivery.desk, channel, message)


def _ask_to_call(number: str, delivery: Delivery, job: Job, ways: Ways, now: datetime) -> str:
    """B8: ask the ticket's team to call the customer and say the words.

    Nobody can call a masked number, so the mail carries the whole one; nothing else keeps it.
    """
    locale, words = job.playbook.locale, job.words
    name = job.ticket.customer.name
    said = texts.CALL[locale].format(name=name, contact=number).replace("  ", " ")
    subject = texts.CALL_SUBJECT[locale].format(
        number=job.ticket.number,
        subject=words.subject.replace(f"[{job.ticket.number}]", "").strip(),
    )
    task = Words(locale=locale, subject=subject, text=f"{said}\n\n{words.text}", sms="")
    return _mail_to_staff(task, delivery, job, ways, now)


def _mail_to_staff(words: Words, delivery: Delivery, job: Job, ways: Ways, now: datetime) -> str:
    # A keyed id in a team's mailbox would let a colleague's answer pass for the customer's.
    about = f"{delivery.desk}#{delivery.number}#{delivery.id}"
    domain = job.playbook.mail.address.rpartition("@")[2]
    thread = Thread(own_id=f"{sha256(about.encode()).hexdigest()[:32]}@{domain}")
    to = deliverable(_mailbox(job.notice, job.ticket, job.playbook) or "")
    return _mail(to, thread, words, job, ways, now, automatic=True)


def _mail(
    to: str, thread: Thread, words: Words, job: Job, ways: Ways, now: datetime, *, automatic: bool
) -> str:
    mail = job.playbook.mail
    about_ticket = bool(thread.ticket_id)
    envelope = Envelope(
        sender=mail.sender[words.locale],
        address=mail.address,
        answers_to=_answers_to(job, ways) if about_ticket else mail.address,
        to=to,
        at=now,
        thread=thread,
        automatic=automatic,
    )
    return ways.send_mail(mail.address, to, build(envelope, words, job.ticket.number, job.link))


def _answers_to(job: Job, ways: Ways) -> str:
    """The desk's mailbox with a token by which an answer finds its ticket, whoever quotes what."""
    home, _, domain = job.playbook.mail.address.rpartition("@")
    token = tokens.reply_token(ways.root, job.ticket.desk, job.ticket.number)
    local = f"{home}+{token}"
    return f"{local}@{domain}" if token and len(local) <= LOCAL_PART else job.playbook.mail.address


def _sealed(job: Job, ways: Ways) -> bytes | None:
    """The contact as it was sealed last: with the ticket, or with a correction."""
    ticket = job.ticket
    if ticket.sealed_in == 1:
        return job.first.sealed
    return ways.store.sealed_contact(ticket.desk, ticket.number, ticket.sealed_in)


def _sealed_in(image: Any) -> bytes | None:
    """The sealed contact where the stream's image of a first event has it (base64)."""
    written = image.get("sealed", {}).get("B")
    return b64decode(written) if isinstance(written, str) else written
