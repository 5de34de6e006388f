"""Hold tickets' records and erase customers' personal data (B10).

Both commit to the ticket first, so that its history shows who did it, when and why. Both are
idempotent: a second run completes an interrupted one.

An erasure covers every kind of `PersonalData`, which the functions here declare with `_erases`; a
customer's export covers the same. These are the items in the table, agents' drafts and phone calls
among them, the mails and files in the mail bucket, what search finds a ticket by, its facts, and
the document in the archive, each with all its versions. It does not cover mails already delivered,
nor data that expires by itself: the table's stream (24 hours) and point-in-time backups (35 days),
the dead-letter queues (14 days), and the idempotency records, which hold only digests (400 days).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from functions.core.channels.base import names
from functions.core.domain import commands as c
from functions.core.domain.erasure import files_of, without_person, without_words
from functions.core.domain.errors import ActionNotAllowed, Phrase, TryAgain
from functions.core.domain.events import PhoneCallAttached, TicketReceived
from functions.core.domain.personal_data import PersonalData
from functions.core.domain.record import archive_key
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.reports.facts import facts_of
from functions.core.services.archiving import (
    HOLD_TAG,
    ArchiveBuckets,
    files_to_keep,
    write_document,
)
from functions.core.services.command_service import change
from functions.core.services.indexing import SearchIndex
from functions.core.services.merging import merge_group, past_merge_targets, same_person
from functions.core.storage.chats import chat_of
from functions.core.storage.database import Storage
from functions.core.storage.event_codec import dump_events
from functions.core.storage.facts import FOLDER as FACTS, FactStore
from functions.core.storage.files import UPLOADS
from functions.core.storage.items import delivery_body, read_commit, read_delivery
from functions.core.storage.reports import StoredReports
from functions.core.storage.segments import FOLDER, Segments
from functions.core.storage.table import Item
from functions.core.text.contacts import Contact, chat_contact, contact_hash, normalise_contact
from functions.core.text.masking import mask
from functions.core.text.tokens import derive

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_Function = TypeVar("_Function", bound=Callable[..., Any])

ERASED: set[PersonalData] = set()
"""The kinds of items that a function of this module erases."""

_PASSES = 10
_IN_FLIGHT = timedelta(minutes=2)
"""The time after its claim in which the sending function may still write a delivery's text."""


def _erases(*kinds: PersonalData) -> Callable[[_Function], _Function]:
    """Declare which kinds of items a function erases."""

    def declared(function: _Function) -> _Function:
        ERASED.update(kinds)
        return function

    return declared


@dataclass(frozen=True)
class Archive:
    """The stores of a stage's records; `root` reads the deployment's root key."""

    storage: Storage
    s3: S3Client
    mail_bucket: str
    archive_bucket: str
    root: Callable[[], bytes]

    @property
    def archive_buckets(self) -> ArchiveBuckets:
        return ArchiveBuckets(self.s3, self.archive_bucket, self.mail_bucket)


@dataclass(frozen=True)
class Erased:
    """The erased tickets, and those that were skipped because they are held."""

    numbers: tuple[str, ...]
    held: tuple[str, ...] = ()


def archive_of(deployment: Deployment, storage: Storage, s3: S3Client) -> Archive:
    """Return the stores of a deployment."""
    return Archive(
        storage=storage,
        s3=s3,
        mail_bucket=deployment.mail_bucket,
        archive_bucket=deployment.archive_bucket,
        root=lambda: aws.root_key(deployment),
    )


def hold(
    records: Archive,
    desk: str,
    number: str,
    *,
    held: bool,
    reason: str,
    actor: str,
    now: datetime,
) -> Ticket:
    """Hold a ticket's record beyond its retention period, or release it; return the ticket.

    Merged tickets form one record: all of them are held or released.

    Raises:
        NotFound: there is no such desk or ticket.
        TryAgain: the ticket was changed concurrently, or the table is throttled.
    """
    playbook = records.storage.playbooks.get(desk, now)
    command = c.Hold(held, mask(reason))
    changed = {}
    for part in merge_group(records.storage, records.storage.tickets.load(desk, number)):
        after = change(records.storage, desk, part.number, command, playbook, now, actor=actor)
        changed[part.number] = after
        for version in _archived(records, after, playbook):
            if not version.marker:
                _tag(records, version, held)
        for key in files_to_keep(records.storage.tickets.history(desk, part.number, after.version)):
            for version in _versions(records.s3, records.mail_bucket, key):
                _tag(records, version, held)
    return changed[number]


