"""Text messages: signed, with a short link, and no longer than a desk pays for."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from deskbell.client import ApiResponse
from functions.core.storage.database import Storage
from functions.core.text.sms_parts import sms_parts
from functions.portal.short_links import MAX_WRONG
from infra.simulator.simulator import Simulator
from tests import moto_internals
from tests.inprocess.conftest import DEPLOYMENT, erase_customer
from tests.inprocess.test_links import NEW_CONTACT, PAGE, file_form
from tests.inprocess.test_returns import SUPERVISOR, act_on
from tests.written import written

PHONE = "+8613800138000"
SIGNATURE = "【客户支持】"


def texts() -> list[str]:
    return [text for _, text in moto_internals.sent_texts()]


def links() -> list[str]:
    """The path of the short link in each text message that has one."""
    found = (re.search(r"https://desk\.example\.com(/t/\w{11})$", text) for text in texts())
    return [match[1] for match in found if match]


def follow(
    simulator: Simulator, path: str, source: str = "192.0.2.1", **headers: str
) -> ApiResponse:
    return simulator.http("GET", path, source=source, headers=headers)


def view(simulator: Simulator, number: str) -> Any:
    path = f"/agent/desks/standard/tickets/{number}"
    return simulator.http("GET", path, claims=SUPERVISOR).json


@pytest.fixture
def number(simulator: Simulator) -> str:
    """A ticket of a phone contact in the hand of an agent."""
    number, _ = file_form(simulator, contact=PHONE)
    assert act_on(simulator, number, "assign", agent="li-1").status == 200
    return number


@pytest.mark.requirement("A4", "A14", "G9")
def test_a_short_link_leads_to_the_customers_page(
    simulator: Simulator, storage: Storage, number: str
) -> None:
    act_on(simulator, number, "request-info", text="型号")
    assert all(text.startswith(SIGNATURE) for text in texts())
    assert len(links()) == 2
    (link,) = set(links())
    answer = follow(simulator, link, Accept="text/html")
    assert (answer.status, answer.headers["cache-control"]) == (302, "no-store")
    assert answer.headers["referrer-policy"] == "no-referrer"
    page = simulator.http("GET", answer.headers["location"].removeprefix(".."), headers=PAGE)
    assert (page.status, "型号" in page.text) == (200, True)
    writes = [w for call in simulator.calls for w in written(call.operation, call.request)]
    assert sum("LINK#" in write.key for write in writes) == 1, (
        "the second message finds the link stored"
    )
    stored = json.dumps(
        boto3.client("dynamodb").scan(TableName=DEPLOYMENT.table)["Items"], default=str
    )
    assert link.removeprefix("/t/") not in stored
    assert link.removeprefix("/t/") not in json.dumps(view(simulator, number))


@pytest.mark.parametrize("end", ["correct-contact", "erase"])
def test_a_short_link_ends_with_the_other_links(
    simulator: Simulator, number: str, end: str
) -> None:
    (link,) = links()
    if end == "erase":
        erase_customer(simulator, datetime.now(UTC), number=number)
    else:
        assert act_on(simulator, number, end, contact=NEW_CONTACT).status == 200
    assert follow(simulator, link).status == 404
    page = follow(simulator, link, Accept="text/html")
    assert (page.status, "text/html" in page.headers["content-type"]) == (404, True)


@pytest.mark.requirement("G9")
def test_wrong_codes_are_limited_by_their_source(simulator: Simulator, number: str) -> None:
    (link,) = links()
    codes = [f"/t/{index:011}".replace("0", "z") for index in range(1, MAX_WRONG)] + ["/t/short"]
    assert {follow(simulator, code).status for code in codes} == {404}
    assert follow(simulator, link).status == 429, "a right code is not told apart any more"
    assert follow(simulator, link, source="192.0.2.2").status == 302


@pytest.mark.requirement("A10", "A11", "F8")
def test_an_agent_sees_the_parts_while_writing_and_too_many_are_refused(
    simulator: Simulator, number: str
) -> None:
    frame = view(simulator, number)["sms"]
    assert (frame["max_parts"], frame["price_per_part_usd"]) == (3, "0.03")
    text = "请重启" * 40
    for action in ("reply", "request-info"):
        assert act_on(simulator, number, action, text=text).status == 200
        sent = texts()[-1]
        prefix, suffix = frame[action]["prefix"], frame[action]["suffix"]
        assert sent.startswith(prefix + text)
        assert len(sent) == len(prefix + text + suffix)
        delivered = view(simulator, number)["messages"][-1]
        assert delivered["parts"] == sms_parts(sent) > 1
    before = len(texts())
    for action, field in (("reply", "text"), ("request-info", "text")):
        refused = act_on(simulator, number, action, **{field: "请重启" * 70})
        assert refused.status == 400
        assert re.search(r"需要 [45] 条短信", refused.json["detail"])
        assert "附件" in refused.json["detail"]
    assert len(texts()) == before
    by_mail, _ = file_form(simulator, contact="li.lei@example.com")
    assert view(simulator, by_mail)["sms"] is None
    act_on(simulator, by_mail, "assign", agent="li-1")
    assert act_on(simulator, by_mail, "reply", text="请重启" * 70).status == 200
