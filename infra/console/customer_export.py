"""Everything that is stored about one customer, as one JSON document for the customer (B10).

GDPR articles 15 and 20, PIPL article 45. `PersonalData` lists the kinds of items; an erasure covers
the same ones. Texts are stored masked. With a reason, each original and contact is opened as an
agent opens it: an act on the ticket's record first, then the function `unseal`, which checks it.
What somebody else wrote on the customer's ticket stays masked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from functions.administration.retention import Archive, parse_contact
from functions.core.domain import commands as c, events as e
from functions.core.domain.chat import Chat
from functions.core.domain.customers import CustomerRecord
from functions.core.domain.erasure import files_of
from functions.core.domain.errors import ActionNotAllowed, InvalidInput
from functions.core.domain.personal_data import COPIES, PersonalData
from functions.core.domain.record import record
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.services.contacts import contact_digest
from functions.core.services.trail import Trail
from functions.core.storage.chats import chat_of
from functions.core.storage.drafts import PREFIX as DRAFT, agent_of_key
from functions.core.storage.journal import KEPT_FOR
from functions.core.text.masking import mask
from functions.core.text.tables import read_table

SCHEMA = "deskbell/customer/1"
"""The version of the document; keys are only ever added under one version."""

_DAY = timedelta(days=1)

Unseal = Callable[[str, str, int, str], dict[str, str]]
"""Opens what a recorded act names: desk, number, version of the act, actor → texts by field."""


@dataclass(frozen=True)
class Exporting:
    """An export: the stores, who exports, and how originals are opened.

    Attributes:
        reason: why originals are opened; "" leaves all texts masked.
        clock: returns the present time, aware.
    """

    records: Archive
    trail: Trail
    unseal: Unseal
    clock: Callable[[], datetime]
    reason: str = ""


@dataclass
class _Person:
    """The customer, found by a contact or one of the tickets, and what was opened of the tickets.

    `opened` has the texts by ticket, version and field; version 0 is the contact.
    """

    exporting: Exporting
    desk: str
    playbook: Playbook
    hashes: tuple[str, ...]
    numbers: tuple[str, ...]
    joined: CustomerRecord | None
    opened: dict[str, dict[int, dict[str, str]]] = field(default_factory=dict)

    @property
    def records(self) -> Archive:
        return self.exporting.records

    @cached_property
    def tickets(self) -> list[Ticket]:
        return [self.records.storage.tickets.load(self.desk, number) for number in self.numbers]

    @cached_property
    def histories(self) -> dict[str, list[e.Commit]]:
        load = self.records.storage.tickets.history
        return {t.number: load(self.desk, t.number, t.version) for t in self.tickets}

    @cached_property
    def chats(self) -> list[Chat]:
        get = self.records.storage.chats.get
        found = (get(self.desk, each) for each in sorted(self.chat_ids))
        return [chat for chat in found if chat is not None]

    @cached_property
    def chat_ids(self) -> set[str]:
        """The chats with a provider's contact, and those that became tickets."""
        received = (event for _, event in self.events(e.TicketReceived))
        became = {event.chat.id for event in received if event.chat is not None}
        return became | {chat_of(each) for each in self.hashes if each}

    def events(self, kind: type[e.Event]) -> Iterator[tuple[e.Commit, Any]]:
        for commits in self.histories.values():
            for commit in commits:
                yield from ((commit, event) for event in commit.of(kind))


def export(exporting: Exporting, desk: str, who: str) -> dict[str, Any]:
    """Return what is stored about the customer with a contact, or of a ticket.

    The act is recorded first, with the numbers of the tickets.

    Raises:
        NotFound: there is no such desk.
        InvalidInput: `who` is neither a ticket's number nor a contact.
    """
    person = _found(exporting, desk, who)
    target = who if who in person.numbers else "contact"
    acted = {"tickets": list(person.numbers), "originals": bool(exporting.reason)}
    exporting.trail.record("customer.export", desk, target, after=acted)
    if exporting.reason:
        for number in person.numbers:
            person.opened[number] = _opened(person, number)
    held = {kind: collect(person) for kind, collect in COLLECTORS.items() if kind not in COPIES}
    kinds = read_table("personal_data")
    return {
        "schema": SCHEMA,
        "desk": desk,
        "made_at": exporting.clock().isoformat(),
        "keys": {
            **{kind.value: kinds[kind.value] for kind in held},
            **read_table("personal_data_derived"),
        },
        **{kind.value: items for kind, items in held.items()},
        **_derived(person),
        "copies": {kind.value: kinds[kind.value] for kind in PersonalData if kind in COPIES},
    }