def erase(
    records: Archive,
    desk: str,
    *,
    number: str | None = None,
    contact: str | None = None,
    reason: str,
    actor: str,
    now: datetime,
) -> Erased:
    """Erase the customer's personal data from one ticket, or from every ticket of a contact.

    Args:
        number: one ticket; the same customer's tickets merged with it are erased too.
        contact: a phone number or address in any form that intake accepts. All contacts that were
            joined with it belong to the person; what is stored about them is deleted too. Held
            tickets are skipped.
        reason: shown in the tickets' history, masked.
        actor: who erases.

    Raises:
        ValueError: neither or both of `number` and `contact` are given, or `contact` is invalid.
        NotFound: there is no such desk or ticket.
        ActionNotAllowed: the ticket `number`, or a ticket merged with it, is held.
        TryAgain: a message is being sent, or the table is throttled: run it again in two minutes.
    """
    if (number is None) == (contact is None):
        raise ValueError("give the number of a ticket, or a contact")
    playbook = records.storage.playbooks.get(desk, now)
    erasure = _Erasure(records, desk, c.ErasePerson(mask(reason)), playbook, actor, now)
    if number is not None:
        return _erase_with_merged(erasure, number)
    digest = contact_hash(parse_contact(str(contact)), desk, derive(records.root(), "contact"))
    return _erase_customer(erasure, digest)


@dataclass(frozen=True)
class _Erasure:
    records: Archive
    desk: str
    command: c.ErasePerson
    playbook: Playbook
    actor: str
    now: datetime


def _erase_with_merged(erasure: _Erasure, number: str) -> Erased:
    storage, desk = erasure.records.storage, erasure.desk
    ticket = storage.tickets.load(desk, number)
    digest = ticket.customer.hash
    merged = merge_group(storage, ticket)
    _require_not_held(number, merged)
    numbers = [part.number for part in same_person(ticket, merged)]
    if set(storage.contacts.tickets(desk, digest)) <= set(numbers):
        storage.customers.leave(desk, digest)
        _forget(erasure, digest)  # first: an erased ticket no longer names its contact
    for ticket_number in numbers:
        _erase_ticket(erasure, ticket_number)
    return Erased(tuple(sorted(numbers)))


@_erases(PersonalData.CUSTOMER)
def _erase_customer(erasure: _Erasure, digest: str) -> Erased:
    """Erase every ticket of every contact of a customer, and the customer's record last."""
    storage, desk = erasure.records.storage, erasure.desk
    record = storage.customers.of(desk, digest, consistent=True)
    each = [
        _erase_contact(erasure, contact) for contact in (record.contacts if record else (digest,))
    ]
    erased = tuple(number for one in each for number in one.numbers)
    held = tuple(number for one in each for number in one.held)
    if record is not None and not held:
        for identity in record.identities:
            storage.contacts.forget(desk, identity.hash)
        storage.customers.forget(record)
    return Erased(erased, held)


@_erases(
    PersonalData.CONTACTS, PersonalData.PHONE_CALLS, PersonalData.CHATS, PersonalData.QUESTIONS
)
def _forget(erasure: _Erasure, digest: str) -> None:
    """Delete what is stored about a contact beside its tickets."""
    storage, desk = erasure.records.storage, erasure.desk
    storage.contacts.forget(desk, digest)
    storage.calls.erase_contact(desk, digest)
    storage.chats.delete(desk, chat_of(digest))
    storage.questions.delete(desk, chat_of(digest), erasure.now)
    _forget_questions(erasure.records, desk, chat_of(digest), erasure.now)


