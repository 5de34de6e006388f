"""Webhooks from the running system to an endpoint on this machine."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from functions.core.domain.webhooks import MessageId
from functions.core.storage.database import Storage
from tests.e2e.desk_journey import TABLE, tick
from tests.e2e.running_system import ROOT, System, wait_until
from tests.notify.webhook_receiver import Receiver

pytestmark = pytest.mark.requirement("G5")
DESK = "hooked"
"""A desk without agents."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as found:
        yield found


@pytest.fixture(scope="module")
def secret(system: System, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Apply the desk's playbook and return the secret of its endpoint."""
    text = (ROOT / "playbooks" / "standard.yaml").read_text("utf-8")
    text = text.replace("desk: standard\n", f"desk: {DESK}\n")
    text = text.replace("support@standard.local", f"support@{DESK}.local")
    text += f'\nwebhooks:\n  crm:\n    url: {receiver.url}\n    events: ["*"]\n'
    path: Path = tmp_path_factory.mktemp("desk") / f"{DESK}.yaml"
    path.write_text(text, "utf-8")
    assert "OK" in system.command("playbook", "check", str(path))
    system.command("playbook", "apply", str(path))
    return system.command("webhooks", "secret", DESK, "crm").strip()


def file_ticket(system: System) -> str:
    body = {"contact": "customer@example.com", "description": "无法登录"}
    answer = system.http("POST", f"/desks/{DESK}/tickets", body)
    assert answer.status == 201, answer.text
    number: str = answer.json["number"]
    return number


def expected_ids(system: System, number: str) -> set[str]:
    """Return the ids of all webhook messages about a ticket."""
    return {
        str(MessageId(DESK, number, commit.version, position, "crm"))
        for commit in Storage.on(system.aws("dynamodb"), TABLE).tickets.history(DESK, number)
        for position, event in enumerate(commit.events)
        if event.event != "TimersSet"
    }


@pytest.mark.requirement("G5", "E11")
def test_every_event_arrives_once_and_signed(
    system: System, receiver: Receiver, secret: str
) -> None:
    """Even if the endpoint answers 500 at first."""
    receiver.answers = [500]
    number = file_ticket(system)
    wait_until(lambda: len(expected_ids(system, number)) >= 3, "filed, classified, queued")
    wait_until(lambda: len(receiver.got) >= len(expected_ids(system, number)), "all tried")
    failed = receiver.ids[0]
    assert receiver.ids.count(failed) == 1
    # The sweep of a minute later, at once: it takes the schedule's own time for now.
    tick(system, datetime.now(UTC) + timedelta(minutes=2))
    wait_until(lambda: receiver.ids.count(failed) == 2, "tried again")
    accepted = receiver.got[1:]
    assert sorted(request.headers["webhook-id"] for request in accepted) == sorted(
        expected_ids(system, number)
    )
    for request in accepted:
        assert Verifier(secret).verify(request.body, request.headers)
        assert b"customer@example.com" not in request.body


def test_lost_messages_are_replayed_from_the_console(
    system: System, receiver: Receiver, secret: str
) -> None:
    """By id and by time, with the same ids."""
    since = datetime.now(UTC).replace(microsecond=0)
    number = file_ticket(system)
    ids = wait_until(
        lambda: (
            found if len(found := expected_ids(system, number)) >= 3 and found <= {*receiver.ids}
            else None
        ),
        "told",
    )  # fmt: skip
    one = min(ids)
    assert "sent now" in system.command("webhooks", "replay", "--id", one)
    wait_until(lambda: receiver.ids.count(one) == 2, "replayed")
    said = system.command("webhooks", "replay", "--desk", DESK, "--from", since.isoformat())
    again = re.search(r"(\d+) are sent again, 0 for the first time", said)
    assert again, said
    assert int(again[1]) >= len(ids)  # whatever else happened on the desk since then
    tick(system, datetime.now(UTC))
    wait_until(
        lambda: all(receiver.ids.count(each) == 2 + (each == one) for each in ids), "all of a time"
    )


@pytest.mark.requirement("G3", "G5")
def test_a_dead_lettered_webhook_is_listed_and_replayed(
    system: System, receiver: Receiver, secret: str
) -> None:
    """The endpoint answers 410 and comes back."""
    receiver.answers = [410]
    file_ticket(system)
    row = wait_until(
        lambda: next(
            (
                line
                for line in system.command("quarantine", "list", "--desk", DESK).splitlines()
                if "webhook:crm" in line
            ),
            None,
        ),
        "in quarantine",
    )
    kept, cause = row.split("\t")[0], row.split("\t")[-1]
    assert "answered 410" in cause
    before = len(receiver.got)
    assert "is due" in system.command("quarantine", "replay", kept)
    wait_until(lambda: len(receiver.got) > before, "replayed")
    assert "webhook:crm" not in system.command("quarantine", "list", "--desk", DESK)


def test_the_console_sends_a_test_message_and_rotates_the_secret(
    system: System, receiver: Receiver, secret: str
) -> None:
    assert "HTTP 204" in system.command("webhooks", "send-test", DESK, "crm")
    assert receiver.got[-1].json["type"] == "webhook.test"
    new = system.command("webhooks", "rotate", DESK, "crm").strip()
    system.command("webhooks", "send-test", DESK, "crm")
    for each in (secret, new):
        assert Verifier(each).verify(receiver.got[-1].body, receiver.got[-1].headers)
    assert f"{DESK}\tcrm\t{receiver.url}\t*\t2" in system.command("webhooks", "list")
