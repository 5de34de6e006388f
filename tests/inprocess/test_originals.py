"""Originals are sealed, and opened only by a recorded act."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from deskbell.client import ApiResponse
from functions.administration.retention import erase
from functions.core.deliver.failures import Permanent
from functions.core.domain.events import OriginalOpened
from functions.core.domain.roster import Agent
from functions.core.platform import aws, clock
from functions.core.storage.idempotency import Idempotency
from functions.notify.contact import open_contact
from tests.inprocess.desk_journey import SimulatedJourney, deployed

pytestmark = pytest.mark.requirement("G4")
PHONE, OTHER, MAIL = "13800138000", "139 1234 5678", "han.meimei@example.com"
SECRETS = (PHONE, OTHER, MAIL)
DESCRIPTION = f"无法登录，请回电 {PHONE} 或写信到 {MAIL}，谢谢"
WHY = "客户要求回电"


@pytest.fixture
def journey() -> Iterator[SimulatedJourney]:
    roster = [
        Agent(desk="standard", username=name, role=role, team=team, capacity=5)
        for name, team, role in (
            ("li-1", "技术支持组", "agent"),
            ("li-2", "技术支持组", "agent"),
            ("zg-1", "主管组", "supervisor"),
        )
    ]
    with deployed("standard", roster) as found:
        found.online("li-1")
        yield found


def open_original(
    journey: SimulatedJourney, who: str, message: int, reason: str = WHY
) -> ApiResponse:
    return journey.try_action(who, "open-original", message=message, reason=reason)


def test_an_original_is_opened_and_the_act_recorded(
    journey: SimulatedJourney, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text is in the one response and nowhere else."""
    journey.file(DESCRIPTION, contact=PHONE)
    journey.act_as_customer("messages", text=f"换个号码 {OTHER}")
    plain = journey.file("无法登录", contact=PHONE)
    journey.number = journey.number.replace("002", "001")
    messages = [m for m in journey.view()["messages"] if m["direction"] == "in"]
    assert [m["sealed"] for m in messages] == [True, True]
    answers = [open_original(journey, "li-1", message["version"]) for message in messages]
    first, second = (answer.json for answer in answers)
    assert first["original"] == {"description": DESCRIPTION}
    assert second["original"] == {"text": f"换个号码 {OTHER}"}
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}

    acts = [entry for entry in journey.view()["timeline"] if entry["event"] == "OriginalOpened"]
    assert [(a["actor"], a["details"]) for a in acts] == [
        ("li-1", {"message": m["version"], "reason": WHY}) for m in messages
    ]
    journey.act("li-1", "resolve", summary="已回电")
    journey.act_as_customer("survey", score=5)

    # Every item, file, log line and other response
    told = {answer.text for answer in answers}
    table = boto3.client("dynamodb").scan(TableName=journey.simulator.deployment.table)["Items"]
    assert not _secrets_in(table)
    assert not _secrets_in(capsys.readouterr().out)
    assert not _secrets_in([text for text in journey.responses if text not in told])
    assert not _secrets_in(journey.archived()[0])
    sealed = {item["pk"]["S"] for item in table if "original" in item}
    assert sealed == {f"TICKET#standard#{journey.number}"}  # no original where nothing was masked
    assert plain not in str(sealed)


def _secrets_in(found: Any) -> list[str]:
    written = repr(found) + json.dumps(found, ensure_ascii=False, default=repr)
    return [secret for secret in (*SECRETS, "13912345678") if secret in written]


