"""Bounces and mail loops on the whole system, over SMTP and SES's topic."""

import time
from email.message import EmailMessage
from typing import Any

import pytest

from tests.e2e.running_system import System, wait_until
from tests.inprocess.test_returns import bounce, ses_notification


class Desk:
    """The standard desk as its supervisor sees it, and its customers' mailboxes."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.token = system.sign_in()

    def view(self, number: str) -> Any:
        path = f"/agent/desks/standard/tickets/{number}"
        answer = self.system.http("GET", path, token=self.token)
        assert answer.status == 200, answer.text
        return answer.json

    def act(self, number: str, action: str, **body: Any) -> None:
        path = f"/agent/desks/standard/tickets/{number}/{action}"
        answer = self.system.http("POST", path, body, token=self.token)
        assert answer.status == 200, answer.text

    def send(self, raw: bytes, to: str, sender: str = "") -> None:
        with self.system.smtp() as connection:
            connection.sendmail(sender, [to], raw)

    def until_marked(self, number: str) -> str:
        found: str = wait_until(
            lambda: self.view(number)["customer"]["undeliverable"], f"{number} is marked"
        )
        return found


@pytest.fixture(scope="module")
def desk(system: System) -> Desk:
    return Desk(system)


def test_a_bounce_stops_mail_until_the_contact_is_corrected(desk: Desk) -> None:
    """Held mail is listed with its cause and goes to the new contact when replayed."""
    address, mailbox = "gone@example.com", desk.system.local["mailboxes"]["standard"]
    number = desk.system.file(address, "无法登录")["number"]
    sent = desk.system.mail_about(address, number)
    assert sent["Reply-To"] != mailbox
    desk.send(bounce(f"Message-ID: {sent['Message-ID']}", recipient=address), mailbox)
    assert desk.until_marked(number) == "bounce 5.1.1"
    desk.act(number, "take")
    desk.act(number, "reply", text="请重置密码")

    def held() -> Any:
        said = [m for m in desk.view(number)["messages"] if m["event"] == "ReplySent"]
        return said and said[0]["delivery"] == "dead_lettered"

    wait_until(held, "the reply is a dead letter")
    found = wait_until(
        lambda: [
            line
            for line in desk.system.command("quarantine", "list").splitlines()
            if "blocked:" in line
        ],
        "the held mail in quarantine",
    )
    assert found
    desk.act(number, "correct-contact", contact="found@example.org")
    desk.system.command("quarantine", "replay", "--all")
    assert desk.system.mail_about("found@example.org", number)["To"] == "found@example.org"


@pytest.mark.parametrize("named", ["eventType", "notificationType"])
def test_ses_reports_a_bounce_through_the_mail_topic(desk: Desk, named: str) -> None:
    """As a configuration set's event with headers, and as an identity's notification without."""
    address = f"{named.lower()}@example.com"
    number = desk.system.file(address, "无法登录")["number"]
    sent = desk.system.mail_about(address, number)
    headers = [{"name": "References", "value": sent["References"]}]
    told = ses_notification(
        named=named, headers=headers if named == "eventType" else None, recipient=address
    ).replace("00000138111222aa", f"{abs(hash(named)):x}")
    sns = desk.system.aws("sns")
    topic = next(
        topic["TopicArn"]
        for topic in sns.list_topics()["Topics"]
        if topic["TopicArn"].endswith(":deskbell-local-mail")
    )
    sns.publish(TopicArn=topic, Message=told)
    assert desk.until_marked(number) == "bounce 5.1.1"


@pytest.mark.requirement("F7")
def test_mail_is_sent_through_the_configuration_set(desk: Desk) -> None:
    """It reports bounces and complaints to the mail topic."""
    ses = desk.system.aws("sesv2")
    (found,) = ses.get_configuration_set_event_destinations(ConfigurationSetName="deskbell-local")[
        "EventDestinations"
    ]
    assert set(found["MatchingEventTypes"]) == {"BOUNCE", "COMPLAINT"}
    assert found["SnsDestination"]["TopicArn"].endswith(":deskbell-local-mail")


def test_an_answer_joins_its_ticket_by_the_reply_address(desk: Desk) -> None:
    """From another sender, without a quotation."""
    address = "asks@example.com"
    number = desk.system.file(address, "无法登录")["number"]
    to = desk.system.mail_about(address, number)["Reply-To"]
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = "colleague@example.org", "x@example.org", "x"
    answer["Message-ID"] = "<colleague@example.org>"
    answer.set_content("补充：版本 5.2.1")
    desk.send(answer.as_bytes(), to, "colleague@example.org")
    wait_until(
        lambda: [m for m in desk.view(number)["messages"] if "5.2.1" in m["text"]],
        "the answer on its ticket",
    )


def test_a_mail_loop_between_two_desks_ends(desk: Desk) -> None:
    """Mail from one desk is delivered unchanged to the other's mailbox."""
    boxes = desk.system.local["mailboxes"]
    one, other = boxes["standard"], boxes["omnichannel"]
    first = EmailMessage()
    first["From"], first["To"], first["Subject"] = other, one, "请问"
    first["Message-ID"] = "<circle@example.com>"
    first.set_content("请问发票怎么开？")
    desk.send(first.as_bytes(), one, other)
    wait_until(lambda: desk.system.sent(other), "the first answer")
    carried = {one: 0, other: 0}
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 12:
        for box in carried:
            for raw in desk.system.mails(box)[carried[box] :]:
                carried[box] += 1
                quiet_since = time.monotonic()
                desk.send(raw, box)
        assert sum(carried.values()) < 20, "it does not come to rest"
        time.sleep(0.5)
    assert carried[one] == 0
    assert 1 <= carried[other] <= 3
    listed = desk.system.command("quarantine", "list", "--desk", "omnichannel")
    assert "auto_reply" in listed
