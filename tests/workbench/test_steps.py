"""A desk's own steps, approval, call-backs, files and the handling record."""

from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
)
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.files import MAX_BYTES, UPLOADS
from tests.core.sample_desk import DESK, NOON, both, file_ticket
from tests.core.text.test_file_types import REAL
from tests.workbench.conftest import BUCKET, NUMBER, SignedIn

pytestmark = pytest.mark.requirement("B7", "C9", "D8", "D9", "D10", "D11", "D12", "D13")
FIELD = {"label": both("内容")}
VISIT = {
    "label": both("预约上门"),
    "source": ["assigned", "in_progress"],
    "to": "in_progress",
    "fields": {
        "arrives_at": {**FIELD, "kind": "time"},
        "parts": {**FIELD, "kind": "list", "required": False},
        "remark": {**FIELD, "required": False},
    },
    "attachments": True,
    "customer_sees": True,
}
STEPS = {
    "visit": VISIT,
    "review": {"label": both("复核补全"), "source": ["received", "queued"]},
    "compensate": {
        "label": both("补偿"),
        "source": ["assigned", "in_progress"],
        "to": "in_progress",
        "fields": {"amount": {**FIELD, "kind": "number"}},
        "approval": {"field": "amount", "over": 100},
    },
    "audit": {"label": both("抽查"), "by": "qa", "source": ["in_progress", "resolved"]},
}
AT = "2026-03-10T14:00:00+08:00"


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """A desk with steps whose team calls back after the customer's yes."""
    return load(
        {
            **DESK,
            "teams": {**DESK["teams"], "leads": {"label": both("主管组"), "role": "supervisor"}},
            "priorities": {
                **DESK["priorities"],
                "medium": {"label": both("一般"), "colour": "blue"},
            },
            "statuses": {
                **DESK["statuses"],
                "awaiting_confirmation": {"label": both("待客户确认")},
            },
            "confirmation": {"solved": "callback", "team": "technical", "within": "1h"},
            "steps": STEPS,
            "records": {"pattern": "{ticket}-{step:03}"},
        }
    )


@pytest.fixture
def ticket(storage: Storage, playbook: Playbook) -> Ticket:
    """Return a ticket that is assigned to agent-1."""
    file_ticket(storage, playbook, NUMBER)
    return _system(storage, playbook, c.Assign("technical", "agent-1", by_person=True))


def _system(storage: Storage, playbook: Playbook, *commands: c.Command) -> Ticket:
    for command in commands:
        after = change(storage, "testdesk", NUMBER, command, playbook, NOON, actor="system")
    return after


@pytest.fixture
def uploads(ticket: Ticket) -> Any:
    """The mail bucket."""
    import boto3

    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    return s3


def _uploaded(uploads: Any, signed_in: SignedIn, content: bytes, name: str = "现场.png") -> str:
    """The id of a file that an agent has uploaded as the answer says."""
    given = signed_in("agent-1").act("attachments", name=name, size=len(content))
    uploads.put_object(
        Bucket=BUCKET,
        Key=f"{UPLOADS}testdesk/{NUMBER}/{given['id']}",
        Body=content,
        Metadata={"name": given["upload"]["headers"]["x-amz-meta-name"]},
    )
    return str(given["id"])


@pytest.mark.requirement("D9", "D10", "G4")
def test_a_step_s_fields_are_kept_masked(ticket: Ticket, signed_in: SignedIn) -> None:
    """They are sent in a flat body."""
    agent = signed_in("agent-1")
    after = agent.act(
        "visit", version=2, arrives_at=AT, parts=["屏幕", " 电池 "], remark="电话 13800138000"
    )
    assert (after["status"], after["version"]) == ("in_progress", 3)
    shown = agent.show()
    assert shown["facts"] == {"arrives_at": AT, "parts": "屏幕、电池", "remark": "电话 138****8000"}
    entry = shown["timeline"][-1]
    assert (entry["event"], entry["label"], entry["actor"]) == ("StepTaken", "预约上门", "agent-1")
    assert "13800138000" not in str(shown)


