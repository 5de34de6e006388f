"""Merging and sealed originals on the whole system, over real HTTP and SMTP."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.running_system import System, wait_until
from tests.e2e.test_full_journey import Desk, desk, texts_in

pytestmark = pytest.mark.requirement("A14", "F2", "G1", "G4")
__all__ = ["desk"]  # a fixture

PHONE, MAIL = "13688886666", "wei.example@example.com"


def test_an_original_is_opened_only_by_a_recorded_act(desk: Desk, system: System) -> None:
    """Through the API, the table, `unseal` and KMS, once; it is logged nowhere."""
    words = f"无法登录，请回电{PHONE}"
    number = system.file(MAIL, words)["number"]
    (message, *_) = agent_view(desk, number)["messages"]
    assert message["sealed"]
    assert PHONE not in message["text"]
    body = {"message": message["version"], "reason": "客户要求回电"}
    token = system.sign_in("supervisor")
    path = f"/agent/desks/standard/tickets/{number}/open-original"
    answer = system.http("POST", path, body, token=token)
    assert answer.status == 200, answer.text
    assert answer.json["original"] == {"description": words}
    assert answer.headers["Cache-Control"] == "no-store"

    (act,) = [x for x in agent_view(desk, number)["timeline"] if x["event"] == "OriginalOpened"]
    assert act["version"] == answer.json["version"]
    assert act["details"] == {"message": 1, "reason": "客户要求回电"}
    again = {"desk": "standard", "number": number, "act": act["version"], "agent": act["actor"]}
    assert "used before" in unseal(system, again)["refused"]
    assert "no such act" in unseal(system, {**again, "act": 1})["refused"]

    qa = system.http("POST", path, body, token=system.sign_in("qa"))
    assert qa.status == 403
    assert not [text for text in texts_in(desk.table()) if PHONE in text]
    assert PHONE not in desk.logs()
    assert not [text for text in desk.answers if PHONE in text]


def unseal(system: System, asked: dict[str, Any]) -> Any:
    """Invoke the function past the API and return its response."""
    client = system.aws("lambda")
    answer = client.invoke(FunctionName="deskbell-local-unseal", Payload=json.dumps(asked).encode())
    return json.loads(answer["Payload"].read())


def agent_view(desk: Desk, number: str) -> Any:
    answer = desk.as_agent("supervisor", "GET", f"/tickets/{number}")
    assert answer.status == 200, answer.text
    return answer.json


def test_two_tickets_are_merged_and_unmerged(desk: Desk, system: System) -> None:
    """A mail to the merged ticket reaches the merge target; two merges at once make no cycle."""
    sender = "merge.example@example.com"
    one, other = (system.file(sender, text) for text in ("无法登录", "还是无法登录"))
    desk.until(one["status_url"], "assigned")
    desk.until(other["status_url"], "assigned")
    first, second = one["number"], other["number"]
    for number in (first, second):
        link = system.link_sent_about(number).replace("?", "/messages?")
        assert desk.http("POST", link, {"text": "是我"}).status == 201
    merged = desk.act("supervisor", second, "merge", {"into": first, "reason": "同一问题"})
    assert (merged["status"], merged["merged_into"]) == ("merged", first)
    notice = system.mail_about(sender, f"与请求 {first} 合并处理")
    assert f"[{second}]" in notice["Subject"]

    system.mail(sender, "Re:", "仍然无法登录", In_Reply_To=notice["Message-ID"])
    wait_until(
        lambda: "仍然无法登录" in [m["text"] for m in agent_view(desk, first)["messages"]],
        "the mail on the survivor",
    )
    gone = desk.status(system.link_sent_about(second))
    assert (gone["status"], gone["goes_on_as"]) == ("merged", first)
    path = f"/tickets/{second}/merge"
    refused = desk.as_agent("supervisor", "POST", path, {"into": first})
    assert (refused.status, first in refused.json["detail"]) == (409, True)

    exported = json.loads(system.command("ticket", "export", "standard", first))
    assert [part["number"] for part in exported["merged"]] == [second]

    parted = desk.act("supervisor", second, "unmerge", {"reason": "两件事"})
    assert parted["status"] == "assigned"
    assert "仍然无法登录" in [m["text"] for m in agent_view(desk, first)["messages"]]
    assert "仍然无法登录" not in [m["text"] for m in agent_view(desk, second)["messages"]]

    def merge(pair: tuple[str, str]) -> int:
        way = f"/tickets/{pair[0]}/merge"
        return desk.as_agent("supervisor", "POST", way, {"into": pair[1]}).status

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(merge, [(first, second), (second, first)]))
    assert sorted(statuses) == [200, 409]