def _erase_contact(erasure: _Erasure, digest: str) -> Erased:
    """Erase every ticket of a contact, including those created in the meantime."""
    storage, desk = erasure.records.storage, erasure.desk
    erased: list[str] = []
    held: list[str] = []
    while remaining := [
        number
        for number in storage.contacts.begin_erasure(
            desk, digest, storage.contacts.tickets(desk, digest)
        )
        if number not in {*erased, *held}
    ]:
        for number in remaining:
            try:
                _erase_ticket(erasure, number)
                erased.append(number)
            except ActionNotAllowed:
                held.append(number)
    if not held:
        _forget(erasure, digest)
    storage.contacts.end_erasure(desk, digest)
    return Erased(tuple(erased), tuple(held))


def parse_contact(contact: str) -> Contact:
    """Parse an operator's input; on a chat channel it is `<channel>:<the provider's user id>`."""
    channel, _, user = contact.strip().partition(":")
    return chat_contact(channel, user) if channel in names() else normalise_contact(contact)


def _require_not_held(number: str, merged: list[Ticket]) -> None:
    """Refuse if any of the merged tickets is held: they share one record and one document."""
    held = [part.number for part in merged if part.held]
    if not held:
        return
    if number in held:
        raise ActionNotAllowed("The ticket's record is held; release it first.")
    raise ActionNotAllowed(
        Phrase(
            "{number} was merged with {held} into one record, and {held} is held: release {held} "
            "first.",
            number=number,
            held=held[0],
        )
    )


def _erase_ticket(erasure: _Erasure, number: str) -> None:
    """Erase one ticket; every step removes only data that the following steps do not need."""
    records, desk, playbook, now = erasure.records, erasure.desk, erasure.playbook, erasure.now
    storage = records.storage
    _require_not_held(number, merge_group(storage, storage.tickets.load(desk, number)))
    _delete_chat(records, desk, number, now)
    _delete_calls(storage, desk, number)
    _forget_questions(records, desk, number, now)
    ticket = change(storage, desk, number, erasure.command, playbook, now, actor=erasure.actor)
    items = _erase_items(records, desk, number, playbook, now)
    _rewrite_facts(records, number, items, playbook, now)
    merge_targets = past_merge_targets(storage, ticket)
    for target in merge_targets:  # the messages that it received through this ticket
        _erase_items(records, desk, target, playbook, now, via=number)
    _rewrite_segments(records, desk, (number, *merge_targets), now)
    for changed in (number, *merge_targets):
        after = storage.tickets.load(desk, changed)
        _erase_texts_about(storage, after, now)
        _rewrite_archive(records, after, playbook)
    deliveries = [read_delivery(item) for item in items if _is(item, "DELIVERY#")]
    written = {delivery.identity for delivery in deliveries}
    in_flight = (d for d in deliveries if d.state == "claimed" or not set(d.covers) <= written)
    if any(abs(now - delivery.claimed_at) < _IN_FLIGHT for delivery in in_flight):
        raise TryAgain(f"a message of {number} is being sent: run it again in two minutes")


@_erases(PersonalData.SUMMARIES, PersonalData.DRAFTS)
def _erase_texts_about(storage: Storage, ticket: Ticket, now: datetime) -> None:
    """Delete what a language model and agents wrote about a ticket."""
    storage.model_summaries.erase(ticket, now)
    storage.drafts.erase(ticket.desk, ticket.number)


@_erases(PersonalData.QUOTES)
def _forget_questions(records: Archive, desk: str, origin: str, now: datetime) -> None:
    """Remove what a chat or ticket asked from the proposals and reports that quote it."""
    records.storage.proposals.forget(desk, origin)
    years = records.storage.playbooks.get(desk, now).retention.years
    for name in StoredReports(records.s3, records.mail_bucket, years).forget(desk, origin):
        for version in _versions(records.s3, records.mail_bucket, name):
            if not version.latest:
                _delete(records.s3, version)


