"""The submitter's and the customer's link: what each opens, and when it ends (Links)."""

import json
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from functions.core.domain.events import CustomerWrote
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.core.text.tokens import message_id
from infra.simulator.simulator import Simulator
from tests import moto_internals
from tests.inprocess.conftest import WEBHOOK_SECRET, erase_customer
from tests.inprocess.desk_journey import customer_link
from tests.inprocess.test_mail_loops import mails, make_mail
from tests.inprocess.test_returns import (
    CUSTOMER,
    DESK,
    SUPERVISOR,
    act_on,
    file_ticket,
    last_delivery,
)
from tests.signed_requests import signed

pytestmark = pytest.mark.requirement("A14", "A16", "F6", "G4")
NEW_CONTACT = "li.lei2@example.org"
FORM = "/desks/standard/tickets"
PAGE = {"Accept": "text/html"}


def file_form(simulator: Simulator, **fields: Any) -> tuple[str, str]:
    """Submit the open form; return the ticket's number and the path of the answered link."""
    body = {"contact": CUSTOMER, "description": "无法登录", **fields}
    answer = simulator.http("POST", FORM, body)
    assert answer.status == 201, answer.text
    simulator.pump()
    return answer.json["number"], answer.json["status_url"].removeprefix("https://desk.example.com")


def post(simulator: Simulator, link: str, call: str, **body: Any) -> Any:
    path, _, query = link.partition("?")
    answer = simulator.http("POST", f"{path}/{call}?{query}", body)
    simulator.pump()
    return answer


def link_sent(simulator: Simulator, storage: Storage, number: str) -> str:
    return customer_link(simulator, storage.tickets.load("standard", number))


def sent_texts(address: str) -> list[str]:
    return [
        str(mail.raw_data)
        for mail in moto_internals.sent_mails()
        if address in str(mail.destinations)
    ]


def proven(storage: Storage, number: str) -> bool:
    return storage.tickets.load("standard", number).contact_proven


def test_a_submitter_sees_what_was_submitted_and_nothing_else(
    simulator: Simulator, storage: Storage
) -> None:
    number, link = file_form(simulator, type="报障")
    assert act_on(simulator, number, "assign", agent="li-1").status == 200
    assert act_on(simulator, number, "reply", text="请重启").status == 200
    assert post(simulator, link_sent(simulator, storage, number), "messages", text="私下说").status
    assert post(simulator, link, "messages", text="又试了一次").status == 201
    assert act_on(simulator, number, "resolve", summary="已重置密码").status == 200
    mine = simulator.http("GET", link).json
    theirs = simulator.http("GET", link_sent(simulator, storage, number)).json
    assert set(theirs) <= set(mine)
    assert [entry["text"] for entry in mine["submitted"]] == ["无法登录", "又试了一次"]
    assert mine["number"] == number
    assert mine["status"] == theirs["status"] == "resolved"
    assert mine["expected_response_by"] == theirs["expected_response_by"]
    hidden = ("tags", "team", "handler", "summary", "timeline", "messages", "attachments")
    assert all(theirs[name] or name == "attachments" for name in hidden)
    assert not any(mine[name] for name in hidden)
    page = simulator.http("GET", link, headers=PAGE).text
    for words in ("请重启", "私下说", "已重置密码", "li-1", "技术支持组"):
        assert words not in json.dumps(mine, ensure_ascii=False)
        assert words not in page
    assert "又试了一次" in page
    assert "/messages?" in page
    assert "/survey?" not in page


@pytest.mark.parametrize(
    ("call", "body"), [("survey", {"score": 5}), ("confirmation", {"solved": True})]
)
def test_a_submitter_neither_confirms_nor_rates(
    simulator: Simulator, storage: Storage, call: str, body: dict[str, Any]
) -> None:
    number, link = file_form(simulator)
    act_on(simulator, number, "assign", agent="li-1")
    act_on(simulator, number, "resolve", summary="已重置密码")
    refused = post(simulator, link, call, **body)
    assert (refused.status, "我们发给您的链接" in refused.json["detail"]) == (403, True)
    assert not proven(storage, number)
    assert post(simulator, link_sent(simulator, storage, number), call, **body).status == 200
    assert proven(storage, number)


def test_a_get_proves_nothing_and_a_post_with_a_sent_link_does(
    simulator: Simulator, storage: Storage
) -> None:
    number, link = file_form(simulator)
    sent = link_sent(simulator, storage, number)
    assert simulator.http("GET", sent).status == 200
    assert post(simulator, link, "messages", text="在吗").status == 201
    assert not proven(storage, number)
    assert post(simulator, sent, "messages", text="在的").status == 201
    assert proven(storage, number)
    (first, second) = [
        event
        for commit in storage.tickets.history("standard", number)
        for event in commit.of(CustomerWrote)
    ]
    assert (first.by_submitter, first.unproven) == (True, True)
    assert (second.by_submitter, second.unproven) == (False, False)


