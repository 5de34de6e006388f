"""The life of a ticket through the real handlers, in the order of the `standard` guide."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.core.storage.database import Storage
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import ROOT, shipped
from tests.inprocess.desk_journey import SimulatedJourney

PHONE, MAIL, NAME = "13800138000", "han.meimei@example.com", "韩梅梅"
DESCRIPTION = f"无法登录，请回电 {PHONE} 或写信到 {MAIL}"
SECRETS = (PHONE, "138-0013-8000", MAIL, "han.meimei", NAME)


class StandardJourney(SimulatedJourney):
    """A ticket of the standard desk whose text is full of personal data."""

    def __init__(self, simulator: Simulator, storage: Storage) -> None:
        super().__init__(simulator, storage, shipped(ROOT / "playbooks" / "standard.yaml"))

    def file(self, description: str = DESCRIPTION, **fields: Any) -> str:
        return super().file(description, **{"contact": PHONE, "name": NAME, **fields})

    def sent(self) -> list[str]:
        return [f"{d.recipient}:{d.message}:{d.state}" for d in self._deliveries()]


@pytest.fixture
def journey(simulator: Simulator, storage: Storage) -> StandardJourney:
    return StandardJourney(simulator, storage)


@pytest.mark.requirement(
    "A1", "A2", "A3", "A4", "A5", "A8", "A9", "A10", "A12", "A13", "A14", "A15", "A16", "F1", "F2",
    "F4", "F6", "G4", "G6",
)  # fmt: skip
def test_a_request_goes_from_its_receipt_to_the_archive(
    journey: StandardJourney, capsys: pytest.CaptureFixture[str]
) -> None:
    journey.online("li-1")

    # A1, A3, A4: filed, numbered, acknowledged at once
    journey.file()
    assert "customer:received:sent" in journey.sent()

    # A2, A5, A8: tagged, given to a free member of the right team; the customer is told
    view = journey.view("li-1")
    assert view["tags"] == ["无法登录"]
    assert (view["team"], view["handler"], view["status"]) == ("技术支持组", "li-1", "assigned")
    assert "customer:assigned:sent" in journey.sent()

    # A9: a template with the tag, a question and a first solution
    assert "无法登录" in view["suggestion"]["text"]
    assert view["suggestion"]["article"]

    # A10: the reply is on the record and stops the first-response timer
    journey.act("li-1", "reply", text="您好，请点“忘记密码”重置。")
    view = journey.view()
    assert view["status"] == "in_progress"
    assert {t["kind"]: t["state"] for t in view["timers"]}["first_response"] == "met"
    assert journey.status()["first_response_at"]
    out = [m for m in view["messages"] if m["direction"] == "out"]
    assert any("忘记密码" in message["text"] for message in out)

    # A12: resolved with a summary of 100 characters at most; the customer gets the survey
    assert journey.try_action("li-1", "resolve", summary="x" * 101).status == 400
    journey.act("li-1", "resolve", summary="引导客户重置密码")
    assert journey.status()["status"] == "resolved"
    assert any(entry.startswith("customer:resolved") for entry in journey.sent())

    # A13: a good score archives it
    journey.act_as_customer("survey", score=5)
    assert journey.try_as_customer("survey", score=1).status == 409
    shown = journey.status()
    assert shown["status"] == "archived"
    assert shown["summary"] == "引导客户重置密码"

    # A14, A16, F6: the customer sees every step, by link or by the last four of the contact
    by_contact = journey.http("GET", f"/desks/standard/tickets/{journey.number}?contact=8000")
    assert by_contact.json["timeline"] == shown["timeline"]
    assert len(shown["timeline"]) >= 5

    # F4, G6: one workflow, ended; one document with everything that happened
    (execution,) = journey.simulator.workflows.executions.values()
    assert execution.status == "SUCCEEDED"
    assert execution.transitions <= 12
    document = archived(journey)
    assert document["ticket"]["score"] == 5
    assert "SurveyAnswered" in json.dumps(document)

    # G4: nothing raw anywhere
    no_secret_in(journey, capsys.readouterr().out, json.dumps(document, ensure_ascii=False))


def archived(journey: StandardJourney) -> Any:
    s3 = boto3.client("s3")
    (found,) = s3.list_objects_v2(Bucket=journey.simulator.deployment.archive_bucket)["Contents"]
    key = found["Key"]
    assert re.fullmatch(rf"archive/standard/\d{{4}}/{journey.number}\.json", key)
    tags = s3.get_object_tagging(Bucket=journey.simulator.deployment.archive_bucket, Key=key)[
        "TagSet"
    ]
    assert {"Key": "retention-years", "Value": "3"} in tags
    return json.loads(
        s3.get_object(Bucket=journey.simulator.deployment.archive_bucket, Key=key)["Body"].read()
    )


def no_secret_in(journey: StandardJourney, logged: str, *more: str) -> None:
    """Check that no item, log line or response contains a raw number, address or name."""
    table = boto3.client("dynamodb")
    pages = table.get_paginator("scan").paginate(TableName=journey.simulator.deployment.table)
    items = repr([item for page in pages for item in page["Items"]])
    assert journey.number in items
    assert "delivery.sent" in logged
    for place, text in (("table", items), ("log", logged), ("answers", "".join(journey.responses))):
        for secret in SECRETS:
            assert secret not in text, f"the {place} contains {secret}"
    for text in more:
        assert not any(secret in text for secret in SECRETS)


@pytest.mark.requirement("A4", "G4")
def test_a_customer_by_mail_is_answered_by_mail(
    journey: StandardJourney, capsys: pytest.CaptureFixture[str]
) -> None:
    journey.file(contact=MAIL)
    assert "customer:received:sent" in journey.sent()
    no_secret_in(journey, capsys.readouterr().out)


@pytest.mark.requirement("A13")
def test_a_poor_score_goes_to_quality_review(journey: StandardJourney) -> None:
    journey.online("li-1")
    journey.file()
    journey.act("li-1", "reply", text="请重试")
    journey.act("li-1", "resolve", summary="已处理")
    journey.act_as_customer("survey", score=2, comment="太慢")
    assert journey.status()["status"] == "in_review"
    assert any(entry.startswith("qa:") for entry in journey.sent())
    assert [ticket["number"] for ticket in journey.queue("zj-1", "qa")] == [journey.number]
    assert journey.try_action("li-1", "callback", cause="x").status == 403
    journey.act("zj-1", "assign", agent="zj-1")
    journey.act("zj-1", "callback", cause="首次响应太慢")
    assert journey.status()["status"] == "archived"
    assert "首次响应太慢" in json.dumps(archived(journey), ensure_ascii=False)


@pytest.mark.requirement("F4")
def test_an_unanswered_survey_expires(journey: StandardJourney) -> None:
    journey.online("li-1")
    journey.file()
    journey.act("li-1", "reply", text="请重试")
    journey.act("li-1", "resolve", summary="已处理")
    journey.simulator.workflows.expire(f"standard-{journey.number}-1")
    journey.simulator.pump()
    assert journey.status()["status"] == "archived"
    assert archived(journey)["ticket"].get("score") is None


@pytest.mark.requirement("F4")
def test_a_second_resolution_starts_a_second_workflow(journey: StandardJourney) -> None:
    journey.online("li-1")
    journey.file()
    journey.act("li-1", "reply", text="请重试")
    journey.act("li-1", "resolve", summary="已处理")
    journey.act_as_customer("confirmation", solved=False, reason="还是不行")
    runs = journey.simulator.workflows.executions
    assert runs[f"standard-{journey.number}-1"].status == "SUCCEEDED"
    assert journey.status()["status"] == "assigned"
    journey.act("li-1", "resolve", summary="再次处理")
    journey.act_as_customer("survey", score=4)
    assert set(runs) == {f"standard-{journey.number}-1", f"standard-{journey.number}-2"}
    assert archived(journey)["ticket"]["resolutions"] == 2


@pytest.mark.requirement("A11", "F3")
def test_an_information_request_is_followed_by_reminder_and_follow_up(
    journey: StandardJourney,
) -> None:
    journey.online("li-1")
    journey.file()
    before = journey.timer("resolution")
    journey.act("li-1", "request-info", text="请提供订单号")
    view = journey.view()
    assert view["status"] == "awaiting_customer"
    timers = {t["kind"]: t for t in view["timers"]}
    assert timers["resolution"]["state"] == "paused"
    assert before["state"] == "running"
    due = datetime.fromisoformat(timers["customer_info"]["due_at"])
    assert timedelta(hours=23, minutes=59) < due - datetime.now(UTC) <= timedelta(hours=24)
    journey.tick(due - timedelta(hours=11))
    assert any("information_reminder" in entry for entry in journey.sent())
    assert not any("follow_up" in entry for entry in journey.sent())
    journey.simulator.tick(due)
    journey.tick(due + timedelta(minutes=1))
    assert [entry for entry in journey.sent() if "follow_up" in entry] == ["handler:follow_up:sent"]
    journey.act_as_customer("messages", text="订单号 42")
    view = journey.view()
    assert view["status"] == "in_progress"
    assert {t["kind"]: t for t in view["timers"]}["resolution"]["state"] == "running"
    assert any(m["direction"] == "in" and "42" in m["text"] for m in view["messages"])


@pytest.mark.requirement("A6")
def test_an_unconfirmed_vague_request_reaches_the_supervisor(journey: StandardJourney) -> None:
    journey.online("li-1")
    journey.file(description="功能异常")
    assert journey.status()["status"] == "pending_confirmation"
    now = datetime.now(UTC)
    journey.tick(now + timedelta(minutes=9))
    assert not any(entry.startswith("supervisor:") for entry in journey.sent())
    journey.tick(now + timedelta(minutes=10, seconds=1))
    assert any(entry.startswith("supervisor:") for entry in journey.sent())
    answer = journey.try_action("li-1", "confirm-type", type="报障", tags=["无法登录"])
    assert answer.status == 200, answer.text
    assert journey.view()["handler"] == "li-1"


@pytest.mark.requirement("F3", "G2")
def test_an_unanswered_request_is_escalated_on_time(journey: StandardJourney) -> None:
    """紧急问题2小时内响应 — a warning, then a breach at the deadline, once."""
    journey.file(urgency="高")
    due = datetime.fromisoformat(journey.status()["expected_response_by"])
    journey.tick(due - timedelta(seconds=1))
    assert not any("response_overdue" in entry for entry in journey.sent())
    for late in range(3):
        journey.simulator.tick(due + timedelta(minutes=late))
        journey.simulator.pump()
    assert [e for e in journey.sent() if "response_overdue" in e] == [
        "supervisor:response_overdue:sent"
    ]
    timers = {t["kind"]: t["state"] for t in journey.view()["timers"]}
    assert timers["first_response"] == "breached"


@pytest.mark.requirement("F2", "G1", "E11")
def test_a_repeated_record_never_sends_twice(journey: StandardJourney) -> None:
    journey.online("li-1")
    journey.simulator.http(
        "POST", "/desks/standard/tickets", {"contact": MAIL, "description": "无法登录"}
    )
    records: list[Any] = []
    while new := journey.simulator._records():
        records += new
        journey.simulator.deliver(new)
    for _ in range(3):
        journey.simulator.deliver(records)
    sends = [c for c in journey.simulator.calls if c.operation in {"SendEmail", "Publish"}]
    (number,) = (t.number for t in journey.storage.tickets.queue_page(["standard#agent#li-1"])[0])
    deliveries = journey.storage.deliveries.list("standard", number)
    assert {delivery.state for delivery in deliveries} == {"sent"}
    assert len(sends) == len(deliveries) == len({delivery.id for delivery in deliveries})
