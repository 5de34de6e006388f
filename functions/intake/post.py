"""A mail's way from the bucket to its ticket. Imported with the first mail, not at start."""

from __future__ import annotations

from functions.core import aws
from functions.core.errors import SetAside
from functions.core.filing import Filing
from functions.core.logs import logger
from functions.core.settings import Place
from functions.intake.inbox import Inbox, announced
from functions.intake.letters import Outcome, digest_of, take_in
from functions.intake.mail import parse

log = logger("intake")


def take_in_announced(body: str, place: Place, filing: Filing) -> None:
    """File a mail that SES stored, at each desk whose mailbox it was sent to.

    Raises:
        Park: the announcement or the mail cannot be found.
    """
    inbox = Inbox(aws.client("s3"), place.mail_bucket)
    found = announced(body)
    raw = inbox.raw(found.key)
    desks = dict.fromkeys(filter(None, map(filing.store.desk_of_mailbox, found.recipients)))
    if not desks:
        inbox.set_aside(raw, found.key, "-", "no desk has a mailbox that this mail was sent to")
    for desk in desks:
        playbook = filing.store.playbook(desk, filing.now)
        try:
            take_in(
                parse(raw),
                found.key,
                digest_of(raw),
                filing,
                playbook,
                inbox,
                released=found.released,
            )
        except SetAside as error:
            inbox.set_aside(raw, found.key, desk, str(error))
            log.info("mail.set_aside", extra={"desk": desk, "cause": str(error)})


def take_in_raw(raw: bytes, desk: str, place: Place, filing: Filing) -> Outcome | None:
    """File a raw mail that a provider posted for a desk; None where it is set aside."""
    inbox = Inbox(aws.client("s3"), place.mail_bucket)
    playbook = filing.store.playbook(desk, filing.now)
    key = inbox.store(raw)
    try:
        return take_in(parse(raw), key, digest_of(raw), filing, playbook, inbox)
    except SetAside as error:
        inbox.set_aside(raw, key, desk, str(error))
        return None
