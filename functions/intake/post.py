"""A mail's way from the bucket to its ticket. Imported with the first mail, not at start."""

from __future__ import annotations

from functions.core import aws
from functions.core.errors import SetAside
from functions.core.filing import Filing
from functions.core.logs import logger
from functions.core.settings import Place
from functions.intake import gate
from functions.intake.inbox import Announced, Inbox, announced, released_call
from functions.intake.letters import Outcome, digest_of, take_in
from functions.intake.mail import parse

log = logger("intake")


def take_in_announced(body: str, place: Place, filing: Filing) -> None:
    """File a mail that SES stored, at each desk whose mailbox it was sent to.

    Raises:
        Park: the announcement or the mail cannot be found.
    """
    inbox = Inbox(aws.client("s3"), place.mail_bucket)
    if call := released_call(body):
        from functions.intake.chat import take_again

        take_again(call, place, filing)
        return
    found = announced(body)
    raw = inbox.raw(found.key)
    desks = dict.fromkeys(filter(None, map(filing.store.desk_of_mailbox, found.recipients)))
    if not desks:
        cause = "unknown recipient: no desk has a mailbox that this mail was sent to"
        inbox.set_aside(raw, found.key, "-", cause, found.verdicts)
    for desk in desks:
        _take_in(raw, found, desk, filing, inbox)


def take_in_raw(raw: bytes, desk: str, place: Place, filing: Filing) -> Outcome | None:
    """File a raw mail that a provider posted for a desk; None where it is set aside."""
    inbox = Inbox(aws.client("s3"), place.mail_bucket)
    checks = filing.store.playbook(desk, filing.now).mail.checks
    found = Announced(inbox.store(raw), (), gate.of_header(raw, checks.results_of))
    return _take_in(raw, found, desk, filing, inbox)


def _take_in(
    raw: bytes, found: Announced, desk: str, filing: Filing, inbox: Inbox
) -> Outcome | None:
    playbook = filing.store.playbook(desk, filing.now)
    try:
        believed = gate.believed(
            found.verdicts,
            playbook.mail.checks,
            released=found.released,
            even_infected=found.even_infected,
        )
        mail = parse(raw)
        if not found.released:
            gate.within_limits(len(raw), mail.defects, playbook.mail.checks)
        return take_in(
            mail,
            found.key,
            digest_of(raw),
            filing,
            playbook,
            inbox,
            released=found.released,
            believed=believed,
            infected=gate.infected(found.verdicts),
        )
    except SetAside as error:
        inbox.set_aside(raw, found.key, desk, str(error), found.verdicts)
        log.info("mail.set_aside", extra={"desk": desk, "cause": str(error)})
        return None
