"""Stored events: read back as they were, by older and newer readers."""

import json
from datetime import timedelta
from typing import Any, get_type_hints

import pytest

from functions.core.domain import events as e
from functions.core.domain.errors import DeadLetter
from functions.core.domain.ticket import Customer, RefusedFile, Ticket, TicketChanges, Timer
from functions.core.storage import event_codec
from functions.core.storage.items import read_commit
from tests.core.sample_desk import NOON, request

TIMER = Timer(state="paused", started_at=NOON, allowed=timedelta(hours=16), left=timedelta(hours=3))
SAMPLES: dict[str, Any] = {
    "TicketReceived": request(product=e.Product(model="X1"), message_id="<1@example.com>"),
    "TicketImported": e.TicketImported(source="zendesk", reference="35436", commits=9),
    "TicketClassified": e.TicketClassified(type="fault", tags=("login",), priority="high"),
    "ConfirmationRequested": e.ConfirmationRequested(team="general", question="?"),
    "TypeConfirmed": e.TypeConfirmed(type="fault", tags=(), priority="high"),
    "TicketQueued": e.TicketQueued(team="general", queue="supervisor"),
    "NobodyOnline": e.NobodyOnline(team="general"),
    "TicketAssigned": e.TicketAssigned(team="general", handler="agent-1"),
    "PriorityChanged": e.PriorityChanged(priority="high"),
    "ReplySent": e.ReplySent(text="您好"),
    "InformationRequested": e.InformationRequested(text="型号？"),
    "CustomerWrote": e.CustomerWrote(
        text="X1",
        channel="mail",
        attachments=(e.Attachment(name="a", content_type="b", size=1, key="c"),),
    ),
    "FilesReceived": e.FilesReceived(
        channel="line", refused=(RefusedFile(name="a.mp4", size=9, reason="size"),), cause="x"
    ),
    "InformationReceived": e.InformationReceived(),
    "NoteAdded": e.NoteAdded(text="看过"),
    "TicketResolved": e.TicketResolved(summary="好了", resolution=1),
    "TicketReopened": e.TicketReopened(team="general", to="senior"),
    "CustomerAsked": e.CustomerAsked(question="是无法登录吗？", count=1),
    "StepTaken": e.StepTaken(step="visit", to="in_progress", fields={"arrives_at": "x"}),
    "ApprovalRequested": e.ApprovalRequested(step="compensate", fields={"amount": "120"}, by="a"),
    "ApprovalGiven": e.ApprovalGiven(step="compensate", approved=False, reason="太多"),
    "CallbackRequested": e.CallbackRequested(team="general"),
    "SecondHandlingStarted": e.SecondHandlingStarted(reason="没解决"),
    "HoldSet": e.HoldSet(held=True, reason="诉讼"),
    "PersonErased": e.PersonErased(reason="应客户要求"),
    "ConfirmationGiven": e.ConfirmationGiven(solved=False),
    "FollowUpClassified": e.FollowUpClassified(tags=("login",), proposed_type="fault"),
    "ReasonAsked": e.ReasonAsked(),
    "SurveyAnswered": e.SurveyAnswered(score=3, resolution=1),
    "SurveyExpired": e.SurveyExpired(resolution=1),
    "ReviewRequested": e.ReviewRequested(team="qa", score=3),
    "ReviewAssigned": e.ReviewAssigned(reviewer="qa-1"),
    "CallbackRecorded": e.CallbackRecorded(cause="等待太久"),
    "ReviewExpired": e.ReviewExpired(),
    "TicketArchived": e.TicketArchived(),
    "TicketClosed": e.TicketClosed(reason="spam"),
    "TicketMerged": e.TicketMerged(other="CS2", same_customer=False, reason="同一问题"),
    "MergeReceived": e.MergeReceived(other="CS1"),
    "TicketUnmerged": e.TicketUnmerged(other="CS2", status="assigned", queue="agent"),
    "MergeUndone": e.MergeUndone(other="CS1", reason="弄错了"),
    "OriginalOpened": e.OriginalOpened(message=1, reason="客户要求回电"),
    "ContactOpened": e.ContactOpened(reason="回访"),
    "CallRequested": e.CallRequested(),
    "CallRecorded": e.CallRecorded(outcome="已告知", calls=(4,)),
    "PhoneCallAttached": e.PhoneCallAttached(
        call="c1", missed=True, recorded=True, text="未接来电，请回电", via="CS2"
    ),
    "CustomerClassed": e.CustomerClassed(customer_class="vip"),
    "ContactBounced": e.ContactBounced(permanent=True, cause="bounce 5.1.1"),
    "ContactProven": e.ContactProven(),
    "LinkRequested": e.LinkRequested(),
    "ContactCorrected": e.ContactCorrected(
        customer=Customer(contact="****9.com", kind="email", hash="h2"),
        former=Customer(contact="****8.com", kind="email", hash="h1"),
    ),
    "TicketLinked": e.TicketLinked(number="CS2"),
    "TimerWarned": e.TimerWarned(kind="resolution", share=0.8, due_at=NOON),
    "TimerBreached": e.TimerBreached(kind="resolution", due_at=NOON, count=2),
    "TimersSet": e.TimersSet(timers={"resolution": TIMER}),
}