@pytest.mark.requirement("F1")
def test_a_mail_s_original_is_sealed(journey: SimulatedJourney) -> None:
    for subject, text, reference in (
        (f"联系 {PHONE}", f"我的邮箱 {MAIL}" + "。" * 300, ""),
        ("回复", f"请打 {OTHER}", "<m1@mail.example.com>"),
    ):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "li.lei@example.com", "d@x.org", subject
        mail["Message-ID"] = "<m2@mail.example.com>" if reference else "<m1@mail.example.com>"
        if reference:
            mail["In-Reply-To"] = reference
        mail.set_content(text)
        journey.simulator.mail(mail.as_bytes(), "support@standard.local")
        journey.simulator.pump()
    (journey.number,) = journey.storage.contacts.tickets("standard", _hash(journey))
    first, second = (m for m in journey.view()["messages"] if m["direction"] == "in")
    said = open_original(journey, "zg-1", first["version"]).json["original"]
    assert said["subject"] == f"联系 {PHONE}"
    assert said["description"].startswith(f"联系 {PHONE}\n我的邮箱 {MAIL}")
    assert said["text"].startswith(f"我的邮箱 {MAIL}")
    assert open_original(journey, "zg-1", second["version"]).json["original"] == {
        "text": f"请打 {OTHER}"
    }


def _hash(journey: SimulatedJourney) -> str:
    items = boto3.client("dynamodb").scan(TableName=journey.simulator.deployment.table)["Items"]
    (found,) = [item["contact_pk"]["S"] for item in items if item["sk"]["S"] == "TICKET"]
    return str(found).removeprefix("standard#")


def test_an_original_is_opened_only_with_right_reason_and_message(
    journey: SimulatedJourney,
) -> None:
    journey.file(DESCRIPTION, contact=PHONE)
    assert open_original(journey, "li-2", 1).status == 403
    assert open_original(journey, "li-1", 1, reason="").status == 400
    assert open_original(journey, "li-1", 2).status == 400  # a commit of the desk, not a message
    assert open_original(journey, "li-1", 99).status == 400
    assert journey.try_action("li-1", "open-original", message=1).status == 400
    assert not [
        k
        for k in journey.storage.tickets.history("standard", journey.number)
        if k.of(OriginalOpened)
    ]


