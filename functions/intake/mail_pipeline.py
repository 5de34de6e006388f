"""A mail's way from the bucket to its ticket. Imported with the first mail, not at start."""

from __future__ import annotations

from dataclasses import replace

from functions.core.domain.errors import Quarantined
from functions.core.platform import aws
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.services.create_ticket import Filing
from functions.core.storage.store import IdempotencyRecord
from functions.intake import bounces, mail_policy
from functions.intake.mail.parser import InboundMail, parse
from functions.intake.mail_routing import RoutedMail, digest_of, take_in
from functions.intake.mail_store import Announced, Inbox, announced, released_call

log = logger("intake")


def take_in_announced(body: str, deployment: Deployment, filing: Filing) -> None:
    """File a mail that SES stored, at each desk whose mailbox it was sent to.

    Raises:
        DeadLetter: the announcement or the mail cannot be found.
    """
    inbox = Inbox(aws.client("s3"), deployment.mail_bucket)
    if call := released_call(body):
        from functions.intake.chat import take_again

        take_again(call, deployment, filing)
        return
    returned = bounces.told_by_ses(body)
    if returned is not None:
        _take_back(returned, body, filing, inbox)
        return
    found = announced(body)
    if found.raw is not None:
        raw, found = found.raw, replace(found, key=inbox.store(found.raw))
    else:
        raw = inbox.raw(found.key)
    desks = dict.fromkeys(filter(None, map(filing.store.desk_of_mailbox, found.recipients)))
    if not desks:
        cause = "unknown recipient: no desk has a mailbox that this mail was sent to"
        inbox.set_aside(raw, found.key, "-", cause, found.verdicts)
    for desk in desks:
        _take_in(raw, found, desk, filing, inbox)


def _addressed(mail: InboundMail, recipients: tuple[str, ...]) -> InboundMail:
    """The mail with the envelope's recipients, which its headers need not name."""
    return replace(mail, to=tuple(dict.fromkeys((*recipients, *mail.to))))


def _take_back(told: bounces.ReturnedMail | str, body: str, filing: Filing, inbox: Inbox) -> None:
    """What SES tells of a mail that went out: for its ticket, else for its address."""
    if isinstance(told, str):
        log.info("mail.not_asked_for", extra={"notification": told})
        return
    ticket = bounces.ticket_of(told.ids, filing)
    desk = ticket.desk if ticket else filing.store.desk_of_mailbox(told.mailbox)
    if desk is not None:
        playbook = filing.store.playbook(desk, filing.now)
        if ticket is not None:
            idempotency = IdempotencyRecord(desk, "ses", told.told_as) if told.told_as else None
            bounces.take_back(told, ticket, filing, playbook, idempotency)
            return
        if bounces.stop_address(told, filing, playbook):
            return
    key = f"returned/{digest_of(body.encode())}"
    inbox.set_aside(body.encode(), key, desk or "-", f"{told.cause}: of no ticket's mail")
    log.info("mail.set_aside", extra={"desk": desk or "-", "cause": told.cause})


def take_in_raw(raw: bytes, desk: str, deployment: Deployment, filing: Filing) -> RoutedMail | None:
    """File a raw mail that a provider posted for a desk; None where it is set aside."""
    inbox = Inbox(aws.client("s3"), deployment.mail_bucket)
    checks = filing.store.playbook(desk, filing.now).mail.checks
    found = Announced(inbox.store(raw), (), mail_policy.of_header(raw, checks.results_of))
    return _take_in(raw, found, desk, filing, inbox)


def _take_in(
    raw: bytes, found: Announced, desk: str, filing: Filing, inbox: Inbox
) -> RoutedMail | None:
    playbook = filing.store.playbook(desk, filing.now)
    try:
        believed = mail_policy.believed(
            found.verdicts,
            playbook.mail.checks,
            released=found.released,
            even_infected=found.even_infected,
        )
        mail = _addressed(parse(raw), found.recipients)
        if not found.released:
            mail_policy.within_limits(len(raw), mail.defects, playbook.mail.checks)
        return take_in(
            mail,
            found.key,
            digest_of(raw),
            filing,
            playbook,
            inbox,
            released=found.released,
            believed=believed,
            infected=mail_policy.infected(found.verdicts),
        )
    except Quarantined as error:
        inbox.set_aside(raw, found.key, desk, str(error), found.verdicts)
        log.info("mail.set_aside", extra={"desk": desk, "cause": str(error)})
        return None