@pytest.mark.requirement("A14", "G6")
@pytest.mark.parametrize("name", sorted(e.EVENTS))
def test_every_event_is_read_back_unchanged(name: str) -> None:
    assert event_codec.parse_events(
        event_codec.dump_events((SAMPLES[name],)), e.SCHEMA_VERSION
    ) == (SAMPLES[name],)


def test_several_events_keep_their_order() -> None:
    events = tuple(SAMPLES.values())
    assert event_codec.parse_events(event_codec.dump_events(events), 1) == events


@pytest.mark.requirement("G7")
def test_chinese_is_stored_unescaped() -> None:
    """Escaped, a character would take six bytes instead of three."""
    assert "您好" in event_codec.dump_events((SAMPLES["ReplySent"],))


def test_a_field_that_a_newer_writer_added_is_ignored() -> None:
    document = json.dumps([{"event": "NoteAdded", "text": "x", "colour": "red"}])
    assert event_codec.parse_events(document, 1) == (e.NoteAdded(text="x"),)


@pytest.mark.requirement("G3")
@pytest.mark.parametrize(
    "document", ["", "{}", "null", '[{"event": "NeverHeard"}]', '[{"event": "NoteAdded"}]', '["x"]']
)
def test_an_item_that_is_no_commit_is_a_dead_letter(document: str) -> None:
    with pytest.raises(DeadLetter):
        event_codec.parse_events(document, 1)


@pytest.mark.requirement("G3")
def test_a_commit_of_a_newer_schema_is_a_dead_letter() -> None:
    with pytest.raises(DeadLetter, match="schema 2; this code reads 1"):
        event_codec.parse_events("[]", 2)


def image(**changes: Any) -> dict[str, Any]:
    """A commit's item, as the stream carries it."""
    item = {
        "pk": {"S": "TICKET#testdesk#CS1"}, "sk": {"S": "EVENT#000007"},
        "at": {"S": "2026-03-10T04:00:00.000000Z"}, "actor": {"S": "agent-1"},
        "schema": {"N": "1"}, "types": {"SS": ["NoteAdded"]},
        "body": {"S": event_codec.dump_events((e.NoteAdded(text="x"),))},
    }  # fmt: skip
    return {key: value for key, value in {**item, **changes}.items() if value is not None}


def test_a_commit_is_read_from_the_stream() -> None:
    commit = read_commit(image())
    assert (commit.desk, commit.number, commit.version) == ("testdesk", "CS1", 7)
    assert (commit.at, commit.actor) == (NOON, "agent-1")
    assert commit.of(e.NoteAdded) == (e.NoteAdded(text="x"),)
    assert commit.of(e.ReplySent) == ()


@pytest.mark.requirement("G3")
@pytest.mark.parametrize(
    "changes",
    [
        {"pk": {"S": "DESK"}}, {"sk": {"S": "EVENT#x"}}, {"at": {"S": "noon"}}, {"actor": None},
        {"schema": {"N": "2"}}, {"body": {"S": "["}}, {"body": {"N": "1"}}, {"pk": "x"},
    ],
)  # fmt: skip
def test_a_malformed_stream_record_is_a_dead_letter(changes: dict[str, Any]) -> None:
    with pytest.raises(DeadLetter):
        read_commit(image(**changes))


@pytest.mark.requirement("G4")
def test_an_event_holds_only_mask_and_hash_of_a_contact() -> None:
    assert set(Customer.model_fields) == {
        "name", "contact", "kind", "hash", "id", "record", "customer_class", "claimed_class",
        "class_once_proven", "preferred", "undeliverable", "sms_obstacle",
    }  # fmt: skip


def test_changes_have_the_names_and_types_of_the_tickets_fields() -> None:
    """A change that the ticket lacks, or with another type, would be lost or stored wrong."""
    fields, changes = get_type_hints(Ticket), get_type_hints(TicketChanges)
    assert {name: fields.get(name) for name in changes} == changes


def test_a_playbook_can_notify_about_every_event_but_these() -> None:
    untold = [name for name, kind in e.EVENTS.items() if kind.webhook is None]
    assert untold == ["TicketImported", "TimersSet"]


@pytest.mark.requirement("F2")
@pytest.mark.parametrize(
    ("kind", "readers"),
    [("HoldSet", "notify"), ("TimersSet", "notify"), ("TicketReceived", "both")],
)
def test_every_commit_wakes_notify(kind: str, readers: str) -> None:
    assert e.readers([SAMPLES[kind]]) == readers
