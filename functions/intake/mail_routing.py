"""What a mail means for a desk: a new ticket, a message for one that is there, or neither."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from functions.core.domain.commands import CustomerMessage, Link, Note
from functions.core.domain.errors import (
    ActionNotAllowed,
    Forgotten,
    InvalidInput,
    NotFound,
    Quarantined,
)
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.services.create_ticket import Filing, NewTicket, Tracking, file_ticket
from functions.core.services.merging import merge_target
from functions.core.storage.store import Duplicate, IdempotencyRecord, Known
from functions.core.text.masking import contact_hash, mask, mask_contact, normalise_contact
from functions.core.text.tokens import derive, numbers_of_token, ticket_of_message_id
from functions.core.text.unmasking import Hiding, original
from functions.core.text.words import EMPTY
from functions.intake import bounces
from functions.intake.mail.parser import InboundMail
from functions.intake.mail_store import Inbox

MAX_TEXT = 4000
"""Characters of a mail that stand on the ticket; the original is kept whole in the bucket."""

_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{3,39}")
_REFERENCES = 20  # the nearest ones; a thread has no need of more
_CANDIDATES = 8  # numbers tried in one subject; more is not a subject


@dataclass(frozen=True)
class RoutedMail:
    """The ticket that a mail belongs to, and whether this mail opened or changed it."""

    number: str
    new: bool


def take_in(
    mail: InboundMail,
    raw_key: str,
    digest: str,
    filing: Filing,
    playbook: Playbook,
    inbox: Inbox,
    *,
    released: bool = False,
    believed: bool = True,
    infected: bool = False,
) -> RoutedMail:
    """File a mail as a new ticket, or add it to the one that it answers; once (G1).

    Args:
        raw_key: where the original lies in the mail bucket.
        digest: of the raw bytes; tells a mail without a Message-ID from another.
        released: somebody found it in quarantine and says that a person wrote it.
        believed: whether the sender's address may say which ticket the mail belongs to.
        infected: a virus was found in it; its files stay in the original.

    Raises:
        Quarantined: nobody to answer, not written by a person, or another mail under a known id.
    """
    if _is_own(mail, filing, playbook):
        raise Quarantined("loop: the desk's own mail came back to it")
    idempotency = _idempotency(mail, digest, playbook)
    if mail.origin != "human" and not released:
        return _automatic(mail, filing, playbook, idempotency, believed=believed)
    hiding = Hiding()
    text = hiding.mask("text", mail.text or mail.subject)[:MAX_TEXT]
    sender = _sender_hash(mail, filing, playbook)
    known = filing.store.known(playbook.desk, idempotency, sender)
    if known.idempotency is not None and known.idempotency.body not in ("", idempotency.body):
        other, idempotency = (
            known.idempotency,
            replace(idempotency, id=f"{idempotency.id}\0{idempotency.body}"),
        )
        known = filing.store.known(playbook.desk, idempotency, sender)
        if known.idempotency is None and not released:
            raise _repeated(other)
    if known.idempotency is not None:
        _link_again(known.idempotency.number, filing, playbook)
        return RoutedMail(known.idempotency.number, new=False)
    attachments, refused = inbox.keep(
        playbook.desk, raw_key, mail.attachments, playbook.files, infected=infected
    )
    came = Tracking(
        raw=raw_key,
        attachments=attachments,
        refused=refused,
        unproven=not believed,
        hiding=hiding,
    )
    joined = _thread(mail, filing, playbook, believed=believed)
    last = merge_target(filing.store, joined) if joined else None
    if joined and last and (joined.erased or last.erased):
        # Nobody could be answered there, and a link would say again who the customer was (B10).
        joined = last = None
    if joined is not None and last is not None and not _is_over(last, filing, playbook):
        command = CustomerMessage(
            text=text,
            channel="mail",
            raw=came.raw,
            attachments=came.attachments,
            refused=came.refused,
            unproven=came.unproven,
            by_another=_another(mail, sender, joined, playbook),
        )
        try:
            after = change(
                filing.store,
                joined.desk,
                joined.number,
                command,
                playbook,
                filing.now,
                actor="customer",
                idempotency=replace(idempotency, number=joined.number),
                original=original(hiding, filing.seal_original),
            )
        except Duplicate:
            return RoutedMail(joined.number, new=False)
        except ActionNotAllowed as refused:
            # A ticket that takes no messages any more; the request gets one of its own. That is not
            # linked to one that was erased at this moment.
            last = None if isinstance(refused, Forgotten) else last
        else:
            return RoutedMail(after.number, new=False)
    former = last.number if last else None
    came = replace(came, linked_to=former)
    filed = _file(mail, came, text, idempotency, known, filing, playbook)
    if former is not None:
        _link(former, filed.number, filing, playbook)
    return filed


def _another(
    mail: InboundMail, sender: str | None, ticket: Ticket, playbook: Playbook
) -> str | None:
    """Who wrote, as it may be shown, where it was not the customer: None for the customer."""
    if sender == ticket.customer.hash:
        return None
    return mask_contact(mail.from_address, playbook.fields.contact_style) or "-"


def _idempotency(mail: InboundMail, digest: str, playbook: Playbook) -> IdempotencyRecord:
    """How this mail is recognised when it comes again: by its id, while it says the same.

    Servers add headers on the way, so only what was written tells one mail from another.
    """
    written = sha256("\0".join((mail.from_address, mail.subject, mail.full_text)).encode())
    for file in mail.attachments:
        written.update(sha256(file.content).digest())
    return IdempotencyRecord(
        playbook.desk, "mail", mail.message_id or digest, body=written.hexdigest()
    )


def _is_own(mail: InboundMail, filing: Filing, playbook: Playbook) -> bool:
    """Whether the desk itself sent this mail, whoever an alias or a forwarding says it is from."""
    local, _, domain = mail.from_address.rpartition("@")
    if f"{local.partition('+')[0]}@{domain}" == playbook.mail.address.lower():
        return True
    made = (ticket_of_message_id(filing.root, each) for each in (mail.message_id, mail.own_id))
    return any(found is not None and found[0] == playbook.desk for found in made)


def _automatic(
    mail: InboundMail,
    filing: Filing,
    playbook: Playbook,
    idempotency: IdempotencyRecord,
    *,
    believed: bool,
) -> RoutedMail:
    """Automatic mail opens no ticket and gets no answer; the ticket it is about shows it."""
    if mail.origin in {"bounce", "complaint"}:
        returned = bounces.by_mail(mail)
        ticket = bounces.ticket_of(returned.ids, filing, playbook.desk)
        if ticket is not None:
            bounces.take_back(returned, ticket, filing, playbook, idempotency)
            return RoutedMail(ticket.number, new=False)
    ticket = _thread(mail, filing, playbook, believed=believed)
    if ticket is None:
        raise Quarantined(f"{mail.origin}: automatic mail opens no ticket")
    # Its words too: some who are taken for a machine are people, and a machine may say who is.
    said = mask(f"{mail.subject}\n{mail.text}".strip())
    note = Note(text=f"{mail.origin}: {said}"[:MAX_TEXT])
    once = replace(idempotency, number=ticket.number)
    try:
        change(
            filing.store,
            ticket.desk,
            ticket.number,
            note,
            playbook,
            filing.now,
            actor="system",
            idempotency=once,
        )
    except Duplicate as duplicate:
        found = duplicate.found
        if found is not None and found.body not in ("", idempotency.body):
            raise _repeated(found) from duplicate
    except ActionNotAllowed as error:
        raise Quarantined(f"{mail.origin}: {ticket.number} cannot show it: {error}") from error
    return RoutedMail(ticket.number, new=False)


def _repeated(other: IdempotencyRecord) -> Quarantined:
    return Quarantined(f"repeated id: {other.number} came under this Message-ID, and differs")


def _link(former: str, number: str, filing: Filing, playbook: Playbook) -> None:
    """Tell an ended ticket where its conversation goes on."""
    link = Link(number=number)
    change(filing.store, playbook.desk, former, link, playbook, filing.now, actor="system")


def _link_again(number: str, filing: Filing, playbook: Playbook) -> None:
    """What the run before may not have come to; done before, it changes nothing."""
    ticket = _load(filing, playbook.desk, number)
    for former in ticket.related if ticket else ():
        _link(former, number, filing, playbook)


def _file(
    mail: InboundMail,
    came: Tracking,
    text: str,
    idempotency: IdempotencyRecord,
    known: Known,
    filing: Filing,
    playbook: Playbook,
) -> RoutedMail:
    hiding, longest = came.hiding or Hiding(), playbook.fields.description_max
    whole = hiding.mask("description", _whole(mail, playbook))
    tracking = replace(
        came,
        subject=mail.subject or None,
        text=text if len(whole) > longest else None,
        message_id=mail.message_id or None,
    )
    request = NewTicket(
        contact=mail.from_address or "-",
        name=mail.from_name[:200] or None,
        description=whole[:longest],
    )
    try:
        filed = file_ticket(
            replace(filing, default_channel="mail", tracking=tracking),
            playbook,
            request,
            idempotency,
            "customer",
            known,
        )
    except InvalidInput as error:
        problems = "; ".join(f"{e.field}: {e.message}" for e in error.errors)
        if not mail.from_address:
            problems = "it names no sender"
        raise Quarantined(f"nobody to answer: {problems}") from error
    return RoutedMail(filed.number, new=True)


def _whole(mail: InboundMail, playbook: Playbook) -> str:
    """Subject and text, of which a description shows the beginning."""
    parts = [part.strip() for part in (mail.subject, mail.text) if part.strip()]
    return "\n".join(parts) or EMPTY[playbook.locale]


def _thread(
    mail: InboundMail, filing: Filing, playbook: Playbook, *, believed: bool
) -> Ticket | None:
    """The ticket of this desk that a mail answers.

    A reference that Deskbell made itself proves where the mail belongs; so does an address that it
    gave out for answers. A reference to a mail that came in before, or a number in the subject,
    proves nothing: it counts only from the address that the ticket belongs to, and not where that
    address may be forged (G3).
    """
    for reference in (mail.in_reply_to, *reversed(mail.references)):
        found = ticket_of_message_id(filing.root, reference) if reference else None
        if found is not None and found[0] == playbook.desk:
            return _load(filing, *found)
    for number in _addressed(mail, filing, playbook):
        ticket = _load(filing, playbook.desk, number)
        if ticket is not None:
            return ticket
    sender = _sender_hash(mail, filing, playbook) if believed else None
    if sender is None:
        return None
    for number in (*_answered(mail, filing, playbook), *_numbers(mail.subject)):
        ticket = _load(filing, playbook.desk, number)
        if ticket is not None and ticket.customer.hash == sender:
            return ticket
    return None


def _addressed(mail: InboundMail, filing: Filing, playbook: Playbook) -> Iterator[str]:
    """The numbers that the addresses of a mail prove (`support+<token>@…`), most often one."""
    home, _, domain = playbook.mail.address.lower().rpartition("@")
    for address in mail.to:
        local, _, at = address.lower().rpartition("@")
        name, _, token = local.partition("+")
        if (name, at) == (home, domain) and token:
            yield from numbers_of_token(filing.root, playbook.desk, token)


def _is_over(ticket: Ticket, filing: Filing, playbook: Playbook) -> bool:
    """Whether what follows is a request of its own: by the playbook, or after so long a time."""
    if ticket.status in bounces.ENDED and playbook.closed_reply == "linked":
        return True
    ended = ticket.archived_at or ticket.resolved_at
    return ended is not None and filing.now - ended > playbook.reopen_within


def _answered(mail: InboundMail, filing: Filing, playbook: Playbook) -> tuple[str, ...]:
    """The ticket of the earlier mail that this one refers to, where one came in under that id."""
    ids = dict.fromkeys(filter(None, (mail.in_reply_to, *reversed(mail.references))))
    markers = [IdempotencyRecord(playbook.desk, "mail", each) for each in list(ids)[:_REFERENCES]]
    found = filing.store.first_seen(markers) if markers else None
    return (found.number,) if found else ()


def _numbers(subject: str) -> Iterator[str]:
    candidates = [word for word in _NUMBER.findall(subject) if any(c.isdigit() for c in word)]
    yield from dict.fromkeys(candidates[:_CANDIDATES])


def _load(filing: Filing, desk: str, number: str) -> Ticket | None:
    try:
        return filing.store.load(desk, number)
    except NotFound:
        return None


def _sender_hash(mail: InboundMail, filing: Filing, playbook: Playbook) -> str | None:
    try:
        contact = normalise_contact(mail.from_address)
    except ValueError:
        return None
    return contact_hash(contact, playbook.desk, derive(filing.root, "contact"))


def digest_of(raw: bytes) -> str:
    """What tells a mail without a Message-ID from another."""
    return sha256(raw).hexdigest()
