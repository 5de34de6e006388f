"""How long a ticket's record is kept: holds, and the erasure of a person's data (B10).

Both commit to the ticket first, so that its history says who did it, when and why, and both may be
run again at any time: what an interrupted run has left undone is done by the next one.

An erasure reaches everything that Deskbell stores of a ticket: its items in the table, the mails
and files in the mail bucket, the document in the archive, each with all its versions. It does not
reach what has left the house (mails in mailboxes), and not what ends by itself: the table's stream
(24 hours) and point-in-time backups (35 days), the dead-letter queues (14 days), and the markers of
filed requests, which hold digests alone (400 days).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import boto3

from functions.core.channels.base import names
from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.erasure import files_of, without_person, without_words
from functions.core.domain.errors import ActionNotAllowed, TryAgain
from functions.core.domain.record import archive_key
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.services.command_service import change
from functions.core.services.merging import merge_group, past_merge_targets
from functions.core.storage.event_codec import dump
from functions.core.storage.files import UPLOADS
from functions.core.storage.store import Item, Store, delivery_body, read_commit, read_delivery
from functions.core.text.contacts import Contact, chat_contact, contact_hash, normalise_contact
from functions.core.text.masking import mask
from functions.core.text.tokens import derive
from functions.survey.archive import HOLD_TAG, ArchiveBuckets, files_to_keep, write_document
from infra.deploy.desks import store_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PASSES = 10
_ON_ITS_WAY = timedelta(minutes=2)
"""How long a claimed message may still get its words written down by the function that sends it."""


@dataclass(frozen=True)
class Records:
    """Where a stage's records lie; `root` gives the deployment's root key."""

    store: Store
    s3: S3Client
    mail_bucket: str
    archive_bucket: str
    root: Callable[[], bytes]

    @property
    def shelves(self) -> ArchiveBuckets:
        return ArchiveBuckets(self.s3, self.archive_bucket, self.mail_bucket)


@dataclass(frozen=True)
class Erased:
    """The tickets whose customer is forgotten, and those that are held and so stay as they are."""

    numbers: tuple[str, ...]
    held: tuple[str, ...] = ()


def records_of(stage: str) -> Records:
    """The records of a stage, with the session's account and region."""
    session = boto3.session.Session()
    deployment = Deployment(
        partition=session.get_partition_for_region(session.region_name),
        region=session.region_name,
        account=boto3.client("sts").get_caller_identity()["Account"],
        stage=stage,
    )
    return Records(
        store=store_of(stage),
        s3=boto3.client("s3"),
        mail_bucket=deployment.mail_bucket,
        archive_bucket=deployment.archive_bucket,
        root=lambda: aws.root_key(deployment),
    )


def hold(
    at: Records, desk: str, number: str, *, held: bool, reason: str, actor: str, now: datetime
) -> Ticket:
    """Keep a ticket's record beyond its years (`held`), or release it; the ticket after it.

    Tickets that were merged are one record: all of them are held or released.

    Raises:
        NotFound: there is no such desk or ticket.
        TryAgain: others changed the ticket, or the table was too busy.
    """
    playbook = at.store.playbook(desk, now)
    command = c.Hold(held, mask(reason))
    done = {}
    for part in merge_group(at.store, at.store.load(desk, number)):
        after = change(at.store, desk, part.number, command, playbook, now, actor=actor)
        done[part.number] = after
        for key in _archive_keys(after, playbook):
            for version in _versions(at.s3, at.archive_bucket, key):
                if not version.marker:
                    _tag(at, version, held)
        for key in files_to_keep(at.store.history(desk, part.number, after.version)):
            for version in _versions(at.s3, at.mail_bucket, key):
                _tag(at, version, held)
    return done[number]


