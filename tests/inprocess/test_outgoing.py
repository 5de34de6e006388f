"""An agent's text reaches the customer as written, and is stored masked."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.administration.retention import erase
from functions.core.domain.roster import Agent
from functions.core.platform import aws
from tests.inprocess.conftest import ROOT
from tests.inprocess.desk_journey import SimulatedJourney, deployed
from tests.moto_internals import sent_mails, sent_texts

pytestmark = pytest.mark.requirement("G10")

COURIER = "13987654321"
HOTLINE = "0571-8822 3344"
SECRETS = (COURIER, HOTLINE)
MAIL = "han.meimei@example.com"
ROSTER = {
    "standard": ("技术支持组", "主管组"),
    "aftersales": ("维修工程师组", "主管组"),
    "omnichannel": ("技术支持", "客服主管"),
}


@pytest.fixture
def desks() -> Iterator[Any]:
    with ExitStack() as stack:

        def deploy(desk: str, playbooks: Path = ROOT / "playbooks") -> SimulatedJourney:
            team, leaders = ROSTER[desk]
            roster = [
                Agent(desk=desk, username="li-1", role="agent", team=team, capacity=9),
                Agent(desk=desk, username="zg-1", role="supervisor", team=leaders, capacity=9),
            ]
            journey = stack.enter_context(deployed(desk, roster, playbooks))
            journey.online("li-1")
            return journey

        yield deploy


def told() -> str:
    """Everything that customers and staff got, mail bodies decoded."""
    mails = [message_from_bytes(m.raw_data.encode(), policy=policy.default) for m in sent_mails()]
    bodies = [mail.get_body(("plain",)) for mail in mails]
    return "\n".join([*(b.get_content() for b in bodies if b), *(text for _, text in sent_texts())])


def stored(journey: SimulatedJourney) -> str:
    items = boto3.client("dynamodb").scan(TableName=journey.simulator.deployment.table)["Items"]
    return repr(items) + json.dumps(items, ensure_ascii=False, default=repr)


@pytest.mark.parametrize("contact", [MAIL, "13812345678"])
def test_a_reply_arrives_as_written_and_is_stored_masked(
    desks: Any, contact: str, capsys: pytest.CaptureFixture[str]
) -> None:
    journey = desks("standard")
    journey.file("无法登录", contact=contact)
    journey.act("zg-1", "assign", agent="li-1")
    journey.act("li-1", "request-info", text=f"请先拨打 {HOTLINE} 验证")
    assert HOTLINE in told()
    journey.act("li-1", "reply", text=f"快递员电话 {COURIER}，今天会联系您")
    assert f"快递员电话 {COURIER}" in told()
    journey.act("li-1", "resolve", summary=f"已转 {HOTLINE}")
    assert contact != MAIL or f"已转 {HOTLINE}" in told()
    out = [m for m in journey.view()["messages"] if m["direction"] == "out" and "sealed" in m]
    assert [m["sealed"] for m in out] == [True, True]
    answer = journey.try_action("li-1", "open-original", message=out[1]["version"], reason="核对")
    assert answer.json["original"] == {"text": f"快递员电话 {COURIER}，今天会联系您"}
    journey.responses = [text for text in journey.responses if text != answer.text]
    for found in (stored(journey), capsys.readouterr().out, *journey.responses):
        assert not [secret for secret in SECRETS if secret in found]


def test_a_reply_without_personal_data_costs_nothing(desks: Any) -> None:
    journey = desks("standard")
    journey.file("无法登录", contact=MAIL)
    journey.act("zg-1", "assign", agent="li-1")
    journey.simulator.calls.clear()
    journey.act("li-1", "reply", text="请重启后再试")
    kms = [call.operation for call in journey.simulator.calls if call.service == "kms"]
    assert kms == ["Decrypt"]  # the contact


def test_a_retry_sends_the_text_as_written(desks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """KMS or the provider was busy; the delivery becomes due again and is made from the table."""
    journey = desks("standard")
    journey.file("无法登录", contact=MAIL)
    journey.act("zg-1", "assign", agent="li-1")
    busy = ClientError({"Error": {"Code": "ThrottlingException"}}, "Decrypt")

    def refuse(**_: Any) -> None:
        raise busy

    with monkeypatch.context() as patch:
        patch.setattr(aws.client("kms"), "decrypt", refuse)
        journey.act("li-1", "reply", text=f"请打 {COURIER}")
        assert COURIER not in told()
    journey.tick(datetime.now(UTC) + timedelta(minutes=10))
    assert told().count(COURIER) == 1
    assert COURIER not in stored(journey)


def test_a_step_s_fields_arrive_as_written(desks: Any) -> None:
    journey = desks("aftersales")
    journey.file("空调不制冷，需要维修", contact=MAIL)
    journey.act("zg-1", "assign", agent="li-1")
    journey.act("li-1", "accept")
    arrival = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    journey.act("li-1", "visit", arrival=arrival, visit_note=f"王师傅 {COURIER}")
    assert f"王师傅 {COURIER}" in told()
    assert COURIER not in stored(journey)


@pytest.mark.slow
def test_an_approved_step_arrives_as_written_and_an_erasure_removes_the_original(
    desks: Any, tmp_path: Path
) -> None:
    """The sealed text of the request for approval goes along with the approved step."""
    shipped = (ROOT / "playbooks" / "omnichannel.yaml").read_text("utf-8")
    step = "  propose:\n"
    assert step in shipped
    changed = shipped.replace(step, f"{step}    approval: {{}}\n")
    (tmp_path / "omnichannel.yaml").write_text(changed, "utf-8")
    journey = desks("omnichannel", tmp_path)
    journey.file("页面报错，无法提交订单", contact=MAIL)
    journey.act("zg-1", "assign", agent="li-1")
    journey.act("li-1", "propose", proposal=f"请联系 {COURIER} 办理")
    journey.act("zg-1", "approve", approved=True)
    assert f"请联系 {COURIER} 办理" in told()
    assert COURIER not in stored(journey)
    assert "'outgoing'" in stored(journey)
    now = datetime.now(UTC)
    erase(journey.records, "omnichannel", contact=MAIL, reason="申请", actor="zg-1", now=now)
    assert "'outgoing'" not in stored(journey)
