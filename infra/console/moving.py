"""Carry out `deskbell import` and `deskbell export` on a stage."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast, get_args

import boto3

from functions.core.deliver import once
from functions.core.domain import events as e
from functions.core.domain.audit import AuditEntry
from functions.core.domain.errors import TryAgain
from functions.core.domain.rules import Playbook
from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.services.archiving import ArchiveBuckets
from functions.core.services.contacts import contact_digest, contact_document
from functions.core.services.importing import Imported, TicketImporter
from functions.core.services.restoring import TicketRestorer
from functions.core.storage.database import Storage
from functions.core.text.contacts import Contact, ContactKind
from functions.core.text.masking import mask
from functions.unseal.unsealing import NOTHING
from infra.console import mapping as mappings, reports, search
from infra.console.contact_box import ContactBox
from infra.console.desk_file import (
    ExportedTicket,
    Opened,
    Persons,
    dumped,
    head,
    lines,
    read_head,
    settled,
)
from infra.console.errors import UsageError
from infra.console.importing import ImportRun, Tally, archive, progress
from infra.console.parallel import in_order
from infra.console.sources import Source, read
from infra.console.terminal import report
from infra.deploy.desks import storage_of
from infra.deploy.stacks import deployment_of
from infra.deploy.trail import OperatorTrail

SOURCES = (*get_args(Source), "deskbell")
REASON = 200
"""The characters of a reason in the audit."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Move:
    """A desk of a stage that tickets move to or from."""

    deployment: Deployment
    storage: Storage
    playbook: Playbook
    trail: OperatorTrail

    @classmethod
    def of(cls, stage: str, desk: str, now: datetime) -> "Move":
        """Raises NotFound if the stage has no such desk."""
        storage = storage_of(stage)
        playbook = storage.playbooks.get(desk, now)
        return cls(deployment_of(stage), storage, playbook, OperatorTrail.of(stage))

    @property
    def desk(self) -> str:
        return self.playbook.desk

    def importer(self) -> TicketImporter:
        deployment = self.deployment
        aws.client("kms")  # boto3 makes clients in one thread at a time only
        return TicketImporter(
            storage=self.storage,
            seal=partial(aws.seal, deployment),
            seal_original=partial(aws.seal_original, deployment),
            root_key=aws.root_key(deployment),
        )

    def buckets(self) -> ArchiveBuckets:
        deployment = self.deployment
        return ArchiveBuckets(boto3.client("s3"), deployment.archive_bucket, deployment.mail_bucket)

    def find_again(self) -> None:
        """Make what search and reports read again: no function has seen the tickets."""
        stage, desk = self.deployment.stage, self.desk
        report(f"{desk}: {search.rebuild(stage, desk):,} tickets can be found")
        report(f"{desk}: {reports.rebuild(stage, desk):,} facts")


def first_guess(move: Move, source: Source, file: Path) -> Path:
    """Write a first guess of the mapping beside the file and show what does not fit.

    A mapping that is there already stays: somebody may have edited it.
    """
    words = mappings.words_of(progress(read(source, file), "tickets read"))
    written = file.with_name(f"{file.name}.mapping.yaml")
    if written.exists():
        mapped = mappings.load(written)
    else:
        mapped = mappings.guess(words, move.playbook, move.storage.roster.list(move.desk))
        mappings.dump(mapped, written)
    for line in mappings.misfits(words, mapped, move.playbook):
        report(line)
    return written


def bring_in(move: Move, source: Source, file: Path, mapping: Path, *, dry_run: bool) -> Tally:
    """Import a file by a mapping, and show what became of its tickets."""
    agents = {agent.username: agent for agent in move.storage.roster.list(move.desk)}
    translator = mappings.Translator(source, mappings.load(mapping), move.playbook, agents)
    if dry_run:
        run = ImportRun(move.playbook, translator)
    else:
        move.trail.record("import", move.desk, source)
        run = ImportRun(move.playbook, translator, move.importer(), move.buckets())
    written = file.with_name(f"{file.name}.report.txt")
    with written.open("w", encoding="utf-8") as out:
        tally = Tally(out, report)
        for _ in progress(run.run(source, file, tally, _now), "tickets"):
            pass
    if tally.problems:
        report(f"{written}: each of what did not fit")
    else:
        written.unlink()
    return _ended(move, tally, dry_run=dry_run)


# Another desk of Deskbell


def restore(move: Move, file: Path, *, dry_run: bool) -> Tally:
    """Import the export of a desk, with its numbers, and show what became of its tickets."""
    tally = Tally(shown=report)
    restored = partial(_restored, move, TicketRestorer(move.importer()), move.buckets())
    if not dry_run:
        move.trail.record("import", move.desk, "deskbell")
    tickets = _tickets(progress(lines(file), "tickets"), tally)
    if dry_run:
        tally.imported = sum(1 for _ in tickets)
    else:
        for line, done in in_order(restored, tickets):
            with tally.noting(line.where, line.number):
                tally.add(done.result())
    return _ended(move, tally, dry_run=dry_run)