def written(document: Mapping[str, Any]) -> bytes:
    """Encode the document for a reader: UTF-8, indented, keys in their order."""
    return json.dumps(document, ensure_ascii=False, indent=2, default=str).encode() + b"\n"


def _found(exporting: Exporting, desk: str, who: str) -> _Person:
    storage = exporting.records.storage
    playbook = storage.playbooks.get(desk, exporting.clock())
    ticket = storage.tickets.find(desk, who)
    if ticket is not None:
        digest = ticket.customer.hash
    else:
        try:
            contact = parse_contact(who)
        except ValueError as error:
            raise InvalidInput(f"'{who}' is no ticket of {desk} and no contact: {error}") from None
        digest = contact_digest(contact, desk, exporting.records.root())
    joined = storage.customers.of(desk, digest, consistent=True)
    hashes = joined.contacts if joined else (digest,)
    numbers = {number for each in hashes for number in storage.contacts.tickets(desk, each)}
    numbers |= {who} if ticket is not None else set()
    return _Person(exporting, desk, playbook, hashes, tuple(sorted(numbers)), joined)


def _opened(person: _Person, number: str) -> dict[int, dict[str, str]]:
    """Open a ticket's contact and originals, each against an act of its own."""
    storage, desk = person.records.storage, person.desk
    reason, found = mask(person.exporting.reason), {}
    ticket = storage.tickets.load(desk, number)
    acts: dict[int, c.TicketCommand] = {}
    if ticket.customer.kind != "message" and not ticket.erased:
        acts[0] = c.OpenContact(reason)
    for commit in storage.tickets.history(desk, number):
        others = any(
            getattr(x, n, False) for x in commit.events for n in ("stranger", "by_another")
        )
        sealed = storage.tickets.original(desk, number, commit.version)
        if sealed is not None and sealed.pieces and not others:
            acts[commit.version] = c.OpenOriginal(commit.version, reason)
    for version, act in acts.items():
        actor, now = person.exporting.trail.actor, person.exporting.clock()
        try:
            after = change(storage, desk, number, act, person.playbook, now, actor=actor)
            found[version] = person.exporting.unseal(desk, number, after.version, actor)
        except ActionNotAllowed:
            continue  # its status does not allow it, or it was erased meanwhile
    return found


def _customer(person: _Person) -> dict[str, Any] | None:
    return person.joined.model_dump(mode="json") if person.joined else None


def _contacts(person: _Person) -> list[dict[str, Any]]:
    contacts = person.records.storage.contacts
    entries = []
    for digest in person.hashes:
        known = contacts.known(person.desk, None, digest)
        mine = [ticket for ticket in person.tickets if ticket.customer.hash == digest]
        shown = {ticket.customer.contact for ticket in mine}
        opened = (person.opened.get(ticket.number, {}).get(0, {}) for ticket in mine)
        entries.append(
            {
                "contact": sorted({texts["contact"] for texts in opened if texts} or shown),
                "class": known.customer_class,
                "undeliverable": known.undeliverable,
                "tickets": [ticket.number for ticket in mine],
            }
        )
    return entries


def _tickets(person: _Person) -> list[dict[str, Any]]:
    storage = person.records.storage
    return [
        record(
            ticket,
            person.histories[ticket.number],
            storage.deliveries.list(person.desk, ticket.number),
            storage.playbooks.version(person.desk),
            person.playbook.records.pattern,
        )
        | {"originals": {n: t for n, t in person.opened.get(ticket.number, {}).items() if n}}
        for ticket in person.tickets
    ]


def _files(person: _Person) -> list[dict[str, Any]]:
    found = []
    for number, commits in person.histories.items():
        for commit in commits:
            files = [file for x in commit.events for file in getattr(x, "attachments", ())]
            of_key = {file.key: file.model_dump(mode="json") for file in files}
            found += [
                {"number": number, "at": commit.at.isoformat(), **of_key.get(key, {"key": key})}
                for key in sorted(files_of(commit))
            ]
    return found


