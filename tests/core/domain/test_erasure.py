"""Erasing a person from events and tickets; what the reports count stays."""

from typing import Any

import pytest

from functions.core.domain import commands as c, events as e
from functions.core.domain.delivery import Delivery
from functions.core.domain.erasure import files_of, without_person, without_words
from functions.core.domain.errors import ActionNotAllowed
from functions.core.domain.lifecycle import apply, decide
from functions.core.domain.privacy import erased_fields
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer, Pending, RefusedFile, Ticket
from functions.core.playbook import load
from functions.core.storage import event_codec
from functions.core.text.masking import mask
from tests.core.domain.test_events import SAMPLES
from tests.core.sample_desk import DESK, NOON, both, committed, received, request, then

pytestmark = pytest.mark.requirement("B10")
SECRETS = (
    "李样本", "冰箱", "BX-1", "13800138000", "li.example", "SN-7788", "发票-99", "photo", "mail/",
)  # fmt: skip
TEXT = " ".join(SECRETS)
PHOTO = e.Attachment(
    name="photo of li.example.jpg", content_type="image/jpeg", size=3, key="mail/f"
)
FIELD = {"label": both("f")}
STEP = {
    "label": both("维修"),
    "source": ["in_progress"],
    "fields": {
        "note": FIELD,
        "parts": {**FIELD, "kind": "list"},
        "cost": {**FIELD, "kind": "number"},
        "phone": {**FIELD, "kind": "number"},
        "done_at": {**FIELD, "kind": "time"},
        "way": {**FIELD, "kind": "choice", "choices": {"remote": both("r"), "visit": both("v")}},
    },
}
WRITTEN = {
    "note": TEXT,
    "parts": "压缩机,风扇",
    "cost": "99.50",
    "phone": "13800138000",
    "done_at": "2026-03-10T14:00:00+08:00",
    "way": "visit",
    "dropped": TEXT,
}


@pytest.fixture(scope="module")
def repairs() -> Playbook:
    """Return the small desk with one step."""
    return load({**DESK, "steps": {"repair": STEP}})


def blank(event: e.Event, playbook: Playbook, actor: str = "agent-1") -> Any:
    commit = e.Commit(
        desk="testdesk", number="CS1", version=3, at=NOON, actor=actor, events=(event,)
    )
    after = without_person(commit, playbook, mask)
    assert without_person(after, playbook, mask) == after
    assert after.model_copy(update={"events": ()}) == commit.model_copy(update={"events": ()})
    [found] = after.events
    return found


PERSONAL: dict[str, Any] = {
    "customer": Customer(
        name="李样本", contact="13800138000", kind="phone", hash="13800138000", id="li.example"
    ),
    "product": e.Product(name="冰箱", model="BX-1", serial="SN-7788", purchased_on="li.example"),
    "attachments": (PHOTO,),
    "refused": (RefusedFile(name="photo of li.example.exe", size=3, reason="program"),),
    "fields": {"note": TEXT},
}


def full(kind: type[e.Event]) -> e.Event:
    """The sample of an event with personal data in every field that can hold it."""
    sample = SAMPLES[kind.__name__]
    update: dict[str, Any] = {
        name: PERSONAL.get(name, TEXT)
        for name in kind.model_fields
        if name in PERSONAL or name in erased_fields(kind)
    }
    if kind is e.TicketClassified:
        update["product"] = TEXT
    if kind is e.ContactCorrected:
        update["customer"] = update["former"] = PERSONAL["customer"]
    event: e.Event = sample.model_copy(update=update)
    return event


@pytest.mark.parametrize("name", e.EVENTS)
def test_an_erased_event_holds_no_personal_data_and_keeps_the_rest(
    name: str, repairs: Playbook
) -> None:
    event = full(e.EVENTS[name])
    erased = blank(event, repairs)
    text = erased.model_dump_json()
    assert not [secret for secret in SECRETS if secret in text]
    kept = set(type(event).model_fields) - erased_fields(type(event)) - set(PERSONAL) - {"former"}
    for field in kept:
        assert getattr(erased, field) == getattr(event, field)


@pytest.mark.requirement("G6")
@pytest.mark.parametrize(
    "name", ["CustomerWrote", "NoteAdded", "TicketResolved", "StepTaken", "TicketClosed"]
)
def test_an_erased_event_is_read_back(name: str, repairs: Playbook) -> None:
    [again] = event_codec.parse_events(
        event_codec.dump_events((blank(full(e.EVENTS[name]), repairs),)), e.SCHEMA_VERSION
    )
    assert again.event == name


@pytest.mark.requirement("B10", "B11", "D16")
def test_an_erased_request_keeps_the_counted_fields(repairs: Playbook) -> None:
    """Type, channel, class, and the number and size of files."""
    event = request(
        product=e.Product(name="冰箱", model="BX-1", serial="SN-7788"),
        attachments=(PHOTO,),
        raw="mail/1",
        order="A-1",
        channel="wechat",
    )
    found = blank(event, repairs)
    assert (found.type, found.channel, found.description) == ("inquiry", "wechat", "")
    assert found.product == e.Product()
    assert found.attachments == (e.Attachment(name="", content_type="image/jpeg", size=3, key=""),)
    assert (found.raw, found.order, found.text) == (None, None, None)
    assert found.customer.kind == "phone"
    assert found.customer.hash == "erased-CS1"


