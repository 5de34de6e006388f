"""Merging and unmerging through the real handlers: agents, customers, mail, archive."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import boto3
import pytest

from deskbell.client import ApiResponse
from functions.administration.retention import erase, hold
from functions.core.domain.errors import ActionNotAllowed
from functions.core.domain.roster import Agent
from functions.core.platform import aws
from functions.core.services.links import ticket_path
from functions.core.text.tokens import message_id
from tests.inprocess.desk_journey import SimulatedJourney, customer_link, deployed

pytestmark = pytest.mark.requirement("A14", "G4")
ROSTER = (("li-1", "技术支持组", "agent"), ("li-2", "技术支持组", "agent"),
          ("zg-1", "主管组", "supervisor"), ("zj-1", "质检组", "qa"))  # fmt: skip
MAIL = "li.lei@example.com"


@pytest.fixture
def journey() -> Iterator[SimulatedJourney]:
    roster = [
        Agent(desk="standard", username=name, role=role, team=team, capacity=5)
        for name, team, role in ROSTER
    ]
    with deployed("standard", roster) as found:
        found.online("li-1")
        yield found


def act_on(
    journey: SimulatedJourney, who: str, number: str, action: str, **body: Any
) -> ApiResponse:
    journey.number = number
    return journey.try_action(who, action, **body)


def view(journey: SimulatedJourney, number: str) -> Any:
    journey.number = number
    return journey.view()


def status_link(journey: SimulatedJourney, number: str) -> str:
    return customer_link(journey.simulator, journey.storage.tickets.load("standard", number))


def message_texts(shown: Any) -> list[str]:
    return [m["text"] for m in shown["messages"] if m["event"] != "TicketMerged"]


def file_two(journey: SimulatedJourney, **second: Any) -> tuple[str, str]:
    one = file_proven(journey, "无法登录，提示网络错误")
    return one, file_proven(journey, "还是无法登录", **second)


def file_proven(journey: SimulatedJourney, text: str, **fields: Any) -> str:
    number = journey.file(text, **{"contact": MAIL, **fields})
    journey.prove_contact()
    return number


def test_two_requests_are_merged_and_unmerged(journey: SimulatedJourney) -> None:
    one, other = file_two(journey)
    assert view(journey, other)["status"] == "assigned"
    load = journey.storage.roster.get("standard", "li-1")
    assert load is not None
    assert load.load == 2
    merged = act_on(journey, "li-1", other, "merge", into=one, reason="同一个问题", version=3)
    assert merged.status == 200, merged.text
    assert (merged.json["status"], merged.json["merged_into"]) == ("merged", one)
    assert merged.json["actions"] == ["unmerge"]
    after = journey.storage.roster.get("standard", "li-1")
    assert after is not None
    assert after.load == 1

    # one message tells the customer, and nothing else is sent about it any more
    told = [d.message for d in journey.storage.deliveries.list("standard", other)]
    assert told.count("merged") == 1
    assert one in journey.message_text("customer", "merged")

    # by the portal, with the merged ticket's link
    path, _, query = status_link(journey, other).partition("?")
    wrote = journey.http("POST", f"{path}/messages?{query}", {"text": "版本是 5.2"})
    assert (wrote.status, wrote.json["number"]) == (201, one)
    # by mail, in answer to the merged ticket's mail, and by its number in the subject
    for reference in (True, False):
        journey.simulator.mail(reply_mail(journey, other, reference), "support@standard.local")
        journey.simulator.pump()
    shown = view(journey, one)
    assert shown["carries"] == [other]
    said = [(m["number"], m["text"]) for m in shown["messages"] if m["direction"] == "in"]
    assert said == [
        (one, "无法登录，提示网络错误"), (other, "还是无法登录"), (one, "版本是 5.2"),
        (one, "又试了一次 True"), (one, "又试了一次 False"),
    ]  # fmt: skip
    assert view(journey, other)["goes_on_as"] == one

    # the customer's pages
    gone = journey.http("GET", status_link(journey, other)).json
    assert (gone["status"], gone["goes_on_as"]) == ("merged", one)
    page = journey.http("GET", status_link(journey, other), headers={"Accept": "text/html"}).text
    assert f'href="{one}?key=' in page
    here = journey.http("GET", status_link(journey, one)).json
    assert [t["number"] for t in here["timeline"] if "number" in t] == [other]

    journey.number = one
    journey.act("li-1", "reply", text="已修复")
    undone = act_on(journey, "li-1", other, "unmerge", reason="其实是两件事")
    assert (undone.json["status"], undone.json["handler"]) == ("assigned", "li-1")
    assert len([m for m in view(journey, one)["messages"] if m["direction"] == "in"]) == 4
    wrote = journey.http("POST", f"{path}/messages?{query}", {"text": "我的呢"})
    assert wrote.json["number"] == other
    assert "我的呢" in message_texts(view(journey, other))
    assert "goes_on_as" not in journey.http("GET", status_link(journey, other)).json


def reply_mail(journey: SimulatedJourney, number: str, reference: bool) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = MAIL, "support@standard.local"
    mail["Subject"] = "回复" if reference else f"[{number}] 回复"
    mail["Message-ID"] = f"<{number}-{reference}@mail.example.com>"
    if reference:
        root = aws.root_key(journey.simulator.deployment)
        mail["In-Reply-To"] = f"<{message_id(root, 'standard', number, 1, 'standard.local')}>"
    mail.set_content(f"又试了一次 {reference}")
    return mail.as_bytes()


@pytest.mark.requirement("F2")
def test_an_unmerged_ticket_without_a_handler_is_routed(journey: SimulatedJourney) -> None:
    one = journey.file("无法登录", contact=MAIL)
    journey.as_agent("li-1", "PUT", "/me/presence", {"online": False})
    other = journey.file("还是无法登录", contact=MAIL)
    assert view(journey, other)["status"] == "queued"
    assert act_on(journey, "zg-1", other, "merge", into=one).status == 200
    journey.online("li-2")
    assert view(journey, other)["status"] == "merged"
    assert act_on(journey, "zg-1", other, "unmerge").json["status"] == "queued"
    assert view(journey, other)["handler"] == "li-2"


def test_a_refused_merge_names_the_reason(journey: SimulatedJourney) -> None:
    one, other = file_two(journey)
    third = file_proven(journey, "无法登录")
    itself = act_on(journey, "li-1", one, "merge", into=one)
    assert (itself.status, "与自身合并" in itself.json["detail"]) == (409, True)
    assert act_on(journey, "li-1", one, "merge", into="NOPE").status == 404
    assert act_on(journey, "li-1", other, "merge", into=one).status == 200
    for answer in (
        act_on(journey, "li-1", other, "merge", into=one),
        act_on(journey, "li-1", third, "merge", into=other),
        act_on(journey, "zg-1", other, "reply", text="x"),
    ):
        assert answer.status == 409
        assert one in answer.json["detail"]
        assert answer.headers["content-type"] == "application/problem+json"
    assert act_on(journey, "li-1", one, "merge", into=other).status == 409
    assert act_on(journey, "li-1", third, "merge", into=one, version=1).status == 409
    assert act_on(journey, "zj-1", third, "merge", into=one).status == 403
    assert act_on(journey, "li-2", third, "merge", into=one).status == 403
    assert act_on(journey, "li-2", other, "unmerge").status == 403
    assert act_on(journey, "li-1", third, "merge", into=one, what=1).status == 400


def test_merged_customers_see_nothing_of_each_other(journey: SimulatedJourney) -> None:
    one, other = file_two(journey, contact="13912345678")
    assert act_on(journey, "li-1", other, "merge", into=one).status == 403
    assert act_on(journey, "zg-1", other, "merge", into=one).status == 200
    assert "merged" not in [d.message for d in journey.storage.deliveries.list("standard", other)]
    path, _, query = status_link(journey, other).partition("?")
    photo = {"name": "别人的截图.txt", "content": "5L2g5aW9"}
    body = {"text": "我这里也是", "attachments": [photo]}
    wrote = journey.http("POST", f"{path}/messages?{query}", body)
    assert (wrote.status, wrote.json) == (201, {"number": other, "status": "merged"})
    assert "别人的截图" in str(view(journey, one)["attachments"])
    assert "我这里也是" in message_texts(view(journey, one))
    for accept in ("application/json", "text/html"):
        answer = journey.http("GET", status_link(journey, other), headers={"Accept": accept})
        assert one not in answer.text
        theirs = journey.http("GET", status_link(journey, one), headers={"Accept": accept}).text
        assert other not in theirs
        assert "别人的截图" not in theirs
    events = [
        entry["event"] for entry in journey.http("GET", status_link(journey, one)).json["timeline"]
    ]
    assert events == ["TicketReceived", "TicketAssigned"]


@pytest.mark.requirement("G2")
def test_a_long_merged_ticket_is_shown_by_its_newest_entries(
    journey: SimulatedJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = file_two(journey)
    assert act_on(journey, "li-1", other, "merge", into=one).status == 200
    monkeypatch.setattr("functions.portal.calls.PAGE", 2)
    shown = journey.http("GET", status_link(journey, one)).json
    assert len([entry for entry in shown["timeline"] if entry.get("number") == other]) <= 2
    assert shown["before"] is not None


def test_an_unproven_contact_is_nobody_s_other_ticket(journey: SimulatedJourney) -> None:
    """A form in a victim's name, merged with the victim's ticket, leads nowhere (Links)."""
    theirs = file_proven(journey, "发票抬头是某某公司")
    forged = journey.file("无法登录", contact=MAIL)
    for number in (theirs, forged):
        assert [o["same_customer"] for o in view(journey, number)["other_tickets"]] == [False]
    assert act_on(journey, "li-1", forged, "merge", into=theirs).status == 403
    assert act_on(journey, "zg-1", forged, "merge", into=theirs).status == 200
    for number, hidden in ((forged, theirs), (theirs, forged)):
        for accept in ("application/json", "text/html"):
            headers = {"Accept": accept}
            shown = journey.http("GET", status_link(journey, number), headers=headers)
            assert (shown.status, hidden in shown.text) == (200, False)
    path, _, query = status_link(journey, forged).partition("?")
    wrote = journey.http("POST", f"{path}/messages?{query}", {"text": "是我本人"})
    # This POST proved the contact, so from now on both are one customer's.
    assert (wrote.status, wrote.json["number"]) == (201, theirs)
    assert theirs in journey.http("GET", status_link(journey, forged)).text
    assert view(journey, forged)["contact_proven"] is True
    (other,) = view(journey, forged)["other_tickets"]
    assert (other["number"], other["same_customer"]) == (theirs, True)


def test_a_submitter_s_message_to_a_merged_ticket_is_a_stranger_s(
    journey: SimulatedJourney,
) -> None:
    one, other = file_two(journey)
    assert act_on(journey, "li-1", other, "merge", into=one).status == 200
    ticket = journey.storage.tickets.load("standard", other)
    root = aws.root_key(journey.simulator.deployment)
    path, _, query = ticket_path(root, "submitter", ticket).partition("?")
    wrote = journey.http("POST", f"{path}/messages?{query}", {"text": "把资料发给我"})
    assert (wrote.status, wrote.json["number"]) == (201, other)
    assert one not in journey.http("GET", f"{path}?{query}").text
    (written,) = [m for m in view(journey, one)["messages"] if m["text"] == "把资料发给我"]
    assert written["by_submitter"] is True
    target = journey.storage.tickets.load("standard", one)
    for link in (status_link(journey, one), ticket_path(root, "submitter", target)):
        assert "把资料发给我" not in journey.http("GET", link).text


@pytest.mark.requirement("F4")
def test_a_merged_ticket_asks_the_customer_nothing(journey: SimulatedJourney) -> None:
    """Merging ends its closing workflow without a document; unmerging starts another."""
    one = file_proven(journey, "无法登录")
    journey.act("li-1", "resolve", summary="重置密码")
    other = file_proven(journey, "还是无法登录")
    (run,) = journey.simulator.workflows.executions.values()
    assert run.status == "RUNNING"
    assert act_on(journey, "li-1", one, "merge", into=other).status == 200
    assert run.status == "SUCCEEDED"
    assert "Contents" not in boto3.client("s3").list_objects_v2(
        Bucket=journey.simulator.deployment.archive_bucket
    )
    path, _, query = status_link(journey, one).partition("?")
    assert journey.http("POST", f"{path}/survey?{query}", {"score": 5}).status == 409
    assert act_on(journey, "li-1", one, "unmerge").json["status"] == "resolved"
    assert len(journey.simulator.workflows.executions) == 2
    assert journey.http("POST", f"{path}/survey?{query}", {"score": 5}).status == 200
    assert view(journey, one)["status"] == "archived"
    journey.number = one
    assert journey.archived()[0]["ticket"]["status"] == "archived"


@pytest.mark.requirement("B10", "G6")
def test_the_archive_document_holds_both_until_one_is_erased(journey: SimulatedJourney) -> None:
    one, other = file_two(journey, contact="13912345678")
    act_on(journey, "zg-1", other, "merge", into=one)
    path, _, query = status_link(journey, other).partition("?")
    journey.http("POST", f"{path}/messages?{query}", {"text": "另一位客户的话"})
    journey.number = one
    journey.act("li-1", "resolve", summary="重置密码")
    journey.act_as_customer("survey", score=5)
    document, _ = journey.archived()
    assert [m["text"] for m in document["messages"] if m["direction"] == "in"] == [
        "无法登录，提示网络错误", "还是无法登录", "另一位客户的话",
    ]  # fmt: skip
    assert [part["number"] for part in document["merged"]] == [other]

    at, now = journey.records, datetime.now(UTC)
    hold(at, "standard", other, held=True, reason="诉讼", actor="admin", now=now)
    assert journey.archived()[1]["hold"] == "true"
    assert journey.storage.tickets.load("standard", one).held
    hold(at, "standard", one, held=False, reason="结束", actor="admin", now=now)
    assert not journey.storage.tickets.load("standard", other).held

    erase(at, "standard", contact="13912345678", reason="应客户要求", actor="admin", now=now)
    left = str(journey.storage.tickets.items("standard", one)) + str(journey.archived()[0])
    assert "另一位客户的话" not in left
    assert "还是无法登录" not in left
    assert "无法登录，提示网络错误" in left
    again = erase(at, "standard", number=one, reason="应客户要求", actor="admin", now=now)
    assert again.numbers == (one,)
    assert "无法登录，提示网络错误" not in str(journey.archived()[0])


@pytest.mark.requirement("B10")
def test_one_customer_s_merged_tickets_are_erased_together(journey: SimulatedJourney) -> None:
    one, other = file_two(journey)
    act_on(journey, "li-1", other, "merge", into=one)
    at, now = journey.records, datetime.now(UTC)
    erased = erase(at, "standard", number=other, reason="应客户要求", actor="admin", now=now)
    assert erased.numbers == tuple(sorted((one, other)))
    assert "提示网络错误" not in str(journey.storage.tickets.items("standard", one))


@pytest.mark.requirement("B10")
@pytest.mark.parametrize("contact", [MAIL, "13912345678"])
@pytest.mark.parametrize("by", ["number", "contact"])
def test_a_ticket_merged_into_a_held_one_is_not_erased(
    journey: SimulatedJourney, contact: str, by: str
) -> None:
    one, other = file_two(journey, contact=contact)
    at, now = journey.records, datetime.now(UTC)
    hold(at, "standard", one, held=True, reason="诉讼", actor="admin", now=now)
    assert act_on(journey, "zg-1", other, "merge", into=one).status == 200
    assert not journey.storage.tickets.load("standard", other).held
    who: dict[str, Any] = {"number": other} if by == "number" else {"contact": contact}
    said: dict[str, Any] = {"reason": "应客户要求", "actor": "admin", "now": now}
    if by == "number":
        with pytest.raises(ActionNotAllowed, match=f"with {one} .*release {one} first"):
            erase(at, "standard", **who, **said)
    else:
        assert other in erase(at, "standard", **who, **said).held
    assert not journey.storage.tickets.load("standard", other).erased
    assert "还是无法登录" in str(journey.storage.tickets.items("standard", other))
    hold(at, "standard", one, held=False, reason="结束", actor="admin", now=now)
    assert other in erase(at, "standard", **who, **said).numbers