def _phone_calls(person: _Person) -> list[dict[str, Any]]:
    """The calls, with what was said as agents read it, or as it was said if there is a reason."""
    calls, root = person.records.storage.calls, person.records.root()
    shown = (lambda text: text) if person.exporting.reason else mask
    return [
        {
            "at": call.begun_at,
            "answered_at": call.answered_at,
            "ended_at": call.ended_at,
            "state": call.state,
            "number": call.number,
            "said": [f"{part.speaker}: {shown(part.text)}" for part in call.parts],
        }
        for digest in person.hashes
        for call in calls.of_contact(person.desk, digest, root)
    ]


def _chats(person: _Person) -> list[dict[str, Any]]:
    """The chats; the keys of their devices, and what only these can open, are nobody's data."""
    secret: Any = {
        "token": True, "public_key": True, "sealed": True, "keys": True, "unsent": True,
        "verification": True, "messages": {"__all__": {"sealed"}},
    }  # fmt: skip
    return [chat.model_dump(mode="json", exclude=secret) for chat in person.chats]


def _questions(person: _Person) -> list[dict[str, Any]]:
    now = person.exporting.clock()
    entries = person.records.storage.questions.entries(person.desk, now - KEPT_FOR, now + _DAY)
    return [
        arrived.entry.model_dump(mode="json", exclude_defaults=True)
        for arrived in entries
        if arrived.entry.number in {*person.chat_ids, *person.numbers}
    ]


def _drafts(person: _Person) -> list[dict[str, Any]]:
    storage, root = person.records.storage, person.records.root()
    drafts = (
        storage.drafts.get(person.desk, number, agent_of_key(item["sk"]["S"]), root)
        for number in person.numbers
        for item in storage.tickets.items(person.desk, number)
        if item["sk"]["S"].startswith(DRAFT)
    )
    return [draft.model_dump(mode="json") for draft in drafts if draft and not draft.is_empty]


def _summaries(person: _Person) -> list[dict[str, Any]]:
    summaries = person.records.storage.model_summaries
    found = ((number, summaries.get(person.desk, number)) for number in person.numbers)
    return [
        {"number": number, "at": summary.at, "text": summary.text, "model": summary.model}
        for number, summary in found
        if summary is not None
    ]


def _copied(_person: _Person) -> None:
    """Nothing: the tickets and chats say it already."""


COLLECTORS: Mapping[PersonalData, Callable[[_Person], Any]] = {
    PersonalData.CUSTOMER: _customer,
    PersonalData.CONTACTS: _contacts,
    PersonalData.TICKETS: _tickets,
    PersonalData.FILES: _files,
    PersonalData.PHONE_CALLS: _phone_calls,
    PersonalData.CHATS: _chats,
    PersonalData.QUESTIONS: _questions,
    PersonalData.DRAFTS: _drafts,
    PersonalData.SUMMARIES: _summaries,
    **dict.fromkeys(COPIES, _copied),
}


def _derived(person: _Person) -> dict[str, Any]:
    """Gather from the tickets what a reader looks for, and the acts about them."""

    def entry(commit: e.Commit, **fields: Any) -> dict[str, Any]:
        return {"number": commit.number, "at": commit.at, "by": commit.actor, **fields}

    return {
        "consents": [
            entry(commit, privacy_version=event.privacy_version)
            for commit, event in person.events(e.TicketReceived)
            if event.privacy_version
        ]
        + [
            {"chat": chat.id, "at": chat.started_at, "privacy_version": chat.privacy_version}
            for chat in person.chats
            if chat.privacy_version
        ],
        "surveys": [entry(at, **_said(event)) for at, event in person.events(e.SurveyAnswered)],
        "calls": [entry(at, **_said(event)) for at, event in person.events(e.CallRecorded)],
        "classes": [entry(at, **_said(event)) for at, event in person.events(e.CustomerClassed)],
        "opened": [
            entry(commit, what=what, reason=event.reason, message=getattr(event, "message", None))
            for kind, what in ((e.OriginalOpened, "original"), (e.ContactOpened, "contact"))
            for commit, event in person.events(kind)
        ],
        "audit": _audit(person),
    }


def _said(event: e.Event) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude={"event"})


def _audit(person: _Person) -> list[dict[str, Any]]:
    """The acts on the tickets, and the exports of this customer, oldest first."""
    now = person.exporting.clock()
    since = min((ticket.received_at for ticket in person.tickets), default=now - _DAY)
    numbers = set(person.numbers)
    return [
        act.model_dump(mode="json", include={"at", "actor", "act", "target", "after"})
        for act in person.records.storage.audit.list(since, now + _DAY, person.desk)
        if act.target in numbers or not numbers.isdisjoint(act.after.get("tickets", ()))
    ]