@pytest.mark.requirement("D15")
def test_counted_step_fields_stay_and_texts_go(repairs: Playbook) -> None:
    """Parts, amounts and times are counted; texts are not."""
    found = blank(e.StepTaken(step="repair", fields=WRITTEN), repairs)
    assert found.fields == {
        "note": "",
        "parts": "压缩机,风扇",
        "cost": "99.50",
        "phone": "",
        "done_at": "2026-03-10T14:00:00+08:00",
        "way": "visit",
        "dropped": "",
    }
    gone = blank(e.StepTaken(step="no-such-step", fields=WRITTEN), repairs)
    assert set(gone.fields.values()) == {""}


@pytest.mark.requirement("A14")
def test_the_system_s_reasons_stay(repairs: Playbook) -> None:
    """The reason that a deadline gives for moving a ticket is not a person's text."""
    event = e.PriorityChanged(priority="high", reason="timer:resolution")
    assert blank(event, repairs, "system") == event
    assert blank(event, repairs, "agent-1").reason == ""
    assert blank(e.TicketClosed(reason=TEXT), repairs, "system").reason == ""


def test_an_erased_delivery_has_no_text_and_no_address() -> None:
    given = Delivery(
        desk="testdesk", number="CS1", version=1, event="TicketReceived", message="ack",
        recipient="customer", channel="sms", to="****8000", text=TEXT, subject=TEXT,
        state="dead_lettered", attempts=2, provider_id="id-1", claimed_at=NOON, at=NOON,
        cause="SES MessageRejected: li.example is blocked",
    )  # fmt: skip
    found = without_words(given)
    assert (found.to, found.text, found.subject, found.provider_id) == ("****", "", "", None)
    assert (found.state, found.attempts, found.id) == ("dead_lettered", 2, given.id)
    assert found.cause == "SES MessageRejected"
    assert without_words(found) == found
    staff = without_words(given.model_copy(update={"recipient": "team", "to": "技术支持组"}))
    assert staff.to == "技术支持组"


def test_the_files_of_a_commit_are_listed() -> None:
    wrote = e.CustomerWrote(text="x", channel="mail", raw="mail/2", attachments=(PHOTO,))
    events = (request(raw="mail/1"), wrote, e.NoteAdded(text="x"))
    commit = e.Commit(desk="d", number="n", version=1, at=NOON, actor="a", events=events)
    assert files_of(commit) == {"mail/1", "mail/2", "mail/f"}


def life(repairs: Playbook) -> tuple[Ticket, list[e.Commit]]:
    """Return the commits of a ticket's life and of its erasure."""
    commands = (
        c.Receive("CS1", request(text=TEXT, order="发票-99", raw="mail/1")),
        c.Assign("technical", "agent-1"),
        c.Reply(TEXT),
        c.TakeStep("repair", {k: v for k, v in WRITTEN.items() if k != "dropped"}),
        c.CustomerMessage(TEXT, "web"),
        c.Resolve(TEXT[:100]),
        c.AnswerSurvey(2, TEXT),
        c.AssignReview("qa-1"),
        c.RecordCallback(TEXT, TEXT),
        c.ErasePerson("request of 2026-03-10"),
    )
    ticket: Ticket | None = None
    commits = []
    for command in commands:
        events = decide(ticket, command, repairs, NOON)
        commit = committed(ticket, events, NOON, "CS1")
        ticket = apply(ticket, commit)
        commits.append(commit)
    assert ticket is not None
    return ticket, commits


@pytest.mark.requirement("B10", "G6")
def test_an_erased_history_makes_the_erased_ticket(repairs: Playbook) -> None:
    """It holds no personal data and has the same figures."""
    ticket, commits = life(repairs)
    told = ticket.model_dump_json()
    assert not [secret for secret in SECRETS if secret in told]
    assert (ticket.erased, ticket.status, ticket.score, ticket.summary) == (
        True, "archived", 2, "",
    )  # fmt: skip
    again: Ticket | None = None
    for commit in commits:
        again = apply(again, without_person(commit, repairs, mask))
    assert again == ticket


def test_the_history_records_the_erasure(repairs: Playbook) -> None:
    ticket, commits = life(repairs)
    last = without_person(commits[-1], repairs, mask)
    assert last.of(e.PersonErased)[0].reason == "request of 2026-03-10"
    assert decide(ticket, c.ErasePerson("again"), repairs, NOON) == ()


def test_a_later_erasure_covers_text_written_since(repairs: Playbook) -> None:
    ticket, _ = life(repairs)
    later = ticket.model_copy(
        update={
            "facts": {"note": TEXT},
            "pending": Pending(step="repair", fields={"note": TEXT}, status="queued"),
        }
    )
    [event] = decide(later, c.ErasePerson("again"), repairs, NOON)
    assert isinstance(event, e.PersonErased)
    after = later.changed(**later.person_erased())
    assert (after.facts, after.pending and after.pending.fields) == ({}, {})


def test_a_held_record_is_not_erased(repairs: Playbook) -> None:
    ticket = then(received(repairs), c.Hold(True, "lawsuit"), repairs)
    with pytest.raises(ActionNotAllowed, match="legal hold"):
        decide(ticket, c.ErasePerson("request"), repairs, NOON)
    released = then(ticket, c.Hold(False), repairs)
    assert then(released, c.ErasePerson("request"), repairs).erased


WORDS = {
    "text", "reason", "comment", "note", "summary", "question", "cause", "description",
    "subject", "raw", "by_another",
}  # fmt: skip
"""Names of fields that hold what people wrote, whatever their declaration says."""


def test_what_people_write_is_personal() -> None:
    """Only the reason of the erasure itself stays."""
    for name in set(e.EVENTS) - {"PersonErased"}:
        kind = e.EVENTS[name]
        assert set(kind.model_fields) & WORDS <= erased_fields(kind), name
