"""Administrative acts: what an entry of the audit says, and which acts there are.

An entry names who did what to which part of a desk, when, and what it was before and after. It
holds no secret, no contact, no text about a customer and no reason: reasons are free text, and stay
where an erasure finds them, in the ticket's history or with the discarded entry. Only the export
of a desk, which is about no one customer, has its reason here, masked.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import field_validator

from functions.core.domain import events as e
from functions.core.domain.privacy import TermName
from functions.core.domain.ticket import Ticket, Value

RETENTION = timedelta(days=3653)
"""The time for which an entry is kept: as long as the longest retention of an archive."""

STAGE = "-"
"""The desk of an act that concerns the whole stage."""

ACTS: Mapping[str, str] = {
    "call.open-recording": "opened the recording of a phone call",
    "channel.remove": "disconnected a chat channel",
    "channel.set": "set or rotated the secret of a chat channel",
    "customer.export": "exported what is stored about a customer",
    "deploy": "deployed the stage",
    "export.desk": "exported a desk's tickets, with `contacts` or masked",
    "import": "brought tickets of another help desk, or of a desk's export, in",
    "knowledge.apply": "changed an article of a desk's knowledge base by the console",
    "person.add": "let a person in, or in again after a removal",
    "person.change": "changed a person's roles, team, capacity, skills, shift or name",
    "person.remove": "ended a person's access to a desk",
    "person.reset": "set a person's password or removed an authenticator",
    "playbook.apply": "replaced a desk's playbook",
    "quarantine.discard": "discarded a dead letter or a quarantined mail",
    "quarantine.replay": "replayed a dead letter or released a quarantined mail",
    "quarantine.show": "opened a dead letter or a quarantined mail",
    "sms.remove": "removed the secret of a provider of text messages",
    "sms.set": "set or rotated the secret of a provider of text messages",
    "smoke": "ran the smoke test",
    "ticket.erase": "erased a customer's personal data",
    "ticket.export": "exported a ticket's record",
    "ticket.hold": "set a legal hold",
    "ticket.open-contact": "opened a customer's contact in order to call",
    "ticket.open-original": "opened the original of a masked text",
    "ticket.release": "ended a legal hold",
    "webhooks.replay": "sent webhook messages again",
    "webhooks.rotate": "rotated the secret of a webhook",
    "webhooks.secret": "read the secrets of a webhook",
    "webhooks.send-test": "sent a test message to a webhook",
}
"""Act → its meaning. A command of the console is named as on the command line, `group.command`; an
action of the agents' API `ticket.<action>`. Every command and every action is here or declared
not to be administrative (`tests/infra/unrecorded.py`)."""

AUDITED = (e.HoldSet, e.PersonErased, e.OriginalOpened, e.ContactOpened)
"""The events that are administrative acts, whoever commits them."""


class AuditEntry(Value):
    """One administrative act; `desk` is `STAGE` if it concerns no single desk."""

    at: datetime
    actor: TermName
    act: TermName
    desk: TermName
    target: TermName
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}

    @field_validator("act")
    @classmethod
    def _is_declared(cls, act: str) -> str:
        if act not in ACTS:
            raise ValueError(f"{act} is not declared in ACTS")
        return act


def entries_of(commit: e.Commit, before: Ticket | None) -> Iterator[AuditEntry]:
    """The entries that belong to a commit of a ticket and are written with it."""
    for event in commit.events:
        act: str
        was: dict[str, Any] = {}
        if isinstance(event, e.HoldSet):
            act = "ticket.hold" if event.held else "ticket.release"
            was = {"held": before is not None and before.held}
            now: dict[str, Any] = {"held": event.held}
        elif isinstance(event, e.PersonErased):
            act, now = "ticket.erase", {"erased": True}
        elif isinstance(event, e.OriginalOpened):
            act, now = "ticket.open-original", {"message": event.message}
        elif isinstance(event, e.ContactOpened):
            act, now = "ticket.open-contact", {}
        else:
            continue
        yield AuditEntry(
            at=commit.at,
            actor=commit.actor,
            act=act,
            desk=commit.desk,
            target=commit.number,
            before=was,
            after={**now, "version": commit.version},
        )
