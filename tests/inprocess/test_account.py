"""Five hundred mails of every kind, each in exactly one place."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import boto3
import pytest

from functions.core.domain.events import Commit, CustomerWrote, TicketReceived
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.core.storage.items import read_commit
from functions.core.text.tokens import message_id
from infra.console.quarantine import Quarantine
from infra.console.quarantine_entry import Entry
from infra.simulator.simulator import Simulator, mail_notification
from tests.inprocess.conftest import PLACE, ROOT, shipped
from tests.inprocess.generated_mails import GeneratedMail, MailGenerator

pytestmark = pytest.mark.requirement("G1", "G3")
SEED = 20261121
MAILS = 500
AUTOMATIC = {"NoteAdded", "ContactBounced"}
Places = dict[tuple[str, str], list[str]]
"""(desk, key of the mail) → the ticket on which it stands, or its cause in quarantine."""


@pytest.mark.requirement("G3")
def test_every_mail_is_accounted_for(loop: Simulator, storage: Storage) -> None:
    """Each mail is on one ticket, in quarantine with its cause, or known as a repetition; the sums
    match.
    """
    _desks(storage)
    bag = MailGenerator(SEED)
    came = list(bag.first(share=7))
    bag.random.shuffle(came)
    _bring(loop, came)
    standing = Table.read().standing
    settled = [letter for letter in came if letter.fate == "ticket" and len(letter.desks) == 1]
    for letter in settled[: MAILS - len(came)]:
        (desk,) = letter.desks
        (number,) = standing[desk, letter.key]
        own = message_id(aws.root_key(PLACE), desk, number, 1, f"{desk}.local")
        for later in bag.then(letter, number, f"<{own}>"):
            later.desks, later.recipients = letter.desks, letter.recipients
            came.append(later)
    _bring(loop, [letter for letter in came if not letter.key])
    assert len(came) == MAILS

    table = Table.read()
    with Quarantine(PLACE.stage).opened() as found:
        aside = {(kept.desk, kept.keys["mail"]): kept for kept in found if kept.body is None}
        parked = [kept for kept in found if kept.body is not None]
    account: Counter[str] = Counter()
    for letter in came:
        for desk in letter.desks:
            where = _where(letter, desk, table, aside, parked)
            assert where == [letter.fate], (letter.kind, desk, letter.key, where)
            account[letter.fate] += 1
    assert sum(account.values()) == sum(len(letter.desks) for letter in came)
    assert account["ticket"] + account["joins"] == sum(map(len, table.standing.values()))
    assert account["ticket"] == sum(map(len, table.numbers.values()))
    assert account["shown"] == sum(table.automatic.values())
    assert account["quarantine"] == len(aside)
    assert account["parked"] == len(parked)
    assert set(account) == {"ticket", "joins", "shown", "repetition", "quarantine", "parked"}


def _where(
    letter: GeneratedMail,
    desk: str,
    table: Table,
    aside: dict[tuple[str, str], Entry],
    parked: list[Entry],
) -> list[str]:
    """Every place at which a mail is found for a desk, whatever had to become of it."""
    of = table.standing.get((desk, letter.about.key)) if letter.about else None
    stands = table.standing.get((desk, letter.key), [])
    found = ["joins" if of == [number] else "ticket" for number in stands]
    kept = aside.get((desk, letter.key))
    if kept is not None:
        found.append("quarantine" if kept.cause.startswith(letter.cause or "?") else kept.cause)
    if any(_names(each, letter) for each in parked):
        found.append("parked")
    if letter.fate == "shown" and of and table.automatic[desk, of[0]] == 1:
        found.append("shown")
    if not found and letter.fate == "repetition" and of and len(of) == 1:
        found.append("repetition")
    return found


def _names(kept: Entry, letter: GeneratedMail) -> bool:
    """Whether something parked is this very announcement, with a cause."""
    said = json.dumps(kept.body, ensure_ascii=False)
    mark = json.dumps(letter.body)[1:-1] if letter.body is not None else f"{letter.key}\\"
    return bool(kept.cause) and (kept.body.get("record") == letter.body or mark in said)


def _desks(storage: Storage) -> None:
    """Two desks, of which one takes small mails only."""
    standard = shipped(ROOT / "playbooks" / "standard.yaml")
    checks = standard.mail.checks.model_copy(update={"max_mb": 1})
    mail = standard.mail.model_copy(update={"checks": checks})
    other = shipped(ROOT / "playbooks" / "omnichannel.yaml")
    for playbook in (standard.model_copy(update={"mail": mail}), other):
        storage.playbooks.put(playbook, datetime.now(UTC))


def _bring(loop: Simulator, letters: list[GeneratedMail]) -> None:
    """Store and announce mails as SES does, ten to a batch."""
    s3 = boto3.client("s3")
    boto3.client("sqs").create_queue(QueueName=f"{PLACE.prefix}-mail")
    for at in range(0, len(letters), 10):
        records = []
        for index, letter in enumerate(letters[at : at + 10]):
            letter.key = f"mail/{letter.kind.replace(' ', '-')}-{id(letter)}-{index}"
            record = mail_notification(letter.key, letter.recipients, letter.verdicts)
            if letter.body is not None:
                record["body"] = letter.body
            elif letter.raw:
                s3.put_object(Bucket=PLACE.mail_bucket, Key=letter.key, Body=letter.raw)
            records.append(record)
        assert loop.invoke("intake_mail", {"Records": records}) == {"batchItemFailures": []}


@dataclass
class Table:
    """What stands in the table, read at once."""

    numbers: dict[str, list[str]] = field(default_factory=dict)
    standing: Places = field(default_factory=dict)
    automatic: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def read(cls) -> Table:
        found = cls()
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=PLACE.table)
        for item in (item for page in pages for item in page["Items"]):
            if item["pk"]["S"].startswith("TICKET#") and item["sk"]["S"].startswith("EVENT#"):
                found.add(read_commit(item))
        return found

    def add(self, commit: Commit) -> None:
        for event in commit.events:
            if isinstance(event, TicketReceived | CustomerWrote):
                self.standing.setdefault((commit.desk, event.raw or ""), []).append(commit.number)
            if isinstance(event, TicketReceived):
                self.numbers.setdefault(commit.desk, []).append(commit.number)
            if event.event in AUTOMATIC:
                self.automatic[commit.desk, commit.number] += 1
