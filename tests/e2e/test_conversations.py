"""Customers' later messages on the whole system, over HTTP and SMTP."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from tests.e2e.running_system import System, wait_until
from tests.e2e.test_returns import Desk

CUSTOMER = "wang@example.com"


@pytest.fixture(scope="module")
def desk(system: System) -> Desk:
    return Desk(system)


def write(desk: Desk, number: str, text: str) -> None:
    """Answer the ticket's first mail."""
    sent = desk.system.mail_about(CUSTOMER, number)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = CUSTOMER, sent["Reply-To"], f"Re: [{number}]"
    mail["In-Reply-To"] = sent["Message-ID"]
    mail.set_content(text)
    desk.send(mail.as_bytes(), sent["Reply-To"], CUSTOMER)


def until(desk: Desk, number: str, **expected: Any) -> Any:
    def look() -> Any:
        seen = desk.view(number)
        return all(seen[key] == value for key, value in expected.items()) and seen

    return wait_until(look, f"{number} has {expected}")


@pytest.mark.requirement("A4", "A7", "A13", "E3")
def test_messages_are_evaluated_while_open_and_read_after_the_resolution(desk: Desk) -> None:
    """The first promise is that of the rules; a score archives, thanks after it change nothing."""
    outage = desk.system.file(CUSTOMER, "系统崩溃，核心业务中断")
    promised = datetime.fromisoformat(outage["expected_response_by"]) - datetime.now(UTC)
    assert promised < timedelta(hours=2, minutes=1)

    number = desk.system.file(CUSTOMER, "请问你们几点上班")["number"]
    write(desk, number, "我的账号被盗了")
    seen = until(desk, number, priority="高")
    assert (seen["type"], seen["proposed_type"]) == ("咨询", "报障")
    assert "账号安全" in seen["tags"]

    desk.act(number, "take")
    desk.act(number, "resolve", summary="已冻结账号并重置密码")
    write(desk, number, "5分，谢谢！")
    until(desk, number, status="archived", score=5)
    write(desk, number, "谢谢")
    wait_until(
        lambda: [m["text"] for m in desk.view(number)["messages"]][-1] == "谢谢", "it is kept"
    )
    until(desk, number, status="archived", score=5)
    write(desk, number, "账号又被盗了，还是不行")
    wait_until(lambda: desk.view(number)["status"] in {"queued", "assigned"}, "it is open again")