def test_unseal_checks_the_recorded_act_itself(
    journey: SimulatedJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey.file(DESCRIPTION, contact=PHONE)
    assert open_original(journey, "li-1", 1).status == 200
    act = journey.ticket.version
    asked = {"desk": "standard", "number": journey.number, "act": act, "agent": "li-1"}

    def refused(**changes: Any) -> str:
        answer = journey.simulator.invoke("unseal", {**asked, **changes})
        assert answer["original"] == {}
        return str(answer["refused"])

    assert "used before" in refused()
    assert "no such act" in refused(agent="li-2")
    assert "no such act" in refused(act=1)
    assert "no such act" in refused(act=99)
    assert "no such act" in refused(number="CS1")
    later = datetime.now(UTC) + timedelta(minutes=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert "not fresh" in refused()


def test_an_act_belongs_to_one_ticket(journey: SimulatedJourney) -> None:
    for _ in range(2):
        journey.file(DESCRIPTION, contact=PHONE)
        answer = open_original(journey, "zg-1", 1)
        assert (answer.status, answer.json["original"]) == (200, {"description": DESCRIPTION})


def test_notify_and_unseal_cannot_open_each_other_s_data(journey: SimulatedJourney) -> None:
    journey.file(DESCRIPTION, contact=PHONE)
    place, kms = journey.simulator.deployment, boto3.client("kms")
    found = journey.storage.tickets.original("standard", journey.number, 1)
    assert found is not None
    (piece,) = found.pieces
    with pytest.raises(Permanent):
        open_contact(kms, place.contacts_key, "standard", journey.number, piece)
    contact = journey.storage.tickets.first_commit("standard", journey.number).sealed
    assert contact is not None
    for number in (journey.number, "CS1"):
        with pytest.raises(ClientError):
            kms.decrypt(
                CiphertextBlob=contact, EncryptionContext=aws.original_context("standard", number)
            )


def test_a_long_original_is_sealed_in_pieces(journey: SimulatedJourney) -> None:
    """KMS encrypts at most 4,096 bytes at once."""
    letters = "".join(chr(0x4E00 + at * at * 7919 % 20000) for at in range(3900))
    journey.file("无法登录", contact=PHONE)
    text = f"{PHONE}{letters}{PHONE}"
    journey.act_as_customer("messages", text=text)
    version = journey.view()["messages"][-1]["version"]
    found = journey.storage.tickets.original("standard", journey.number, version)
    assert found is not None
    assert len(found.pieces) > 1
    assert open_original(journey, "li-1", version).json["original"] == {"text": text}


def test_a_message_to_a_merged_ticket_is_sealed_on_the_merge_target(
    journey: SimulatedJourney,
) -> None:
    one = journey.file("无法登录", contact=PHONE)
    other = journey.file("还是无法登录", contact=PHONE)
    journey.act("zg-1", "merge", into=one)
    journey.act_as_customer("messages", text=f"请打 {OTHER}")
    journey.number = one
    (message,) = [m for m in journey.view()["messages"] if m.get("sealed")]
    assert open_original(journey, "li-1", message["version"]).json["original"] == {
        "text": f"请打 {OTHER}"
    }
    assert other != one


@pytest.mark.requirement("B10")
def test_an_erased_customer_has_no_originals(journey: SimulatedJourney) -> None:
    journey.file(DESCRIPTION, contact=PHONE)
    journey.act_as_customer("messages", text=f"换个号码 {OTHER}")
    at, now = journey.records, datetime.now(UTC)
    erase(at, "standard", contact=PHONE, reason="应客户要求", actor="admin", now=now)
    assert not [
        i for i in journey.storage.tickets.items("standard", journey.number) if "original" in i
    ]
    assert open_original(journey, "li-1", 1).status == 400


def test_a_used_act_opens_nothing(
    journey: SimulatedJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey.file(DESCRIPTION, contact=PHONE)
    monkeypatch.setattr(Idempotency, "put_once", lambda *_: False)
    answer = open_original(journey, "li-1", 1)
    assert (answer.status, "已使用过" in answer.json["detail"]) == (409, True)


def test_the_merge_target_s_handler_opens_the_originals_of_both(journey: SimulatedJourney) -> None:
    one = journey.file("无法登录", contact=PHONE)
    journey.act("zg-1", "assign", agent="li-1")
    journey.file(DESCRIPTION, contact=PHONE)
    journey.act("zg-1", "assign", agent="li-2")
    journey.act("zg-1", "merge", into=one)
    assert open_original(journey, "li-1", 1).status == 200
    assert open_original(journey, "li-2", 1).status == 403


def test_what_was_written_about_the_product_is_opened_with_the_rest(
    journey: SimulatedJourney,
) -> None:
    product = {"name": f"冰箱，联系 {MAIL}", "serial": f"电话 {PHONE}", "model": "BX-1"}
    journey.file("无法登录", contact=PHONE, product=product)
    shown = json.dumps(journey.view(), ensure_ascii=False)
    assert PHONE not in shown
    assert MAIL not in shown
    original = open_original(journey, "li-1", 1).json["original"]
    assert original == {"product.name": product["name"], "product.serial": product["serial"]}


@pytest.mark.requirement("B10")
def test_every_text_of_a_request_is_masked_sealed_and_erased(journey: SimulatedJourney) -> None:
    """Whatever field of the form a customer writes personal data into."""
    told = f"冰箱丙 一三八 0013、8000 {MAIL}"
    texts = {"customer_id": told, "order": told, "proof_of_purchase": told}
    product = {"name": told, "model": told, "serial": told}
    channel = f"p{PHONE}"
    journey.file(f"无法登录 {told}", contact=PHONE, product=product, channel=channel, **texts)
    raw = ("一三八", "0013、8000", PHONE, MAIL)

    def stored() -> str:
        return repr(boto3.client("dynamodb").scan(TableName=journey.simulator.deployment.table))

    assert not [secret for secret in raw if secret in stored()]
    assert "冰箱丙" in stored()
    assert open_original(journey, "li-1", 1).json["original"] == {
        "description": f"无法登录 {told}",
        "customer.id": told,
        **dict.fromkeys(("order", "proof_of_purchase"), told),
        **{f"product.{name}": told for name in product},
    }
    journey.act("li-1", "resolve", summary="已处理")
    at, now = journey.records, datetime.now(UTC)
    erase(at, "standard", contact=PHONE, reason="应客户要求", actor="admin", now=now)
    assert "冰箱丙" not in stored()
