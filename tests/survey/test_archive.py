"""The archive: one document with the whole history of a ticket."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import TryAgain
from functions.core.domain.events import Attachment
from functions.core.domain.lifecycle import apply, decide
from functions.core.domain.record import SCHEMA, document, record
from functions.core.domain.rules import Playbook
from functions.core.services.archiving import ArchiveBuckets
from functions.core.storage.database import Storage
from functions.core.storage.tickets import Change
from functions.survey import handler
from functions.survey.archive import archive
from functions.survey.tasks import Task
from tests.core.sample_desk import NOON, agent, committed, request
from tests.survey.test_steps import GOOD, POOR, carry_out

BUCKET = "deskbell-test-archive-123456789012-us-east-1"
FILES_BUCKET = "deskbell-test-mail-123456789012-us-east-1"
TASK = Task(desk="testdesk", number="CS1", resolution=1)
KEY = "archive/testdesk/2026/CS1.json"
PHOTO = Attachment(name="photo.jpg", content_type="image/jpeg", size=3, key="files/x")


@pytest.fixture
def s3(aws: None) -> Any:
    """Return a client with the archive bucket in memory."""
    import boto3

    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.create_bucket(Bucket=FILES_BUCKET)
    return client


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> Storage:
    """Return a storage with a ticket that has a whole life behind it."""
    storage.playbooks.put(playbook, NOON)
    storage.roster.put(agent())
    events = decide(None, c.Receive("CS1", request(text="很长的邮件")), playbook, NOON)
    after = apply(None, committed(None, events, NOON, "CS1"))
    opened = Change(None, after, events, "1", sealed=b"\x01sealed-contact")
    storage.tickets.commit_all((opened,), actor="customer")
    storage.deliveries.claim(
        Delivery(
            desk="testdesk", number="CS1", version=1, event="TicketReceived", message="ack",
            recipient="customer", channel="sms", to="****8000", text="您好", state="sent",
            claimed_at=NOON, at=NOON,
        )
    )  # fmt: skip
    carry_out(
        storage,
        playbook,
        c.Assign("technical", "agent-1"),
        c.RequestInformation("型号？"),
        c.CustomerMessage("X1", "web", attachments=(PHOTO,)),
        c.Note("内部"),
        c.Reply("请重置"),
        c.Resolve("重置密码"),
        POOR,
        c.AssignReview("qa-1"),
        c.RecordCallback("等待太久"),
    )
    return storage


def buckets(s3: Any) -> ArchiveBuckets:
    return ArchiveBuckets(s3, BUCKET, FILES_BUCKET)


def archived_document(s3: Any) -> Any:
    return json.loads(s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read())


@pytest.mark.requirement("G6", "B10")
class TestRecord:
    """The archived document."""

    @pytest.mark.requirement("A13", "A14", "B10", "G6")
    def test_the_document_contains_the_whole_history(self, desk: Storage, s3: Any) -> None:
        assert archive(desk, buckets(s3), TASK, NOON) == KEY
        found = archived_document(s3)
        assert (found["schema"], found["desk"], found["number"]) == (SCHEMA, "testdesk", "CS1")
        assert found["playbook_version"] == 1
        assert found["ticket"]["status"] == "archived"
        assert [commit["version"] for commit in found["history"]] == list(range(1, 11))
        happened = [event["event"] for commit in found["history"] for event in commit["events"]]
        for name in (
            "TicketReceived", "TicketAssigned", "InformationRequested", "CustomerWrote",
            "InformationReceived", "NoteAdded", "ReplySent", "TicketResolved", "SurveyAnswered",
            "ReviewRequested", "ReviewAssigned", "CallbackRecorded", "TicketArchived",
        ):  # fmt: skip
            assert name in happened
        assert found["history"][0]["actor"] == "customer"
        assert datetime.fromisoformat(found["history"][0]["at"]) == NOON
        assert [(m["direction"], m["text"]) for m in found["messages"]] == [
            ("in", "很长的邮件"), ("out", "型号？"), ("in", "X1"), ("out", "请重置"),
        ]  # fmt: skip
        assert found["messages"][2]["attachments"][0]["name"] == "photo.jpg"
        (delivery,) = found["deliveries"]
        assert (delivery["id"], delivery["state"]) == ("000001#ack#customer", "sent")
        kinds = {timer["kind"]: timer["state"] for timer in found["timers"]}
        assert kinds["first_response"] == "met"
        assert kinds["callback"] == "met"

    @pytest.mark.requirement("G4")
    def test_the_document_does_not_contain_the_sealed_contact(self, desk: Storage, s3: Any) -> None:
        archive(desk, buckets(s3), TASK, NOON)
        text = s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read().decode()
        assert "sealed-contact" not in text
        assert '"sealed":' not in text
        assert "****8000" in text

    def test_a_tag_states_the_desks_retention(self, desk: Storage, s3: Any) -> None:
        """The bucket's lifecycle rules go by it."""
        archive(desk, buckets(s3), TASK, NOON)
        tags = s3.get_object_tagging(Bucket=BUCKET, Key=KEY)["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {
            "retention-years": "5",
            "hold": "false",
        }
        head = s3.head_object(Bucket=BUCKET, Key=KEY)
        assert head["ContentType"] == "application/json"

    @pytest.mark.requirement("G1")
    def test_a_repetition_writes_the_same_bytes(self, desk: Storage, s3: Any) -> None:
        archive(desk, buckets(s3), TASK, NOON)
        first = s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
        archive(desk, buckets(s3), TASK, NOON + timedelta(days=1))
        assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == first

    def test_the_order_of_reading_does_not_matter(self, desk: Storage) -> None:
        ticket = desk.tickets.load("testdesk", "CS1")
        commits, deliveries = (
            desk.tickets.history("testdesk", "CS1"),
            desk.deliveries.list("testdesk", "CS1"),
        )
        straight = document(record(ticket, commits, deliveries, 1))
        assert document(record(ticket, commits[::-1], deliveries[::-1], 1)) == straight
        assert json.loads(straight)["ticket"] == {
            key: value for key, value in ticket.model_dump(mode="json").items() if key != "timers"
        }