def test_an_answered_mail_proves_the_contact(simulator: Simulator, storage: Storage) -> None:
    """From the contact's own address, and by the reference that only its mail contains."""
    number, _ = file_form(simulator)
    root = aws.root_key(simulator.deployment)
    for sender, expected in (("colleague@example.com", False), (CUSTOMER, True)):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, DESK, "Re"
        mail["Message-ID"] = f"<1.{sender}>"
        mail["In-Reply-To"] = f"<{message_id(root, 'standard', number, 1, 'standard.local')}>"
        mail.set_content("还是不行")
        simulator.mail(mail.as_bytes(), DESK, verdicts={"dmarcVerdict": {"status": "GRAY"}})
        simulator.pump()
        assert proven(storage, number) is expected


@pytest.mark.parametrize(("status", "expected"), [("PASS", True), ("GRAY", False)])
def test_a_mail_proves_its_sender_by_dmarc(
    simulator: Simulator, storage: Storage, status: str, expected: bool
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = CUSTOMER, DESK, "无法登录"
    mail["Message-ID"] = "<1@mail.example.com>"
    mail.set_content("无法登录")
    simulator.mail(mail.as_bytes(), DESK, verdicts={"dmarcVerdict": {"status": status}})
    simulator.pump()
    listed = simulator.http("GET", "/agent/desks/standard/tickets?queue=all", claims=SUPERVISOR)
    (ticket,) = listed.json["tickets"]
    assert ticket["contact_proven"] is expected


def test_a_signed_channel_gets_the_customer_s_link(simulator: Simulator, storage: Storage) -> None:
    raw = json.dumps({"contact": CUSTOMER, "description": "无法登录"}).encode()
    path = "/desks/standard/channels/webhook"
    answers = [
        simulator.http("POST", path, raw, headers=signed(WEBHOOK_SECRET, raw)) for _ in range(2)
    ]
    for answer in answers:
        number = answer.json["number"]
        assert answer.json["status_url"].endswith(link_sent(simulator, storage, number))
        assert proven(storage, number)


def test_an_agent_gets_no_link(simulator: Simulator, storage: Storage) -> None:
    """Neither in the answer, nor in a view or a message to colleagues (an agent rated himself)."""
    body = {"contact": CUSTOMER, "description": "无法登录"}
    entered = simulator.http("POST", "/agent/desks/standard/tickets", body, claims=SUPERVISOR)
    assert entered.status == 201
    simulator.pump()
    number = entered.json["number"]
    assert "status_url" not in entered.json
    assert not proven(storage, number)
    key = link_sent(simulator, storage, number).partition("key=")[2]
    view = simulator.http("GET", f"/agent/desks/standard/tickets/{number}", claims=SUPERVISOR)
    assert key not in view.text
    staff = [mail for mail in moto_internals.sent_mails() if CUSTOMER not in str(mail.destinations)]
    assert not [mail for mail in staff if key in str(mail.raw_data)]
    assert key in sent_texts(CUSTOMER)[-1]


def test_a_replaced_contact_is_told_and_its_links_end(
    simulator: Simulator, storage: Storage
) -> None:
    """Both contacts are on record, masked; the new one has proven nothing yet."""
    number, submitted = file_form(simulator)
    before = link_sent(simulator, storage, number)
    assert post(simulator, before, "messages", text="在吗").status == 201
    assert proven(storage, number)
    answer = act_on(simulator, number, "correct-contact", contact=NEW_CONTACT)
    assert answer.status == 200, answer.text

    assert not proven(storage, number)
    assert {simulator.http("GET", link).status for link in (before, submitted)} == {404}
    after = link_sent(simulator, storage, number)
    assert simulator.http("GET", after).status == 200
    told = last_delivery(storage, number, "former_contact_replaced")
    assert (told.state, told.recipient, told.to) == ("sent", "former_contact", "*" * 14 + ".com")
    assert "key=" not in sent_texts(CUSTOMER)[-1]
    assert after.partition("key=")[2] in sent_texts(NEW_CONTACT)[-1]
    view = simulator.http("GET", f"/agent/desks/standard/tickets/{number}", claims=SUPERVISOR).json
    (entry,) = [entry for entry in view["timeline"] if entry["event"] == "ContactCorrected"]
    assert entry["actor"] == "zg-1"
    assert set(entry["details"]) == {"contact", "former_contact"}
    assert "li.lei" not in json.dumps(entry)


@pytest.mark.requirement("B10")
def test_an_erasure_ends_the_links(simulator: Simulator, storage: Storage) -> None:
    number, submitted = file_form(simulator)
    link = link_sent(simulator, storage, number)
    assert simulator.http("GET", link).status == 200
    erase_customer(simulator, datetime.now(UTC), contact=CUSTOMER)
    assert file_ticket(simulator, storage) != number
    assert {simulator.http("GET", old).status for old in (link, submitted)} == {404}


@pytest.mark.requirement("G3")
@pytest.mark.parametrize("by", ["address", "reference", "notice"])
def test_what_a_former_contact_got_proves_no_mail_of_the_new_one(
    simulator: Simulator, storage: Storage, by: str
) -> None:
    """Reply addresses and Message-IDs end like links; the notice about the change has neither."""
    number, _ = file_form(simulator)
    (first, *_) = mails_to(CUSTOMER)
    act_on(simulator, number, "correct-contact", contact=NEW_CONTACT)
    used = mails_to(CUSTOMER)[-1] if by == "notice" else first
    assert send_answer(simulator, used, by) != number
    assert not proven(storage, number)
    (current, *_) = mails_to(NEW_CONTACT)
    assert send_answer(simulator, current, by) == number
    assert proven(storage, number)


def mails_to(address: str) -> list[Any]:
    return [message_from_bytes(raw, policy=policy.default) for to, raw in mails() if to == address]


def send_answer(simulator: Simulator, answered: Any, by: str) -> str:
    """Answer a mail under the new contact's name; return the ticket that got the answer."""
    to = DESK if by == "reference" else answered["Reply-To"]
    raw = make_mail(
        NEW_CONTACT, to, **({} if by == "address" else {"In_Reply_To": answered["Message-ID"]})
    )
    headers = {"content-type": "message/rfc822", **signed(WEBHOOK_SECRET, raw)}
    answer = simulator.http("POST", "/desks/standard/channels/mime", raw, headers=headers)
    simulator.pump()
    routed: str = answer.json["number"]
    return routed


@pytest.mark.requirement("A5")
def test_a_known_contact_gives_its_class_only_once_it_is_proven(
    simulator: Simulator, storage: Storage
) -> None:
    """Anybody can type a VIP's contact into the form."""
    first, _ = file_form(simulator)
    assert act_on(simulator, first, "set-customer-class", customer_class="vip").status == 200
    number, submitted = file_form(simulator)

    def classes() -> tuple[str | None, str | None]:
        path = f"/agent/desks/standard/tickets/{number}"
        customer = simulator.http("GET", path, claims=SUPERVISOR).json["customer"]
        return customer["class"], customer["claimed_class"]

    assert post(simulator, submitted, "messages", text="在吗").status == 201
    assert classes() == (None, "vip")
    sent = link_sent(simulator, storage, number)
    assert post(simulator, sent, "messages", text="在的").status == 201
    assert classes() == ("vip", None)
    entered = simulator.http(
        "POST",
        "/agent/desks/standard/tickets",
        {"contact": CUSTOMER, "description": "无法登录"},
        claims=SUPERVISOR,
    )
    assert storage.tickets.load("standard", entered.json["number"]).customer.customer_class == "vip"


def test_a_desk_s_links_begin_with_its_own_name_and_open_under_the_stage_s_too(
    simulator: Simulator, storage: Storage
) -> None:
    """Answers, mails and repetitions alike; a link from before the name still opens."""
    _number, before = file_form(simulator)
    playbook = storage.playbooks.get("standard", datetime.now(UTC))
    own = {"public_url": "https://help.example.org/desk"}
    storage.playbooks.put(playbook.model_copy(update=own), datetime.now(UTC))
    simulator.expire_playbooks()

    key = {"Idempotency-Key": "once"}
    body = {"contact": CUSTOMER, "description": "无法登录"}
    answers = [simulator.http("POST", FORM, body, headers=key).json for _ in range(2)]
    simulator.pump()
    links = [answer["status_url"] for answer in answers]
    assert links[0] == links[1]
    assert links[0].startswith("https://help.example.org/desk/desks/standard/tickets/")
    sent = link_sent(simulator, storage, answers[0]["number"])
    assert f"https://help.example.org/desk{sent}" in written_to(CUSTOMER)[-1]
    for link in (before, links[0].removeprefix("https://help.example.org/desk"), sent):
        assert simulator.http("GET", link).status == 200


def written_to(address: str) -> list[str]:
    """The plain texts of the mails to an address."""
    return [
        part.get_content()
        for raw in sent_texts(address)
        for part in message_from_string(raw, policy=default).walk()
        if part.get_content_type() == "text/plain"
    ]
