"""Merging and unmerging through the real handlers: agents, customers, mail, archive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import boto3
import pytest

from functions.core.domain.errors import ActionNotAllowed
from functions.core.domain.roster import Agent
from functions.core.platform import aws
from functions.core.text.tokens import message_id, status_key
from infra.console.retention import erase, hold
from infra.simulator.simulator import ApiResponse
from tests.inprocess.desk_journey import Case, deployed

pytestmark = pytest.mark.requirement("A14", "G4")
ROSTER = (("li-1", "技术支持组", "agent"), ("li-2", "技术支持组", "agent"),
          ("zg-1", "主管组", "supervisor"), ("zj-1", "质检组", "qa"))  # fmt: skip
MAIL = "li.lei@example.com"


@pytest.fixture
def case() -> Iterator[Case]:
    roster = [
        Agent(desk="standard", username=name, role=role, team=team, capacity=5)
        for name, team, role in ROSTER
    ]
    with deployed("standard", roster) as found:
        found.online("li-1")
        yield found


def act(case: Case, who: str, number: str, action: str, **body: Any) -> ApiResponse:
    case.number = number
    return case.asks(who, action, **body)


def view(case: Case, number: str) -> Any:
    case.number = number
    return case.view()


def status_link(case: Case, number: str) -> str:
    root = aws.root_key(case.loop.deployment)
    return f"/desks/standard/tickets/{number}?key={status_key(root, 'standard', number)}"


def message_texts(shown: Any) -> list[str]:
    return [m["text"] for m in shown["messages"] if m["event"] != "TicketMerged"]


def file_two(case: Case, **second: Any) -> tuple[str, str]:
    one = case.file("无法登录，提示网络错误", contact=MAIL)
    return one, case.file("还是无法登录", **{"contact": MAIL, **second})


@pytest.mark.requirement("A14")
def test_two_requests_are_merged_and_unmerged(case: Case) -> None:
    one, other = file_two(case)
    assert view(case, other)["status"] == "assigned"
    load = case.storage.roster.get("standard", "li-1")
    assert load is not None
    assert load.load == 2
    merged = act(case, "li-1", other, "merge", into=one, reason="同一个问题", version=2)
    assert merged.status == 200, merged.text
    assert (merged.json["status"], merged.json["merged_into"]) == ("merged", one)
    assert merged.json["actions"] == ["unmerge"]
    after = case.storage.roster.get("standard", "li-1")
    assert after is not None
    assert after.load == 1

    # one message tells the customer, and nothing else is sent about it any more
    told = [d.message for d in case.storage.deliveries.list("standard", other)]
    assert told.count("merged") == 1
    assert one in case.said("customer", "merged")

    # by the portal, with the merged ticket's link
    path, _, query = status_link(case, other).partition("?")
    wrote = case.http("POST", f"{path}/messages?{query}", {"text": "版本是 5.2"})
    assert (wrote.status, wrote.json["number"]) == (201, one)
    # by mail, in answer to the merged ticket's mail, and by its number in the subject
    for reference in (True, False):
        case.loop.mail(reply_mail(case, other, reference), "support@standard.local")
        case.loop.pump()
    shown = view(case, one)
    assert shown["carries"] == [other]
    said = [(m["number"], m["text"]) for m in shown["messages"] if m["direction"] == "in"]
    assert said == [
        (one, "无法登录，提示网络错误"), (other, "还是无法登录"), (one, "版本是 5.2"),
        (one, "又试了一次 True"), (one, "又试了一次 False"),
    ]  # fmt: skip
    assert view(case, other)["goes_on_as"] == one

    # the customer's pages
    gone = case.http("GET", status_link(case, other)).json
    assert (gone["status"], gone["goes_on_as"]) == ("merged", one)
    page = case.http("GET", status_link(case, other), headers={"Accept": "text/html"}).text
    assert f'href="{one}?key=' in page
    here = case.http("GET", status_link(case, one)).json
    assert [t["number"] for t in here["timeline"] if "number" in t] == [other]

    case.number = one
    case.act("li-1", "reply", text="已修复")
    undone = act(case, "li-1", other, "unmerge", reason="其实是两件事")
    assert (undone.json["status"], undone.json["handler"]) == ("assigned", "li-1")
    assert len([m for m in view(case, one)["messages"] if m["direction"] == "in"]) == 4
    wrote = case.http("POST", f"{path}/messages?{query}", {"text": "我的呢"})
    assert wrote.json["number"] == other
    assert "我的呢" in message_texts(view(case, other))
    assert "goes_on_as" not in case.http("GET", status_link(case, other)).json


def reply_mail(case: Case, number: str, reference: bool) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = MAIL, "support@standard.local"
    mail["Subject"] = "回复" if reference else f"[{number}] 回复"
    mail["Message-ID"] = f"<{number}-{reference}@mail.example.com>"
    if reference:
        root = aws.root_key(case.loop.deployment)
        mail["In-Reply-To"] = f"<{message_id(root, 'standard', number, 1, 'standard.local')}>"
    mail.set_content(f"又试了一次 {reference}")
    return mail.as_bytes()


@pytest.mark.requirement("F2")
def test_an_unmerged_ticket_without_a_handler_is_routed(case: Case) -> None:
    one = case.file("无法登录", contact=MAIL)
    case.as_agent("li-1", "PUT", "/me/presence", {"online": False})
    other = case.file("还是无法登录", contact=MAIL)
    assert view(case, other)["status"] == "queued"
    assert act(case, "zg-1", other, "merge", into=one).status == 200
    case.online("li-2")
    assert view(case, other)["status"] == "merged"
    assert act(case, "zg-1", other, "unmerge").json["status"] == "queued"
    assert view(case, other)["handler"] == "li-2"


def test_a_refused_merge_names_the_reason(case: Case) -> None:
    one, other = file_two(case)
    third = case.file("无法登录", contact=MAIL)
    itself = act(case, "li-1", one, "merge", into=one)
    assert (itself.status, "itself" in itself.json["detail"]) == (409, True)
    assert act(case, "li-1", one, "merge", into="NOPE").status == 404
    assert act(case, "li-1", other, "merge", into=one).status == 200
    for answer in (
        act(case, "li-1", other, "merge", into=one),
        act(case, "li-1", third, "merge", into=other),
        act(case, "zg-1", other, "reply", text="x"),
    ):
        assert answer.status == 409
        assert one in answer.json["detail"]
        assert answer.headers["content-type"] == "application/problem+json"
    assert act(case, "li-1", one, "merge", into=other).status == 409
    assert act(case, "li-1", third, "merge", into=one, version=1).status == 409
    assert act(case, "zj-1", third, "merge", into=one).status == 403
    assert act(case, "li-2", third, "merge", into=one).status == 403
    assert act(case, "li-2", other, "unmerge").status == 403
    assert act(case, "li-1", third, "merge", into=one, what=1).status == 400


@pytest.mark.requirement("G4")
def test_merged_customers_see_nothing_of_each_other(case: Case) -> None:
    one, other = file_two(case, contact="13912345678")
    assert act(case, "li-1", other, "merge", into=one).status == 403
    assert act(case, "zg-1", other, "merge", into=one).status == 200
    assert "merged" not in [d.message for d in case.storage.deliveries.list("standard", other)]
    path, _, query = status_link(case, other).partition("?")
    photo = {"name": "别人的截图.txt", "content": "5L2g5aW9"}
    body = {"text": "我这里也是", "attachments": [photo]}
    wrote = case.http("POST", f"{path}/messages?{query}", body)
    assert (wrote.status, wrote.json) == (201, {"number": other, "status": "merged"})
    assert "别人的截图" in str(view(case, one)["attachments"])
    assert "我这里也是" in message_texts(view(case, one))
    for accept in ("application/json", "text/html"):
        answer = case.http("GET", status_link(case, other), headers={"Accept": accept})
        assert one not in answer.text
        theirs = case.http("GET", status_link(case, one), headers={"Accept": accept}).text
        assert other not in theirs
        assert "别人的截图" not in theirs
    events = [entry["event"] for entry in case.http("GET", status_link(case, one)).json["timeline"]]
    assert events == ["TicketReceived", "TicketAssigned"]


@pytest.mark.requirement("F4")
def test_a_merged_ticket_asks_the_customer_nothing(case: Case) -> None:
    """Merging ends its closing workflow without a document; unmerging starts another."""
    one = case.file("无法登录", contact=MAIL)
    case.act("li-1", "resolve", summary="重置密码")
    other = case.file("还是无法登录", contact=MAIL)
    (run,) = case.loop.workflows.executions.values()
    assert run.status == "RUNNING"
    assert act(case, "li-1", one, "merge", into=other).status == 200
    assert run.status == "SUCCEEDED"
    assert "Contents" not in boto3.client("s3").list_objects_v2(
        Bucket=case.loop.deployment.archive_bucket
    )
    path, _, query = status_link(case, one).partition("?")
    assert case.http("POST", f"{path}/survey?{query}", {"score": 5}).status == 409
    assert act(case, "li-1", one, "unmerge").json["status"] == "resolved"
    assert len(case.loop.workflows.executions) == 2
    assert case.http("POST", f"{path}/survey?{query}", {"score": 5}).status == 200
    assert view(case, one)["status"] == "archived"
    case.number = one
    assert case.archived()[0]["ticket"]["status"] == "archived"


@pytest.mark.requirement("B10", "G6")
def test_the_archive_document_holds_both_until_one_is_erased(case: Case) -> None:
    one, other = file_two(case, contact="13912345678")
    act(case, "zg-1", other, "merge", into=one)
    path, _, query = status_link(case, other).partition("?")
    case.http("POST", f"{path}/messages?{query}", {"text": "另一位客户的话"})
    case.number, case.link = one, status_link(case, one)
    case.act("li-1", "resolve", summary="重置密码")
    case.customer("survey", score=5)
    document, _ = case.archived()
    assert [m["text"] for m in document["messages"] if m["direction"] == "in"] == [
        "无法登录，提示网络错误", "还是无法登录", "另一位客户的话",
    ]  # fmt: skip
    assert [part["number"] for part in document["merged"]] == [other]

    at, now = case.records, datetime.now(UTC)
    hold(at, "standard", other, held=True, reason="诉讼", actor="admin", now=now)
    assert case.archived()[1]["hold"] == "true"
    assert case.storage.tickets.load("standard", one).held
    hold(at, "standard", one, held=False, reason="结束", actor="admin", now=now)
    assert not case.storage.tickets.load("standard", other).held

    erase(at, "standard", contact="13912345678", reason="应客户要求", actor="admin", now=now)
    left = str(case.storage.tickets.items("standard", one)) + str(case.archived()[0])
    assert "另一位客户的话" not in left
    assert "还是无法登录" not in left
    assert "无法登录，提示网络错误" in left
    again = erase(at, "standard", number=one, reason="应客户要求", actor="admin", now=now)
    assert again.numbers == (one,)
    assert "无法登录，提示网络错误" not in str(case.archived()[0])


@pytest.mark.requirement("B10")
def test_one_customer_s_merged_tickets_are_erased_together(case: Case) -> None:
    one, other = file_two(case)
    act(case, "li-1", other, "merge", into=one)
    at, now = case.records, datetime.now(UTC)
    erased = erase(at, "standard", number=other, reason="应客户要求", actor="admin", now=now)
    assert erased.numbers == tuple(sorted((one, other)))
    assert "提示网络错误" not in str(case.storage.tickets.items("standard", one))


@pytest.mark.requirement("B10")
@pytest.mark.parametrize("contact", [MAIL, "13912345678"])
@pytest.mark.parametrize("by", ["number", "contact"])
def test_a_ticket_merged_into_a_held_one_is_not_erased(case: Case, contact: str, by: str) -> None:
    one, other = file_two(case, contact=contact)
    at, now = case.records, datetime.now(UTC)
    hold(at, "standard", one, held=True, reason="诉讼", actor="admin", now=now)
    assert act(case, "zg-1", other, "merge", into=one).status == 200
    assert not case.storage.tickets.load("standard", other).held
    who: dict[str, Any] = {"number": other} if by == "number" else {"contact": contact}
    said: dict[str, Any] = {"reason": "应客户要求", "actor": "admin", "now": now}
    if by == "number":
        with pytest.raises(ActionNotAllowed, match=f"with {one} .*release {one} first"):
            erase(at, "standard", **who, **said)
    else:
        assert other in erase(at, "standard", **who, **said).held
    assert not case.storage.tickets.load("standard", other).erased
    assert "还是无法登录" in str(case.storage.tickets.items("standard", other))
    hold(at, "standard", one, held=False, reason="结束", actor="admin", now=now)
    assert other in erase(at, "standard", **who, **said).numbers
