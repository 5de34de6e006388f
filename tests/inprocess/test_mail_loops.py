"""Mail loops end, whatever the machines at both ends do.

Two desks of one deployment write to each other's mailboxes. A mail arrives as it was sent, or
without anything by which it could be recognised.
"""

import re
from collections import Counter
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from functions.core.domain.playbook_limits import AutomaticLimits
from functions.core.domain.rules import NotificationRule, Playbook
from functions.core.storage.database import Storage
from infra.simulator.simulator import Simulator
from tests import moto_internals
from tests.inprocess.conftest import ROOT, shipped
from tests.inprocess.test_returns import DESK, act_on, bounce, file_ticket, own_id, replay_delivery

pytestmark = pytest.mark.requirement("G3")
OTHER = "support@omnichannel.local"
MOST_MAILS = 100
SERIAL = count(1)


LIMIT = 8
"""Mails to one address within ten minutes; lower than the default, to end the loops sooner."""


@pytest.fixture
def desks(simulator: Simulator, storage: Storage) -> Simulator:
    """Two desks with low limits."""
    boto3.client("sesv2").create_email_identity(EmailIdentity="omnichannel.local")
    limits = AutomaticLimits(ticket={"10m": 2}, address={"10m": LIMIT})
    for name in ("standard", "omnichannel"):
        playbook = shipped(ROOT / "playbooks" / f"{name}.yaml")
        mail = playbook.mail.model_copy(update={"automatic_limits": limits})
        storage.playbooks.put(playbook.model_copy(update={"mail": mail}), datetime.now(UTC))
    simulator.pump()
    simulator.expire_playbooks()
    return simulator


class MailCarrier:
    """Delivers mail that was sent to a desk's mailbox, once."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.carried = 0
        self.sent: Counter[str] = Counter()

    def run(self, change: Any = lambda raw: raw) -> None:
        """Deliver mail until none is left."""
        while sum(self.sent.values()) < MOST_MAILS:
            self.simulator.pump()
            new = mails()[self.carried :]
            if not new:
                return
            self.carried += len(new)
            for to, raw in new:
                self.sent[to] += 1
                if to in {DESK, OTHER}:
                    self.simulator.mail(change(raw), to)
        raise AssertionError(f"it does not come to rest: {self.sent}")


def mails() -> list[tuple[str, bytes]]:
    """Return the recipient and the raw bytes of every sent mail."""
    return [
        (str(to), m.raw_data if isinstance(m.raw_data, bytes) else m.raw_data.encode())
        for m in moto_internals.sent_mails()
        for to in dict.fromkeys(m.destinations)
    ]


def make_mail(sender: str, to: str, subject: str = "请问", **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<{next(SERIAL)}@mail.example.com>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("请问怎么办？")
    return mail.as_bytes()


def strip_marks(raw: bytes) -> bytes:
    """Return a new mail with the same sender and text, without headers that identify it."""
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    body = found.get_body(("plain",))
    assert body is not None
    mail = EmailMessage()
    mail["From"], mail["To"] = found["From"].addresses[0].addr_spec, found["To"]
    mail["Subject"] = re.sub(r"\[[^\]]*\] ?", "", found["Subject"])
    mail["Message-ID"] = f"<{next(SERIAL)}@relay.example.com>"
    mail.set_content(body.get_content())
    return mail.as_bytes()


def dead_letter_causes(storage: Storage, desk: str) -> list[str]:
    """Return the causes of a desk's dead-lettered deliveries."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=storage.table.name)
    numbers = {
        item["pk"]["S"].split("#")[2]
        for page in pages
        for item in page["Items"]
        if item["pk"]["S"].startswith(f"TICKET#{desk}#")
    }
    found = [d for number in numbers for d in storage.deliveries.list(desk, number)]
    return [d.cause or "" for d in found if d.state == "dead_lettered"]


def test_marked_automatic_mail_ends_a_loop_at_once(desks: Simulator) -> None:
    desks.mail(make_mail(OTHER, DESK), DESK)
    carrier = MailCarrier(desks)
    carrier.run()
    assert carrier.sent[OTHER] == 1
    assert carrier.sent[DESK] == 0