@_erases(PersonalData.CHATS, PersonalData.QUESTIONS)
def _delete_chat(records: Archive, desk: str, number: str, now: datetime) -> None:
    """Delete the chat that became the ticket, before the ticket's record forgets it."""
    storage = records.storage
    first = storage.tickets.commit_at(desk, number, 1)
    for received in first.of(TicketReceived) if first else ():
        if received.chat is not None:
            storage.chats.delete(desk, received.chat.id)
            storage.questions.delete(desk, received.chat.id, now)
            _forget_questions(records, desk, received.chat.id, now)


@_erases(PersonalData.PHONE_CALLS)
def _delete_calls(storage: Storage, desk: str, number: str) -> None:
    """Delete the phone calls that are attached to the ticket."""
    for commit in storage.tickets.history(desk, number):
        for attached in commit.of(PhoneCallAttached):
            storage.calls.erase(desk, attached.call)


@_erases(PersonalData.TICKETS, PersonalData.JOURNAL)
def _erase_items(
    records: Archive,
    desk: str,
    number: str,
    playbook: Playbook,
    now: datetime,
    via: str | None = None,
) -> list[Item]:
    """Erase a ticket's personal data, or only the part received `via` a merged ticket.

    Returns the ticket's items afterwards.
    """
    for _ in range(_PASSES):
        items = records.storage.tickets.items(desk, number, consistent=True)
        _delete_files(records, desk, number, items, via)
        versions = _versions_via(items, via)
        records.storage.journal.delete(desk, number, now, None if via is None else versions)
        bodies = [
            (item, body)
            for item in items
            if (body := _erased_body(item, playbook, via, versions)) is not None
        ]
        if not bodies:
            return items
        for item, body in bodies:  # an item that changed meanwhile is read again
            records.storage.tickets.rewrite(item, body)
    raise TryAgain(f"{number} is being changed all the time: run it again in a minute")


def _versions_via(items: list[Item], via: str | None) -> set[int]:
    if via is None:
        return set()
    commits = [read_commit(item) for item in items if _is(item, "EVENT#")]
    return {
        commit.version
        for commit in commits
        if any(getattr(event, "via", None) == via for event in commit.events)
    }


def _is(item: Item, kind: str) -> bool:
    written: str = item["sk"]["S"]
    return written.startswith(kind)


def _erased_body(item: Item, playbook: Playbook, via: str | None, versions: set[int]) -> str | None:
    """The body of an item without personal data; None if nothing has to change.

    Args:
        versions: with `via`, the versions to erase; staff messages about them repeat their text.
    """
    if _is(item, "EVENT#"):
        commit = read_commit(item)
        if via is not None and commit.version not in versions:
            return None
        erased = without_person(commit, playbook, mask, None if via is None else {via})
        if erased == commit and not {"sealed", "original"} & item.keys():
            return None
        return dump_events(erased.events)
    if _is(item, "DELIVERY#"):
        delivery = read_delivery(item)
        if via is not None and delivery.version not in versions:
            return None
        wordless = without_words(delivery)
        return None if wordless == delivery else delivery_body(wordless)
    return None


@_erases(PersonalData.FILES)
def _delete_files(
    records: Archive, desk: str, number: str, items: list[Item], via: str | None
) -> None:
    """Delete the mails and files that a ticket names, their copies in quarantine, and uploads.

    This happens before the names are erased, so that a second run still finds the files.
    """
    commits = [read_commit(item) for item in items if _is(item, "EVENT#")]
    named = {key for commit in commits for key in files_of(commit, via)}
    for key in sorted(named):
        mail = key.rpartition("/")[2]
        copies = (
            f"{folder}/{owner}/{mail}"
            for folder in ("quarantine", "discarded")
            for owner in (desk, "-")
        )
        for stored in (key, *copies):
            for version in _versions(records.s3, records.mail_bucket, stored):
                _delete(records.s3, version)
    if via is None:
        for version in _below(records.s3, records.mail_bucket, f"{UPLOADS}{desk}/{number}/"):
            _delete(records.s3, version)