def _tickets(read: Iterable[ExportedTicket | str], tally: Tally) -> Iterator[ExportedTicket]:
    """Yield the tickets of a file, and count what is none."""
    for line in read:
        tally.read += 1
        if isinstance(line, ExportedTicket):
            yield line
        else:
            tally.reject(line, "", "not a ticket")


def _ended(move: Move, tally: Tally, *, dry_run: bool) -> Tally:
    """Show what became of the tickets, and let them be found, also those of an earlier run."""
    for text in tally.lines():
        report(text)
    if (tally.imported or tally.known) and not dry_run:
        move.find_again()
    return tally


def _restored(
    move: Move, restorer: TicketRestorer, buckets: ArchiveBuckets, line: ExportedTicket
) -> Imported:
    importer, now = restorer.importer, _now()
    contacts = {version: _contact(found) for version, found in line.contacts.items()}

    def digest(found: Opened) -> str:
        return contact_digest(_contact(found), move.desk, importer.root_key)

    documents = {
        version: contact_document(contact, line.contacts[version].get("name", ""))
        for version, contact in contacts.items()
    }
    commits = list(settled(line, move.desk, digest))
    added = restorer.add(move.playbook, commits, documents, now)
    if added.ticket.status in ("archived", "closed"):
        archive(buckets, importer, move.playbook, added, now)
    return added


def _contact(found: Opened) -> Contact:
    return Contact(cast("ContactKind", found["kind"]), found["contact"])


def export(move: Move, file: Path, reason: str = "", box: ContactBox | None = None) -> int:
    """Write all tickets of a desk, by number; return how many.

    Args:
        box: seals the contacts, which are left out without it.
        reason: why they are exported.
    """
    said = {"contacts": box is not None, "reason": mask(reason)[:REASON]}
    act = move.trail.entry("export.desk", move.desk, move.desk, after=said)
    move.storage.audit.record(act)
    persons, count = Persons(), 0
    once.client("lambda")  # as above: made before the threads
    found = sorted(search.numbers(move.storage, move.desk))

    def read(number: str) -> tuple[list[e.Commit], str | None]:
        history = move.storage.tickets.history(move.desk, number)
        return history, box.seal(number, _opened(move, history, act)) if box else None

    partial_file = file.with_name(f"{file.name}.part")
    with partial_file.open("w", encoding="utf-8") as out:
        out.write(f"{head('sealed' if box else 'masked', box.sender if box else '')}\n")
        for _, done in progress(in_order(read, found), "tickets"):
            out.write(f"{dumped(move.desk, *done.result(), persons)}\n")
            count += 1
    partial_file.replace(file)
    return count


def _opened(move: Move, history: Sequence[e.Commit], act: AuditEntry) -> dict[int, Opened]:
    """Open the contacts of a ticket, by the version that brought each."""
    found = {}
    for commit in history:
        corrected = (event for event in commit.of(e.ContactCorrected) if event.customer)
        if commit.version == 1 or any(corrected):
            event = {
                "desk": move.desk,
                "number": commit.number,
                "act": commit.version,
                "agent": act.actor,
                "exported_at": act.at.isoformat(),
            }
            response = once.client("lambda").invoke(
                FunctionName=f"{move.deployment.prefix}-unseal", Payload=json.dumps(event).encode()
            )
            if response.get("FunctionError"):
                raise TryAgain("unseal failed")  # the payload may quote the contact
            result = json.loads(response["Payload"].read())
            if result["refused"] not in ("", NOTHING):
                raise UsageError(f"{commit.number}: {result['refused']}")
            if result["original"]:
                found[commit.version] = result["original"]
    return found


def decrypt(file: Path, private_key: Path, out: Path) -> int:
    """Write an export again with its contacts opened; return how many tickets it has.

    Raises:
        UsageError: the key does not open them, or nothing is sealed.
    """
    count = 0
    with file.open(encoding="utf-8") as sealed, out.open("w", encoding="utf-8") as opened:
        out.chmod(0o600)
        first = read_head(file, sealed.readline())
        if first.get("contacts") != "sealed":
            raise UsageError(f"{file} has no sealed contacts")
        box = ContactBox.opening(private_key, first["key"])
        opened.write(f"{head('open')}\n")
        for text in sealed:
            line = json.loads(text)
            line["contacts"] = box.open(line["number"], line["contacts"])
            opened.write(f"{json.dumps(line, ensure_ascii=False, separators=(',', ':'))}\n")
            count += 1
    return count
