"""Five hundred mails of every kind, each in exactly one place."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import boto3
import pytest

from functions.administration.entries import QuarantineEntry
from functions.core.domain.events import Commit, CustomerWrote, TicketReceived
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.core.storage.items import read_commit
from functions.core.text.tokens import message_id
from infra.console.quarantine import quarantine_of
from infra.simulator.simulator import Simulator, mail_notification
from tests.inprocess.conftest import DEPLOYMENT, ROOT, shipped
from tests.inprocess.generated_mails import GeneratedMail, MailGenerator

pytestmark = pytest.mark.requirement("G1", "G3")
SEED = 20261121
MAILS = 500
AUTOMATIC = {"NoteAdded", "ContactBounced"}
NumbersOfMail = dict[tuple[str, str], list[str]]
"""(desk, key of the mail) → the numbers of its tickets."""


@pytest.mark.slow
def test_every_mail_is_accounted_for(simulator: Simulator, storage: Storage) -> None:
    """Each mail is on one ticket, in quarantine with its cause, or known as a repetition; the sums
    match.
    """
    _put_desks(storage)
    generator = MailGenerator(SEED)
    mails = list(generator.standalone(share=7))
    generator.random.shuffle(mails)
    _deliver(simulator, mails)
    numbers_of = FiledMails.read().numbers_of
    settled = [mail for mail in mails if mail.fate == "ticket" and len(mail.desks) == 1]
    for mail in settled[: MAILS - len(mails)]:
        (desk,) = mail.desks
        (number,) = numbers_of[desk, mail.key]
        own_id = message_id(aws.root_key(DEPLOYMENT), desk, number, 1, f"{desk}.local")
        for follow_up in generator.follow_ups(mail, number, f"<{own_id}>"):
            follow_up.desks, follow_up.recipients = mail.desks, mail.recipients
            mails.append(follow_up)
    _deliver(simulator, [mail for mail in mails if not mail.key])
    assert len(mails) == MAILS

    table = FiledMails.read()
    with quarantine_of(DEPLOYMENT.stage).opened() as entries:
        quarantined = {
            (entry.desk, entry.keys["mail"]): entry for entry in entries if entry.body is None
        }
        dead_letters = [entry for entry in entries if entry.body is not None]
    account: Counter[str] = Counter()
    for mail in mails:
        for desk in mail.desks:
            outcomes = _outcomes(mail, desk, table, quarantined, dead_letters)
            assert outcomes == [mail.fate], (mail.kind, desk, mail.key, outcomes)
            account[mail.fate] += 1
    assert sum(account.values()) == sum(len(mail.desks) for mail in mails)
    assert account["ticket"] + account["joins"] == sum(map(len, table.numbers_of.values()))
    assert account["ticket"] == sum(map(len, table.numbers.values()))
    assert account["shown"] == sum(table.automatic.values())
    assert account["quarantine"] == len(quarantined)
    assert account["dead_lettered"] == len(dead_letters)
    assert set(account) == {"ticket", "joins", "shown", "repetition", "quarantine", "dead_lettered"}


def _outcomes(
    mail: GeneratedMail,
    desk: str,
    table: FiledMails,
    quarantined: dict[tuple[str, str], QuarantineEntry],
    dead_letters: list[QuarantineEntry],
) -> list[str]:
    """Return what became of a mail for a desk: its fate in each place that holds it."""
    related = table.numbers_of.get((desk, mail.about.key)) if mail.about else None
    numbers = table.numbers_of.get((desk, mail.key), [])
    outcomes = ["joins" if related == [number] else "ticket" for number in numbers]
    entry = quarantined.get((desk, mail.key))
    if entry is not None:
        outcomes.append("quarantine" if entry.cause.startswith(mail.cause or "?") else entry.cause)
    if any(_is_about(dead_letter, mail) for dead_letter in dead_letters):
        outcomes.append("dead_lettered")
    if mail.fate == "shown" and related and table.automatic[desk, related[0]] == 1:
        outcomes.append("shown")
    if not outcomes and mail.fate == "repetition" and related and len(related) == 1:
        outcomes.append("repetition")
    return outcomes


def _is_about(entry: QuarantineEntry, mail: GeneratedMail) -> bool:
    """Return whether a dead letter is about this mail and has a cause."""
    body = json.dumps(entry.body, ensure_ascii=False)
    mark = json.dumps(mail.body)[1:-1] if mail.body is not None else f"{mail.key}\\"
    return bool(entry.cause) and (entry.body.get("record") == mail.body or mark in body)


def _put_desks(storage: Storage) -> None:
    """Store the playbooks of two desks, one of which takes small mails only."""
    standard = shipped(ROOT / "playbooks" / "standard.yaml")
    checks = standard.mail.checks.model_copy(update={"max_mb": 1})
    mail = standard.mail.model_copy(update={"checks": checks})
    other = shipped(ROOT / "playbooks" / "omnichannel.yaml")
    for playbook in (standard.model_copy(update={"mail": mail}), other):
        storage.playbooks.put(playbook, datetime.now(UTC))


def _deliver(simulator: Simulator, mails: list[GeneratedMail]) -> None:
    """Store and announce mails as SES does, ten to a batch."""
    s3 = boto3.client("s3")
    boto3.client("sqs").create_queue(QueueName=f"{DEPLOYMENT.prefix}-mail")
    for at in range(0, len(mails), 10):
        records = []
        for index, mail in enumerate(mails[at : at + 10]):
            mail.key = f"mail/{mail.kind.replace(' ', '-')}-{id(mail)}-{index}"
            record = mail_notification(mail.key, mail.recipients, mail.verdicts)
            if mail.body is not None:
                record["body"] = mail.body
            elif mail.raw:
                s3.put_object(Bucket=DEPLOYMENT.mail_bucket, Key=mail.key, Body=mail.raw)
            records.append(record)
        assert simulator.invoke("intake_mail", {"Records": records}) == {"batchItemFailures": []}


@dataclass
class FiledMails:
    """The tickets and mails in the table."""

    numbers: dict[str, list[str]] = field(default_factory=dict)
    numbers_of: NumbersOfMail = field(default_factory=dict)
    automatic: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def read(cls) -> FiledMails:
        outcomes = cls()
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=DEPLOYMENT.table)
        for item in (item for page in pages for item in page["Items"]):
            if item["pk"]["S"].startswith("TICKET#") and item["sk"]["S"].startswith("EVENT#"):
                outcomes.add(read_commit(item))
        return outcomes

    def add(self, commit: Commit) -> None:
        for event in commit.events:
            if isinstance(event, TicketReceived | CustomerWrote):
                self.numbers_of.setdefault((commit.desk, event.raw or ""), []).append(commit.number)
            if isinstance(event, TicketReceived):
                self.numbers.setdefault(commit.desk, []).append(commit.number)
            if event.event in AUTOMATIC:
                self.automatic[commit.desk, commit.number] += 1
