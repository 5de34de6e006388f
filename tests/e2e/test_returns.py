"""Bounces on the whole system, over SMTP and SES's topic."""

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


def test_ses_reports_a_bounce_through_the_mail_topic(desk: Desk) -> None:
    address = "reported@example.com"
    number = desk.system.file(address, "无法登录")["number"]
    sent = desk.system.mail_about(address, number)
    headers = [{"name": "References", "value": sent["References"]}]
    told = ses_notification(named="eventType", headers=headers, recipient=address)
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
