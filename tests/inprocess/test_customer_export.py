"""A customer's export has every kind of item, opened by recorded acts, and nobody else's words."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from functions.administration.retention import ERASED
from functions.core.domain.calls import CallPart, PhoneCall
from functions.core.domain.chat import Chat, ChatMessage
from functions.core.domain.drafts import Draft
from functions.core.domain.errors import InvalidInput
from functions.core.domain.journal import JournalEntry
from functions.core.domain.personal_data import PersonalData
from functions.core.domain.roster import Agent
from functions.core.storage.chats import chat_of
from functions.core.storage.model_summaries import ModelSummary
from functions.core.text.tables import read_table
from functions.workbench.unseal_client import unseal
from infra.console.commands import customers
from infra.console.customer_export import COLLECTORS, Exporting, export, written
from infra.console.main import app
from infra.console.retention import records_of
from infra.deploy.trail import OperatorTrail
from tests.inprocess.conftest import erase_customer
from tests.inprocess.desk_journey import SimulatedJourney, deployed
from tests.inprocess.test_threads import reply_address

pytestmark = pytest.mark.requirement("B10", "G4", "G13")
PHONE, OTHER = "13800138000", "139 1234 5678"
ASKED = f"无法登录，请回电 {PHONE}"
WHY = "customer asked by letter"


@pytest.fixture
def journey() -> Iterator[SimulatedJourney]:
    """A customer's finished and second ticket, and somebody else's."""
    roster = [
        Agent(desk="standard", username=name, role=role, team=team, capacity=5)
        for name, team, role in (("li-1", "技术支持组", "agent"), ("zg-1", "主管组", "supervisor"))
    ]
    with deployed("standard", roster) as found:
        found.online("li-1")
        found.file("无法登录，别人的", contact="13912345678")
        found.file("无法登录，第二次", contact=PHONE)
        found.file(ASKED, contact=PHONE)
        found.act_as_customer("messages", text=f"换个号码 {OTHER}")
        found.act("li-1", "reply", text="请重置密码。")
        found.act("li-1", "resolve", summary="已重置")
        found.act_as_customer("survey", score=4, comment="谢谢")
        yield found


def exporting(journey: SimulatedJourney, reason: str = "") -> Exporting:
    stage = journey.simulator.deployment.stage
    return Exporting(
        records_of(stage),
        OperatorTrail(stage, "console:test"),
        partial(unseal, journey.simulator.deployment),
        partial(datetime.now, UTC),
        reason,
    )


def test_every_kind_is_erased_exported_and_explained() -> None:
    assert ERASED == set(COLLECTORS) == set(read_table("personal_data")) == set(PersonalData)


def test_an_export_has_everything_and_opens_it_by_recorded_acts(journey: SimulatedJourney) -> None:
    document = export(exporting(journey, WHY), "standard", journey.number)
    read: dict[str, Any] = json.loads(written(document))
    assert read["schema"] == "deskbell/customer/1"
    assert set(read) == {"schema", "desk", "made_at", "keys", *read["keys"]}
    by_number = {ticket["number"]: ticket for ticket in read["tickets"]}
    assert len(by_number) == 2
    originals = by_number[journey.number]["originals"]
    assert {"description": ASKED} in originals.values()
    assert {"text": f"换个号码 {OTHER}"} in originals.values()
    assert "+86" + PHONE in read["contacts"][0]["contact"]
    assert [(s["score"], s["comment"]) for s in read["surveys"]] == [(4, "谢谢")]
    assert by_number[journey.number]["deliveries"]
    assert "别人的" not in json.dumps(read, ensure_ascii=False)
    # Who opened what, when and why, this export included
    opened = [(each["what"], each["by"], each["reason"]) for each in read["opened"]]
    assert opened.count(("original", "console:test", WHY)) == 2
    acts = [(each["act"], each["actor"]) for each in read["audit"]]
    assert ("customer.export", "console:test") in acts
    assert ("ticket.open-original", "console:test") in acts


def test_what_is_stored_beside_the_tickets_is_exported(journey: SimulatedJourney) -> None:
    """Chats with their consent, questions, calls, drafts and summaries; an erasure leaves none."""
    storage, number, now = journey.storage, journey.number, datetime.now(UTC)
    digest = storage.tickets.load("standard", number).customer.hash
    chat = chat_of(digest)
    said = ChatMessage(id="1", writer="customer", text="开发票", at=now, sealed="sealed words")
    storage.chats.put(
        Chat(
            desk="standard", id=chat, token="digest", locale="zh-CN", started_at=now,
            changed_at=now, privacy_version="v2", messages=(said,),
        )
    )  # fmt: skip
    storage.questions.write(
        "standard", JournalEntry(number=chat, version=1, at=now, texts=("开发票",)), now
    )
    root = records_of(journey.simulator.deployment.stage).root()
    draft = Draft(desk="standard", number=number, agent="li-1", text="草稿", saved_at=now)
    storage.drafts.put(draft, root, now)
    spoken = CallPart(id="1", speaker="customer", text=f"请打 {PHONE}")
    storage.calls.put(
        PhoneCall(desk="standard", id="call-1", changed_at=now, parts=(spoken,)), digest, root
    )
    storage.model_summaries.keep("standard", number, ModelSummary("摘要", 1, now, "m"))

    document = export(exporting(journey), "standard", number)
    assert [message["text"] for message in document["chats"][0]["messages"]] == ["开发票"]
    assert "sealed words" not in written(document).decode()
    [consent] = [each for each in document["consents"] if "chat" in each]
    assert (consent["chat"], consent["privacy_version"]) == (chat, "v2")
    assert [entry["texts"] for entry in document["questions"]] == [["开发票"]]
    assert [each["text"] for each in (*document["drafts"], *document["summaries"])] == [
        "草稿", "摘要",
    ]  # fmt: skip
    (call,) = document["phone_calls"]
    assert call["said"] == ["customer: 请打 138****8000"]
    erase_customer(journey.simulator, now + timedelta(minutes=10), contact=PHONE)
    document = export(exporting(journey, WHY), "standard", number)
    besides = ("chats", "questions", "phone_calls", "drafts", "summaries")
    assert not any(document[kind] for kind in besides)
    (ticket,) = document["tickets"]
    assert not ticket["originals"]
    assert "请回电" not in written(document).decode()


def test_what_somebody_else_wrote_stays_masked(journey: SimulatedJourney) -> None:
    journey.file("无法登录，第三次", contact=PHONE)
    to = reply_address(journey.simulator, journey.number)
    head = f"From: colleague@example.org\r\nTo: {to}\r\nMessage-ID: <1@mail.example.org>\r\n"
    journey.simulator.mail(f"{head}\r\nPlease call 13700001111".encode(), to)
    journey.simulator.pump()
    text = written(export(exporting(journey, WHY), "standard", journey.number)).decode()
    assert "Please call 137****1111" in text
    assert "13700001111" not in text


def test_without_a_reason_all_texts_stay_masked(journey: SimulatedJourney) -> None:
    """By the contact, in any form; the entry of the act does not name it."""
    before = journey.storage.tickets.load("standard", journey.number).version
    document = export(exporting(journey), "standard", f"+86 {PHONE}")
    text = written(document).decode()
    assert len(document["tickets"]) == 2
    assert PHONE not in text
    assert "13912345678" not in text.replace(" ", "")
    assert journey.storage.tickets.load("standard", journey.number).version == before
    [entry] = document["audit"][-1:]
    assert (entry["act"], entry["target"]) == ("customer.export", "contact")
    with pytest.raises(InvalidInput, match="no contact"):
        export(exporting(journey), "standard", "nobody")


def test_the_command_writes_a_file_that_only_its_owner_reads(
    journey: SimulatedJourney, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "connect", lambda *_: journey.simulator.deployment.stage)
    file = tmp_path / "customer.json"
    arguments = ["customer", "export", "standard", journey.number, str(file)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_bytes())["desk"] == "standard"
    assert CliRunner().invoke(app, arguments).exit_code == 1  # it exists