def erase(
    at: Records,
    desk: str,
    *,
    number: str | None = None,
    contact: str | None = None,
    reason: str,
    actor: str,
    now: datetime,
) -> Erased:
    """Forget who the customer of a ticket was, or of every ticket of a contact.

    Args:
        number: one ticket, with the same customer's that were merged with it, or
        contact: the person's phone number or address, written in any way that intake takes; what
            is known of the contact for later requests goes too. Held tickets are left out.
        reason: stands in the tickets' history, masked.
        actor: who does it.

    Raises:
        ValueError: neither or both of `number` and `contact`, or this is no contact.
        NotFound: there is no such desk or ticket.
        ActionNotAllowed: the ticket `number`, or one of those that make one record with it since
            they were merged, is held.
        TryAgain: a message is on its way, or the table was too busy: run it again in a minute.
    """
    if (number is None) == (contact is None):
        raise ValueError("say the number of a ticket, or a contact")
    playbook = at.store.playbook(desk, now)
    command = c.ErasePerson(mask(reason))
    if number is not None:
        ticket = at.store.load(desk, number)
        digest = ticket.customer.hash
        whole = merge_group(at.store, ticket)
        _not_held(number, whole)
        same = [part for part in whole if part.customer.hash == digest]
        # The ticket itself comes last, since it is what an interrupted run is found again by.
        numbers = [*(part.number for part in same if part.number != number), number]
        if set(at.store.all_of_contact(desk, digest)) <= set(numbers):
            at.store.forget_contact(desk, digest)  # first, as no ticket will say whose it was
        for each in numbers:
            _erase_ticket(at, desk, each, command, playbook, actor, now)
        return Erased(tuple(sorted(numbers)))
    assert contact is not None  # noqa: S101 - said above
    digest = contact_hash(_written(contact), desk, derive(at.root(), "contact"))
    done: list[str] = []
    held: list[str] = []
    # Once more after the last one: a request may have been filed meanwhile.
    while new := [
        found
        for found in at.store.begin_erasure(desk, digest, at.store.all_of_contact(desk, digest))
        if found not in {*done, *held}
    ]:
        for found in new:
            try:
                _erase_ticket(at, desk, found, command, playbook, actor, now)
                done.append(found)
            except ActionNotAllowed:
                held.append(found)
    if not held:
        at.store.forget_contact(desk, digest)
    at.store.end_erasure(desk, digest)
    return Erased(tuple(done), tuple(held))


def _written(contact: str) -> Contact:
    """A contact as an operator writes it; on a chat channel `<channel>:<the provider's id>`."""
    channel, _, user = contact.strip().partition(":")
    return chat_contact(channel, user) if channel in names() else normalise_contact(contact)


def _not_held(number: str, whole: list[Ticket]) -> None:
    """A hold reaches what was merged after it too: the record is one, and so is its document."""
    held = [part.number for part in whole if part.held]
    if not held:
        return
    if number in held:
        raise ActionNotAllowed("The ticket's record is held; release it first.")
    raise ActionNotAllowed(
        f"{number} is one record with {held[0]} since they were merged, and that is held; "
        f"release {held[0]} first."
    )


def _erase_ticket(
    at: Records,
    desk: str,
    number: str,
    command: c.ErasePerson,
    playbook: Playbook,
    actor: str,
    now: datetime,
) -> None:
    """Each step only takes away what the steps after it no longer need.

    Raises:
        ActionNotAllowed: it is held, or one of those that make one record with it is.
    """
    _not_held(number, merge_group(at.store, at.store.load(desk, number)))
    ticket = change(at.store, desk, number, command, playbook, now, actor=actor)
    items = _blank_items(at, desk, number, playbook)
    for other in past_merge_targets(at.store, ticket):  # what was written to it while it was merged
        _blank_items(at, desk, other, playbook, via=number)
    for each in (number, *past_merge_targets(at.store, ticket)):
        _archive_again(at, at.store.load(desk, each), playbook)
    deliveries = [_delivery(item) for item in items if _is(item, "DELIVERY#")]
    written = {delivery.identity for delivery in deliveries}
    under_way = (d for d in deliveries if d.state == "claimed" or not set(d.covers) <= written)
    if any(abs(now - d.claimed_at) < _ON_ITS_WAY for d in under_way):
        raise TryAgain(f"a message of {number} is on its way: run it again in two minutes")


def _blank_items(
    at: Records, desk: str, number: str, playbook: Playbook, via: str | None = None
) -> list[Item]:
    """Take away a ticket's personal data, or only what came `via` another; the items after it."""
    for _ in range(_PASSES):
        items = at.store.everything(desk, number, consistent=True)
        _delete_files(at, desk, number, items, via)
        told = _versions_of(items, via)
        bodies = [
            (item, body)
            for item in items
            if (body := _blanked(item, playbook, via, told)) is not None
        ]
        if not bodies:
            return items
        for item, body in bodies:  # what has changed meanwhile is read again
            at.store.rewrite(item, body)
    raise TryAgain(f"{number} changes all the time")


def _versions_of(items: list[Item], via: str | None) -> set[int]:
    """The versions at which something came `via` a merged ticket."""
    commits = [read_commit(item) for item in items if _is(item, "EVENT#")] if via else []
    return {k.version for k in commits if any(getattr(x, "via", None) == via for x in k.events)}