@pytest.mark.requirement("D6", "D8")
def test_the_ticket_lists_the_possible_steps_with_their_fields(
    ticket: Ticket, signed_in: SignedIn
) -> None:
    """With labels; the priority has its colour."""
    shown = signed_in("agent-1").show()
    assert [step["action"] for step in shown["steps"]] == ["visit", "compensate"]
    visit, compensate = shown["steps"]
    assert (visit["label"], visit["to"], visit["attachments"]) == ("预约上门", "in_progress", True)
    assert visit["fields"][0] == {
        "name": "arrives_at", "label": "内容", "kind": "time", "choices": [], "required": True,
        "max": 500, "required_with": {}, "choice_labels": {}, "customer_sees": False,
        "future": False, "value": "",
    }  # fmt: skip
    assert compensate["approval"] == {"field": "amount", "over": 100}
    assert {"reply", "visit"} <= set(shown["actions"])
    assert (shown["priority_label"], shown["priority_colour"]) == ("一般", "blue")


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("visit", {}, "arrives_at"),
        ("visit", {"arrives_at": "14:00"}, "arrives_at"),
        ("visit", {"arrives_at": AT, "colour": "red"}, "colour"),
        ("visit", {"arrives_at": AT, "remark": {"a": 1}}, "remark"),
        ("visit", {"arrives_at": AT, "remark": True}, "remark"),
        ("visit", {"arrives_at": AT, "parts": [1]}, "parts"),
        ("visit", {"arrives_at": AT, "attachments": ["x"] * 11}, "attachments"),
        ("visit", {"arrives_at": AT, "version": "x"}, "version"),
        ("compensate", {"amount": 20, "attachments": ["x"]}, "attachments"),
        ("compensate", {"amount": 13800138000}, "amount"),
    ],
)
def test_every_invalid_field_of_a_step_is_named(
    ticket: Ticket, signed_in: SignedIn, action: str, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        signed_in("agent-1").act(action, **body)
    assert [error.field for error in refused.value.errors] == [field]


def test_a_step_is_open_to_its_roles_only(ticket: Ticket, signed_in: SignedIn) -> None:
    """The handler, any supervisor, and others that the playbook names."""
    for who, action in (("agent-2", "visit"), ("qa-1", "visit"), ("agent-1", "audit")):
        with pytest.raises(Forbidden):
            signed_in(who).act(action, arrives_at=AT)
    assert signed_in("agent-2").show()["steps"] == []
    assert signed_in("supervisor-1").act("visit", arrives_at=AT)["status"] == "in_progress"
    assert signed_in("qa-1").act("audit")["version"] == 4
    with pytest.raises(Forbidden):
        signed_in("supervisor-1").act("audit")


@pytest.mark.requirement("D4")
def test_the_team_can_take_a_step_on_a_waiting_ticket(
    storage: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    file_ticket(storage, playbook, NUMBER)
    _system(storage, playbook, c.Enqueue("technical"))
    with pytest.raises(Forbidden):
        signed_in("agent-3").act("review")
    assert signed_in("agent-2").act("review")["status"] == "queued"


def test_an_unknown_action_names_the_desk_s_steps(ticket: Ticket, signed_in: SignedIn) -> None:
    with pytest.raises(NotFound, match=r"it has confirm-type, .*approve, .*visit, review"):
        signed_in("agent-1").act("fly")


@pytest.mark.requirement("C9")
class TestApproval:
    """A step beyond an agent's authority."""

    def test_a_supervisor_approves_or_refuses(self, ticket: Ticket, signed_in: SignedIn) -> None:
        agent, supervisor = signed_in("agent-1"), signed_in("supervisor-1")
        assert agent.act("compensate", amount=120)["status"] == "awaiting_department"
        assert supervisor.show()["pending"] == {
            "step": "compensate", "label": "补偿", "fields": {"amount": "120"}, "by": "agent-1",
        }  # fmt: skip
        assert "approve" in supervisor.show()["actions"]
        assert "approve" not in agent.show()["actions"]
        for who in ("agent-1", "qa-1"):
            with pytest.raises(Forbidden):
                signed_in(who).act("approve", approved=True)
        with pytest.raises(InvalidInput):
            supervisor.act("approve", approved="yes")
        after = supervisor.act("approve", approved=True, reason="致电 13800138000 核实过")
        assert after["status"] == "in_progress"
        shown = agent.show()
        assert (shown["pending"], shown["facts"]) == (None, {"amount": "120"})
        assert "13800138000" not in str(shown)


@pytest.mark.requirement("D13")
def test_any_member_of_the_team_calls_back(
    storage: Storage, playbook: Playbook, ticket: Ticket, signed_in: SignedIn
) -> None:
    """After the customer's confirmation; the call-back is recorded."""
    _system(storage, playbook, c.Resolve("换了屏幕"), c.Confirm(solved=True))
    assert NUMBER in signed_in("agent-2").numbers(queue="team")
    with pytest.raises(Forbidden):
        signed_in("agent-3").act("callback", cause="正常")
    assert "callback" in signed_in("agent-2").show()["actions"]
    assert signed_in("agent-2").act("callback", cause="客户满意")["status"] == "archived"


@pytest.mark.requirement("D10")
class TestFiles:
    """Files uploaded directly, checked by content, open to the people of the ticket only."""

    def test_a_step_can_have_files(self, signed_in: SignedIn, uploads: Any) -> None:
        agent = signed_in("agent-1")
        photo = _uploaded(uploads, signed_in, REAL["png"])
        paper = _uploaded(uploads, signed_in, REAL["docx"], "报告 13800138000.html")
        agent.act("visit", arrives_at=AT, attachments=[photo, paper])
        first, second = agent.show()["attachments"]
        assert (first["name"], first["content_type"]) == ("现场.png", "image/png")
        assert (first["size"], first["event"]) == (len(REAL["png"]), "StepTaken")
        assert second["name"] == "报告 138****8000.html.docx"
        key = first["url"].removeprefix("https://files.example.com/")
        kept = uploads.get_object(Bucket=BUCKET, Key=key)
        assert kept["Body"].read() == REAL["png"]
        assert kept["ContentType"] == "application/octet-stream"
        assert [file["url"] for file in signed_in("agent-3").show()["attachments"]] == [None, None]

    @pytest.mark.parametrize("action", ["reply", "note"])
    def test_a_reply_can_have_files(self, signed_in: SignedIn, uploads: Any, action: str) -> None:
        found = _uploaded(uploads, signed_in, REAL["pdf"], "说明.pdf")
        signed_in("agent-1").act(action, text="见附件", attachments=[found])
        (shown,) = signed_in("agent-1").show()["attachments"]
        assert (shown["name"], shown["content_type"]) == ("说明.pdf", "application/pdf")

    def test_an_upload_link_signs_the_size(self, ticket: Ticket, signed_in: SignedIn) -> None:
        given = signed_in("agent-1").act("attachments", name="a.png", size=9)
        upload = given["upload"]
        assert (upload["method"], upload["headers"]["Content-Length"]) == ("PUT", "9")
        assert f"/uploads/testdesk/{NUMBER}/{given['id']}?" in upload["url"]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"<!doctype html><script>", "JPEG, PNG"),
            (b"<svg onload='alert(1)'/>", "JPEG, PNG"),
            (b"MZ\x90", "programs are not accepted"),
        ],
        ids=["html", "svg", "program"],
    )
    def test_a_file_is_refused_by_its_content_whatever_its_name(
        self, signed_in: SignedIn, uploads: Any, content: bytes, reason: str
    ) -> None:
        bad = _uploaded(uploads, signed_in, content, "photo.png")
        good = _uploaded(uploads, signed_in, REAL["jpg"])
        with pytest.raises(InvalidInput) as refused:
            signed_in("agent-1").act("visit", arrives_at=AT, attachments=[good, bad])
        (error,) = refused.value.errors
        assert error.field == "attachments.1"
        assert reason in error.message
        assert signed_in("agent-1").show()["version"] == 2

    def test_an_unknown_file_or_one_of_another_ticket_is_refused(
        self, signed_in: SignedIn, uploads: Any
    ) -> None:
        uploads.put_object(Bucket=BUCKET, Key=f"{UPLOADS}testdesk/CS2/{'a' * 22}", Body=b"x")
        for wrong in ("a" * 22, "../../files/x", f"../CS2/{'a' * 22}"):
            with pytest.raises(InvalidInput) as refused:
                signed_in("agent-1").act("note", text="x", attachments=[wrong])
            assert refused.value.errors[0].field == "attachments.0"

    def test_a_file_that_is_larger_than_announced_is_refused(
        self, signed_in: SignedIn, uploads: Any
    ) -> None:
        found = _uploaded(uploads, signed_in, REAL["pdf"])
        key = f"{UPLOADS}testdesk/{NUMBER}/{found}"
        uploads.put_object(Bucket=BUCKET, Key=key, Body=REAL["pdf"] + b" " * MAX_BYTES)
        with pytest.raises(InvalidInput) as refused:
            signed_in("agent-1").act("note", text="x", attachments=[found])
        assert refused.value.errors[0].message == "20 MB at most"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"name": "a", "size": MAX_BYTES + 1}, "size"),
            ({"name": "", "size": 1}, "name"),
            ({"name": "a"}, "size"),
        ],
    )
    def test_an_invalid_upload_request_is_refused(
        self, ticket: Ticket, signed_in: SignedIn, body: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            signed_in("agent-1").act("attachments", **body)
        assert [error.field for error in refused.value.errors] == [field]
        for who in ("agent-3", "finance-1"):
            with pytest.raises(Forbidden):
                signed_in(who).act("attachments", name="a", size=1)


@pytest.mark.requirement("B7")
def test_the_handling_record_is_numbered(ticket: Ticket, signed_in: SignedIn) -> None:
    """Every step, communication and solution."""
    agent = signed_in("agent-1")
    agent.act("reply", text="您好")
    agent.act("visit", arrives_at=AT)
    agent.act("note", text="已带备件")
    agent.act("resolve", summary="换了屏幕")
    records = agent.show()["records"]
    assert [(entry["number"], entry["kind"], entry["event"]) for entry in records] == [
        (f"{NUMBER}-001", "communication", "TicketReceived"),
        (f"{NUMBER}-002", "communication", "ReplySent"),
        (f"{NUMBER}-003", "step", "StepTaken"),
        (f"{NUMBER}-004", "step", "NoteAdded"),
        (f"{NUMBER}-005", "solution", "TicketResolved"),
    ]
    assert (records[2]["step"], records[2]["fields"]) == ("visit", {"arrives_at": AT})
    assert {entry["actor"] for entry in records[1:]} == {"agent-1"}


@pytest.mark.requirement("C2", "E10")
def test_the_customer_s_other_tickets_are_shown(
    storage: Storage, playbook: Playbook, ticket: Ticket, signed_in: SignedIn
) -> None:
    file_ticket(storage, playbook, "CS20260310002")
    (other,) = signed_in("agent-1").show()["other_tickets"]
    assert (other["number"], other["status"]) == ("CS20260310002", "received")
    assert other["type_label"] == "报障"


@pytest.mark.requirement("B3", "B4", "D3", "D5")
def test_the_ticket_names_the_rules_that_classified_it(
    storage: Storage, playbook: Playbook, ticket: Ticket, signed_in: SignedIn
) -> None:
    file_ticket(storage, playbook, "CS20260310002")
    known = c.Classify("fault", ("login",), "high", rules=("keyword:login", "safety-first"))
    change(storage, "testdesk", "CS20260310002", known, playbook, NOON, actor="system")
    shown = signed_in("agent-1").show("CS20260310002")
    assert shown["rules"] == ["keyword:login", "safety-first"]