class TestArchive:
    def test_a_reopened_ticket_is_not_archived(
        self, desk: Storage, s3: Any, playbook: Playbook
    ) -> None:
        carry_out(desk, playbook, c.Reopen())
        assert archive(desk, buckets(s3), TASK, NOON) is None

    @pytest.mark.requirement("F4")
    def test_a_second_resolution_replaces_the_document(
        self, desk: Storage, s3: Any, playbook: Playbook
    ) -> None:
        """The bucket keeps the earlier version."""
        archive(desk, buckets(s3), TASK, NOON)
        again = (c.Reopen(), c.Assign("technical", "agent-1"), c.Resolve("再次"), GOOD)
        carry_out(desk, playbook, *again)
        assert archive(desk, buckets(s3), TASK, NOON) is None
        second = Task(desk="testdesk", number="CS1", resolution=2)
        assert archive(desk, buckets(s3), second, NOON) == KEY
        assert archived_document(s3)["ticket"]["resolutions"] == 2

    @pytest.mark.requirement("G3")
    def test_an_incomplete_history_is_read_again(
        self, desk: Storage, s3: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        history = desk.tickets.history_from
        monkeypatch.setattr(desk.tickets, "history_from", lambda *key: history(*key)[:-1])
        with pytest.raises(TryAgain, match="9 commits of CS1"):
            archive(desk, buckets(s3), TASK, NOON)

    @pytest.mark.requirement("B7", "B10", "G2")
    @pytest.mark.parametrize("former", [False, True])
    def test_a_long_ticket_is_archived_in_parts(
        self, desk: Storage, s3: Any, monkeypatch: pytest.MonkeyPatch, former: bool
    ) -> None:
        """Together they are the whole record, numbered as in one document."""
        archive(desk, buckets(s3), TASK, NOON)
        whole = archived_document(s3)
        monkeypatch.setattr("functions.core.services.archiving.CHUNK", 4)
        if former:  # written before commits counted the entries before them
            read = desk.tickets.history_from
            without = {"records_before": None}
            monkeypatch.setattr(
                desk.tickets,
                "history_from",
                lambda *key: [commit.model_copy(update=without) for commit in read(*key)],
            )
        archive(desk, buckets(s3), TASK, NOON)
        main = archived_document(s3)
        stem = KEY.removesuffix("json")
        assert main["parts"] == [f"{stem}002.json", f"{stem}003.json"]
        parts = [
            json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
            for key in main["parts"]
        ]
        assert [part["part"] for part in parts] == [2, 3]
        for name in ("history", "records", "messages", "deliveries"):
            assert [*main[name], *(x for part in parts for x in part[name])] == whole[name]
        tags = [
            s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"] for key in (KEY, *main["parts"])
        ]
        assert tags[0] == tags[1] == tags[2]

    @pytest.mark.requirement("B10", "D10")
    def test_files_are_kept_as_long_as_the_document(self, desk: Storage, s3: Any) -> None:
        s3.put_object(Bucket=FILES_BUCKET, Key=PHOTO.key, Body=b"jpg")
        archive(desk, buckets(s3), TASK, NOON)
        found = s3.get_object(Bucket=FILES_BUCKET, Key=PHOTO.key)
        assert (found["Body"].read(), found["ContentType"]) == (b"jpg", "application/octet-stream")
        of = [(BUCKET, KEY), (FILES_BUCKET, PHOTO.key)]
        document, file = (s3.get_object_tagging(Bucket=b, Key=key)["TagSet"] for b, key in of)
        assert file == document

    @pytest.mark.requirement("B10")
    def test_a_deleted_file_is_not_restored(self, desk: Storage, s3: Any) -> None:
        s3.delete_object(Bucket=FILES_BUCKET, Key=PHOTO.key)
        assert archive(desk, buckets(s3), TASK, NOON) == KEY
        assert "Contents" not in s3.list_objects_v2(Bucket=FILES_BUCKET)

    def test_the_handler_returns_the_key(
        self, desk: Storage, s3: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("functions.core.platform.container.storage", lambda place: desk)
        monkeypatch.setattr("functions.core.platform.aws.client", lambda service: s3)

        class Context:
            memory_limit_in_mb = 256
            invoked_function_arn = (
                "arn:aws:lambda:us-east-1:123456789012:function:deskbell-test-survey_archive"
            )

        assert handler.survey_archive(TASK.model_dump(), Context()) == {"key": KEY}