def _is(item: Item, kind: str) -> bool:
    written: str = item["sk"]["S"]
    return written.startswith(kind)


def _delivery(item: Item) -> Delivery:
    return read_delivery(item)


def _blanked(item: Item, playbook: Playbook, via: str | None, told: set[int]) -> str | None:
    """The body that an item has to have, None where it has it already.

    Args:
        told: of what came `via` a merged ticket the versions, whose messages repeat it to staff.
    """
    if _is(item, "EVENT#"):
        commit = read_commit(item)
        if via is not None and commit.version not in told:
            return None
        blank = without_person(commit, playbook, mask, None if via is None else {via})
        if blank == commit and not {"sealed", "original"} & item.keys():
            return None
        return dump(blank.events)
    if _is(item, "DELIVERY#"):
        delivery = _delivery(item)
        if via is not None and delivery.version not in told:
            return None
        bare = without_words(delivery)
        return None if bare == delivery else delivery_body(bare)
    return None


def _delete_files(at: Records, desk: str, number: str, items: list[Item], via: str | None) -> None:
    """Mails and files that the ticket names, copies of those mails in quarantine, and uploads.

    This comes before the names go, so that a run that was interrupted still knows them.
    """
    commits = [read_commit(item) for item in items if _is(item, "EVENT#")]
    named = {key for commit in commits for key in files_of(commit, via)}
    for key in sorted(named):
        mail = key.rpartition("/")[2]
        aside = (
            f"{kept}/{of}/{mail}" for kept in ("quarantine", "discarded") for of in (desk, "-")
        )
        for stored in (key, *aside):
            for version in _versions(at.s3, at.mail_bucket, stored):
                _delete(at.s3, version)
    if via is None:
        for version in _below(at.s3, at.mail_bucket, f"{UPLOADS}{desk}/{number}/"):
            _delete(at.s3, version)


def _archive_again(at: Records, ticket: Ticket, playbook: Playbook) -> None:
    """Write the archive's document anew, where there is one, and delete all that was before it."""
    keys = _archive_keys(ticket, playbook)
    before = [version for key in keys for version in _versions(at.s3, at.archive_bucket, key)]
    newest = ""
    if any(version.latest and not version.marker for version in before):
        newest = write_document(at.store, at.shelves, ticket, playbook)
    for key in keys:
        for version in _versions(at.s3, at.archive_bucket, key):
            if not (version.latest and key == newest):
                _delete(at.s3, version)


def _archive_keys(ticket: Ticket, playbook: Playbook) -> list[str]:
    """Where the document may be: the desk's zone may have been another when it was written."""
    zone = playbook.hours.timezone
    around = (timedelta(), timedelta(hours=-26), timedelta(hours=26))
    moments = (ticket.model_copy(update={"received_at": ticket.received_at + x}) for x in around)
    return list(dict.fromkeys(archive_key(moment, zone) for moment in moments))


@dataclass(frozen=True)
class _Version:
    """One version of an object, or the marker of its deletion."""

    bucket: str
    key: str
    id: str
    latest: bool
    marker: bool


def _versions(s3: S3Client, bucket: str, key: str) -> list[_Version]:
    """Every version of one object."""
    return [version for version in _below(s3, bucket, key) if version.key == key]


def _below(s3: S3Client, bucket: str, prefix: str) -> list[_Version]:
    """Every version of the objects under a prefix; without versioning each has one, `null`."""
    found: list[_Version] = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for marker, kind in ((False, "Versions"), (True, "DeleteMarkers")):
            for item in page.get(kind, []):  # type: ignore[attr-defined]  # by a key of two
                latest, version = bool(item.get("IsLatest")), item.get("VersionId") or "null"
                found.append(_Version(bucket, item["Key"], version, latest, marker))
    return found


def _delete(s3: S3Client, version: _Version) -> None:
    s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.id)


def _tag(at: Records, version: _Version, held: bool) -> None:
    """Say whether a version is held; its years stay as they were when it was written."""
    bucket, key = version.bucket, version.key
    found = at.s3.get_object_tagging(Bucket=bucket, Key=key, VersionId=version.id)["TagSet"]
    others = [tag for tag in found if tag["Key"] != HOLD_TAG]
    at.s3.put_object_tagging(
        Bucket=bucket,
        Key=key,
        VersionId=version.id,
        Tagging={"TagSet": [*others, {"Key": HOLD_TAG, "Value": str(held).lower()}]},
    )
