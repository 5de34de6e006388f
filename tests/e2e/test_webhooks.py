"""Webhooks from the running system to an endpoint on this machine."""

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
