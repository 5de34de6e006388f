"""Events of the running system on a bus of EventBridge, and a customer's export by the console."""

import json
from pathlib import Path

import pytest

from tests.e2e.running_system import ROOT, System, wait_until

DESK = "bussed"
BUS = "deskbell-local-orders"


@pytest.fixture(scope="module")
def queue(system: System, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Apply a desk's playbook with a bus; a rule of the bus fills a queue."""
    text = (ROOT / "playbooks" / "standard.yaml").read_text("utf-8")
    text = text.replace("desk: standard\n", f"desk: {DESK}\n")
    text = text.replace("support@standard.local", f"support@{DESK}.local")
    text += '\nwebhooks:\n  orders:\n    bus: orders\n    events: ["*"]\n'
    path: Path = tmp_path_factory.mktemp("desk") / f"{DESK}.yaml"
    path.write_text(text, "utf-8")
    system.command("playbook", "apply", str(path))
    system.aws("sesv2").create_email_identity(EmailIdentity=f"support@{DESK}.local")
    events, sqs = system.aws("events"), system.aws("sqs")
    url: str = sqs.create_queue(QueueName="bus-of-orders")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    pattern = json.dumps({"source": ["deskbell"], "detail": {"data": {"desk": [DESK]}}})
    events.put_rule(Name="all", EventBusName=BUS, EventPattern=pattern)
    target = {"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}
    events.put_targets(Rule="all", EventBusName=BUS, Targets=[target])
    return url


def file_ticket(system: System) -> str:
    body = {"contact": "13800138000", "description": "无法登录，请回电 13800138000"}
    answer = system.http("POST", f"/desks/{DESK}/tickets", body)
    assert answer.status == 201, answer.text
    number: str = answer.json["number"]
    return number


@pytest.mark.requirement("G5", "G13")
def test_events_arrive_on_the_bus(system: System, queue: str) -> None:
    number, found = file_ticket(system), set[str]()

    def arrived() -> bool:
        sqs = system.aws("sqs")
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
            "Messages", ()
        ):
            event = json.loads(message["Body"])
            assert event["detail"]["id"].startswith(f"msg_{DESK}_")
            assert "13800138000" not in message["Body"]
            if event["detail"]["data"]["number"] == number:
                found.add(event["detail-type"])
        return {"ticket.received", "ticket.classified", "ticket.queued"} <= found

    wait_until(arrived, "received, classified, queued")
    assert system.command("webhooks", "send-test", DESK, "orders").startswith("event ")


@pytest.mark.requirement("B10", "G13")
def test_a_customer_gets_what_is_stored(system: System, queue: str, tmp_path: Path) -> None:
    number, file = file_ticket(system), tmp_path / "customer.json"
    system.command("customer", "export", DESK, number, str(file), "--reason", "asked by letter")
    document = json.loads(file.read_bytes())
    (ticket,) = [each for each in document["tickets"] if each["number"] == number]
    assert {"description": "无法登录，请回电 13800138000"} in ticket["originals"].values()
    assert "original" in {each["what"] for each in document["opened"]}
    assert "customer.export" in {each["act"] for each in document["audit"]}