@_erases(PersonalData.SEARCH)
def _rewrite_segments(records: Archive, desk: str, numbers: tuple[str, ...], now: datetime) -> None:
    """Replace what search finds tickets by, and delete all segments that no manifest names."""
    # Listed before the manifest is put: whoever stored another before then fails to put his.
    stored = _below(records.s3, records.mail_bucket, f"{FOLDER}{desk}/")
    segments = Segments(records.s3, records.mail_bucket)
    manifest = SearchIndex(records.storage, segments, records.root).rewrite(desk, numbers, now)
    unused = set(manifest.without(version.key for version in stored) if manifest else ())
    for version in stored:
        if version.key in unused:
            _delete(records.s3, version)


@_erases(PersonalData.FACTS)
def _rewrite_facts(
    records: Archive, number: str, items: list[Item], playbook: Playbook, now: datetime
) -> None:
    """Replace the facts of a ticket, which may name a product, and delete all former objects."""
    facts = FactStore(records.s3, records.mail_bucket)
    commits = [read_commit(item) for item in items if _is(item, "EVENT#")]
    made = facts_of(sorted(commits, key=lambda commit: commit.version), playbook, now)
    folder = f"{FACTS}desk={playbook.desk}/"
    before = _below(records.s3, records.mail_bucket, folder)
    facts.replace(playbook, number, made, now)
    current = {v.key for v in _below(records.s3, records.mail_bucket, folder) if v.exists}
    for version in before:
        if version.key not in current:
            _delete(records.s3, version)


@_erases(PersonalData.ARCHIVE)
def _rewrite_archive(records: Archive, ticket: Ticket, playbook: Playbook) -> None:
    """Replace the archived document, if there is one, and delete all its earlier versions."""
    newest: list[str] = []
    before = _archived(records, ticket, playbook)
    if any(version.exists for version in before):
        newest = write_document(records.storage, records.archive_buckets, ticket, playbook)
    for version in _archived(records, ticket, playbook):
        if not (version.latest and version.key in newest):
            _delete(records.s3, version)


def _archived(records: Archive, ticket: Ticket, playbook: Playbook) -> list[_Version]:
    """Every version of a ticket's document and of its parts.

    The desk's time zone may have changed since, and with it the year in the key.
    """
    zone = playbook.hours.timezone
    shifts = (timedelta(), timedelta(hours=-26), timedelta(hours=26))
    shifted = (ticket.model_copy(update={"received_at": ticket.received_at + x}) for x in shifts)
    keys = dict.fromkeys(archive_key(candidate, zone) for candidate in shifted)
    prefixes = [key.removesuffix("json") for key in keys]  # the parts' keys begin so too
    return [
        version
        for prefix in prefixes
        for version in _below(records.s3, records.archive_bucket, prefix)
    ]


@dataclass(frozen=True)
class _Version:
    """One version of an object, or a delete marker."""

    bucket: str
    key: str
    id: str
    latest: bool
    marker: bool

    @property
    def exists(self) -> bool:
        """Return whether readers get this version."""
        return self.latest and not self.marker


def _versions(s3: S3Client, bucket: str, key: str) -> list[_Version]:
    return [version for version in _below(s3, bucket, key) if version.key == key]


def _below(s3: S3Client, bucket: str, prefix: str) -> list[_Version]:
    """List every version of the objects under a prefix; without versioning it is `null`."""
    versions: list[_Version] = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for marker, kind in ((False, "Versions"), (True, "DeleteMarkers")):
            for item in page.get(kind, []):  # type: ignore[attr-defined]  # one of two literal keys
                latest, version = bool(item.get("IsLatest")), item.get("VersionId") or "null"
                versions.append(_Version(bucket, item["Key"], version, latest, marker))
    return versions


def _delete(s3: S3Client, version: _Version) -> None:
    s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.id)


def _tag(records: Archive, version: _Version, held: bool) -> None:
    """Tag a version as held or not; its retention period stays the same."""
    bucket, key = version.bucket, version.key
    tags = records.s3.get_object_tagging(Bucket=bucket, Key=key, VersionId=version.id)["TagSet"]
    others = [tag for tag in tags if tag["Key"] != HOLD_TAG]
    records.s3.put_object_tagging(
        Bucket=bucket,
        Key=key,
        VersionId=version.id,
        Tagging={"TagSet": [*others, {"Key": HOLD_TAG, "Value": str(held).lower()}]},
    )