def test_limits_end_a_loop_of_unmarked_mail(desks: Simulator, storage: Storage) -> None:
    desks.mail(make_mail(OTHER, DESK), DESK)
    carrier = MailCarrier(desks)
    carrier.run(strip_marks)
    assert 2 < carrier.sent[DESK] <= LIMIT
    assert 2 < carrier.sent[OTHER] <= LIMIT
    causes = {*dead_letter_causes(storage, "standard"), *dead_letter_causes(storage, "omnichannel")}
    assert causes == {f"capped: {LIMIT} automatic mails within 10m to this address"}
    # An operator sees it: a message in the dead-letter queue, which triggers the alarm.
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName=f"{desks.deployment.prefix}-notify-dlq")["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert "capped: " in message["Body"]


def test_the_desk_s_own_mail_is_recognised_under_another_sender(
    simulator: Simulator, storage: Storage
) -> None:
    """By the keyed id, also if SES has replaced the Message-ID."""
    number = file_ticket(simulator, storage, "li.lei@example.com")
    act_on(simulator, number, "assign", agent="li-1")
    act_on(
        simulator, number, "reply", text="您好"
    )  # a person's words: nothing marks them as automatic
    raw = mails()[-1][1]
    assert b"Auto-Submitted" not in raw
    before = len(storage.tickets.history("standard", number))
    for change in (
        lambda text: text,
        lambda text: re.sub(rb"Message-ID: [^\r]*", b"Message-ID: <ses@amazonses.com>", text),
    ):
        again = re.sub(rb"From: [^\r]*", b"From: list@example.net", change(raw))
        simulator.mail(again, DESK)
        simulator.pump()
    assert len(storage.tickets.history("standard", number)) == before
    kept = boto3.client("s3").list_objects_v2(
        Bucket=simulator.deployment.mail_bucket, Prefix="quarantine/standard/"
    )
    assert kept["KeyCount"] == 2


def test_an_agent_s_replies_are_never_limited(simulator: Simulator, storage: Storage) -> None:
    set_low_limits(storage, simulator)
    number = file_ticket(simulator, storage)
    act_on(simulator, number, "assign", agent="li-1")
    for turn in range(12):
        assert act_on(simulator, number, "reply", text=f"第 {turn} 次").status == 200
        act_on(simulator, number, "assign", agent=f"li-{1 + turn % 2}")
    assert dead_letter_causes(storage, "standard") == []


def test_a_limited_delivery_can_be_replayed(simulator: Simulator, storage: Storage) -> None:
    set_low_limits(storage, simulator)
    numbers = [file_ticket(simulator, storage) for _ in range(4)]
    (held,) = [
        d for d in storage.deliveries.list("standard", numbers[-1]) if d.recipient == "customer"
    ]
    assert (held.state, held.cause) == (
        "dead_lettered",
        "capped: 3 automatic mails within 10m to this address",
    )
    before = len(mails())
    replay_delivery(storage, simulator, held)
    assert len(mails()) == before + 1


def set_low_limits(storage: Storage, simulator: Simulator) -> None:
    """Set low limits on a desk that acknowledges every message."""
    playbook: Playbook = shipped(ROOT / "playbooks" / "standard.yaml")
    limits = AutomaticLimits(ticket={"10m": 2}, address={"10m": 3})
    answers = NotificationRule(on="CustomerWrote", to="customer", message="received")
    changed = playbook.model_copy(
        update={
            "mail": playbook.mail.model_copy(update={"automatic_limits": limits}),
            "notifications": (*playbook.notifications, answers),
        }
    )
    storage.playbooks.put(changed, datetime.now(UTC))
    simulator.pump()
    simulator.expire_playbooks()


STEPS = st.lists(
    st.sampled_from(["new", "form", "answer", "away", "bounce", "hard", "own", "stripped"]),
    min_size=4,
    max_size=14,
)


@pytest.mark.slow
@settings(
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_no_sequence_of_mails_exceeds_the_limits(
    simulator: Simulator, storage: Storage, steps: list[str]
) -> None:
    set_low_limits(storage, simulator)
    address = f"m{next(SERIAL)}@example.com"
    begin = len(mails())
    number = file_ticket(simulator, storage, address)
    for step in steps:
        last = next((raw for to, raw in reversed(mails()) if to == address), b"")
        if step == "new":
            simulator.mail(make_mail(address, DESK), DESK)
        elif step == "form":
            number = file_ticket(simulator, storage, address)
        elif step == "answer":
            simulator.mail(make_mail(address, DESK, References=own_id(simulator, number)), DESK)
        elif step == "away":
            reference = own_id(simulator, number)
            simulator.mail(
                make_mail(address, DESK, References=reference, Auto_Submitted="auto-replied"), DESK
            )
        elif step in {"bounce", "hard"}:
            status = "5.1.1" if step == "hard" else "4.4.7"
            headers = f"Message-ID: {own_id(simulator, number)}\r\nX-Turn: {next(SERIAL)}"
            simulator.mail(bounce(headers, status=status, recipient=address), DESK)
        elif step == "own" and last:
            simulator.mail(last, DESK)
        elif step == "stripped" and last:
            simulator.mail(
                re.sub(rb"From: [^\r]*", f"From: {address}".encode(), strip_marks(last)), DESK
            )
        simulator.pump()
    sent = [raw for to, raw in mails()[begin:] if to == address]
    assert len(sent) <= 3
    by_ticket = Counter(re.findall(rb"X-Deskbell-Id: <standard\.([^.]*)\.", b"\n".join(sent)))
    assert all(found <= 2 for found in by_ticket.values())
