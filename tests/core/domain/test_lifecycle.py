"""The lifecycle: which actions a status allows, and what they make of a ticket."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from functions.core.domain import commands as c, events as e
from functions.core.domain.commands.base import allowed, steps_allowed
from functions.core.domain.errors import ActionNotAllowed, AlreadyAnswered, Forgotten, InvalidInput
from functions.core.domain.events import (
    EVENTS,
    Commit,
    PriorityChanged,
    TicketReceived,
    TicketReopened,
    TicketResolved,
    TicketUnmerged,
)
from functions.core.domain.lifecycle import apply, decide, queue_rank
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import IN_HAND, OPEN, STATUSES, Attachment, Customer, Ticket
from functions.core.playbook import load
from functions.core.storage.event_codec import dump_events, parse_events
from functions.core.storage.roster import Roster
from functions.core.storage.table import Table
from functions.core.storage.tickets import Change
from tests.core.sample_desk import DESK, NOON, agent, both, committed, received, request, then

_FIELD = {"label": both("内容")}
STEPS: dict[str, Any] = {
    "look": {
        "label": both("已查看"),
        "source": [status for status in STATUSES if status != "merged"],
        "fields": {"said": {**_FIELD, "required": False}},
    },
    "visit": {
        "label": both("上门"),
        "source": ["assigned", "in_progress"],
        "to": "in_progress",
        "fields": {
            "arrives_at": {**_FIELD, "kind": "time"},
            "parts": {**_FIELD, "kind": "list", "required": False},
        },
        "customer_sees": True,
        "attachments": True,
    },
    "ask-department": {
        "label": both("请其他部门协助"),
        "source": ["assigned", "in_progress"],
        "to": "awaiting_department",
        "fields": {"needed": _FIELD},
    },
    "department-answered": {
        "label": both("部门已答复"),
        "source": "awaiting_department",
        "to": "in_progress",
    },
    "compensate": {
        "label": both("补偿"),
        "source": ["assigned", "in_progress", "awaiting_department"],
        "to": "in_progress",
        "fields": {
            "amount": {**_FIELD, "kind": "number"},
            "means": {
                **_FIELD,
                "kind": "choice",
                "choices": {"券": both("券"), "现金": both("现金")},
                "required": False,
            },
        },
        "approval": {"field": "amount", "over": 100},
    },
}
"""Steps of the desk's own: anywhere, on the way, to another department, beyond an agent's say."""

PHOTO = Attachment(name="a.png", content_type="image/png", size=1, key="files/testdesk/a")
MUCH = c.TakeStep("compensate", {"amount": "120"}, (PHOTO,), "agent-1")

ASSIGN = c.Assign("technical", "agent-1")
COMMANDS: dict[str, c.TicketCommand] = {
    "classify": c.Classify("fault", ("login",), "high"),
    "ask-confirmation": c.AskConfirmation("general", "?"),
    "confirm-type": c.ConfirmType("fault"),
    "queue": c.Enqueue("technical"),
    "assign": c.Assign("technical", "agent-3"),
    "take": c.Assign("technical", "agent-2", by_person=True),
    "priority": c.SetPriority("high"),
    "reply": c.Reply("您好"),
    "request-info": c.RequestInformation("型号？"),
    "message": c.CustomerMessage("还有", "web"),
    "files": c.AddFiles("line"),
    "note": c.Note("看过"),
    "resolve": c.Resolve("重置密码"),
    "confirm": c.Confirm(solved=True),
    "reopen": c.Reopen("又坏了"),
    "survey": c.AnswerSurvey(5),
    "expire-survey": c.ExpireSurvey(1),
    "assign-review": c.AssignReview("qa-1"),
    "callback": c.RecordCallback("等待太久"),
    "expire-review": c.ExpireReview(1),
    "close": c.Close("spam"),
    "set-customer-class": c.SetCustomerClass("vip"),
    "returned": c.MailReturned("bounce 5.1.1", permanent=True),
    "correct-contact": c.CorrectContact(Customer(contact="****9", kind="phone", hash="h9"), b"x"),
    "link": c.Link("CS2"),
    "prove-contact": c.ProveContact(),
    "request-link": c.RequestLink(),
    "tick": c.Tick(),
    "recognise-mood": c.RecogniseMood("太过分了"),
    "nobody-online": c.ReportNobodyOnline("technical"),
    "ask-customer": c.AskCustomer("是无法登录吗？"),
    "step": c.TakeStep("look", {}),
    "approve": c.Approve(approved=True),
    "hold": c.Hold(held=True),
    "erase": c.ErasePerson(),
    "merge": c.Merge("CS2"),
    "receive-merged": c.ReceiveMerged("CS3", other_open=False),
    "unmerge": c.Unmerge(),
    "release-merged": c.ReleaseMerged("CS3"),
    "open-original": c.OpenOriginal(1, "客户要求回电"),
    "open-contact": c.OpenContact("回访"),
    "record-call": c.RecordCall("已告知"),
    "attach-phone-call": c.AttachPhoneCall("call-1", "未接来电", missed=True),
}
WAY: dict[str, tuple[c.Command, ...]] = {
    "received": (),
    "pending_confirmation": (COMMANDS["ask-confirmation"],),
    "queued": (COMMANDS["queue"],),
    "assigned": (ASSIGN,),
    "in_progress": (ASSIGN, COMMANDS["reply"]),
    "awaiting_customer": (ASSIGN, COMMANDS["request-info"]),
    "awaiting_department": (ASSIGN, MUCH),
    "resolved": (ASSIGN, COMMANDS["resolve"]),
    "in_review": (ASSIGN, COMMANDS["resolve"], c.AnswerSurvey(3)),
    "archived": (ASSIGN, COMMANDS["resolve"], c.AnswerSurvey(5)),
    "closed": (COMMANDS["close"],),
    "merged": (ASSIGN, COMMANDS["merge"]),
}
"""Status → the commands that lead there."""


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """Return the small desk with steps."""
    return load({**DESK, "steps": STEPS})


def in_status(status: str, playbook: Playbook) -> Ticket:
    """Return a ticket in a status, reached by commands where commands lead there."""
    ticket = received(playbook)
    if status not in WAY:  # the other desks' statuses, which no command of this one reaches
        return ticket.model_copy(update={"status": status})
    for command in WAY[status]:
        ticket = then(ticket, command, playbook)
    assert ticket.status == status
    return ticket


@pytest.mark.requirement("A14")
class TestTransitions:
    """Every action in every status."""

    @pytest.mark.parametrize("status", STATUSES)
    def test_allowed_actions_happen_and_others_are_refused(
        self, status: str, playbook: Playbook
    ) -> None:
        ticket = in_status(status, playbook)
        for name, command in COMMANDS.items():
            transition = c.ACTIONS[name].action
            if name == "survey" and ticket.score is not None:
                continue
            waits = {"approve": ticket.pending, "record-call": ticket.calls}.get(name, True)
            if status in transition.sources and waits:
                then(ticket, command, playbook)
                continue
            with pytest.raises(ActionNotAllowed) as refused:
                decide(ticket, command, playbook, NOON)
            assert refused.value.allowed == (*allowed(ticket), *steps_allowed(ticket, playbook))
            assert name not in refused.value.allowed or (name, status) == ("assign", "in_review")

    @pytest.mark.parametrize(
        ("name", "status"),
        [
            (name, status)
            for name, command in c.ACTIONS.items()
            if command.action.target
            for status in sorted(command.action.sources & set(WAY))
        ],
    )
    def test_an_action_leads_to_the_status_of_the_table(
        self, name: str, status: str, playbook: Playbook
    ) -> None:
        ticket = in_status(status, playbook)
        if (name, status) == ("survey", "in_review"):
            ticket = ticket.model_copy(update={"score": None})  # confirmed, never rated (D12, D13)
        after = then(ticket, COMMANDS[name], playbook)
        action = c.ACTIONS[name].action
        assert after.status == (status if status in action.keeps else action.target)

    def test_every_command_has_a_transition(self) -> None:
        assert set(COMMANDS) == set(c.ACTIONS)
        for command in c.ACTIONS.values():
            assert command.action.sources <= set(STATUSES)
            assert command.action.meaning
            assert command.action.by

    def test_people_s_actions_have_the_contract_s_names(self, playbook: Playbook) -> None:
        assert allowed(in_status("resolved", playbook)) == ("note", "reopen", "merge")
        assert allowed(in_status("in_review", playbook)) == (
            "assign", "note", "reopen", "callback", "merge",
        )  # fmt: skip
        assert allowed(in_status("merged", playbook)) == ("unmerge",)
        assert "resolve" in allowed(in_status("assigned", playbook))
        with pytest.raises(ActionNotAllowed, match="while the ticket is closed"):
            decide(in_status("closed", playbook), COMMANDS["resolve"], playbook, NOON)


class TestRules:
    @pytest.mark.requirement("B9")
    def test_an_assignment_ends_the_way_of_a_reopened_ticket(self, playbook: Playbook) -> None:
        ticket = then(in_status("resolved", playbook), c.Reopen("又坏了"), playbook)
        assert ticket.reopen_to is not None
        assert then(ticket, ASSIGN, playbook).reopen_to is None

    @pytest.mark.requirement("B9")
    def test_a_reopened_ticket_has_no_reviewer(self, playbook: Playbook) -> None:
        ticket = then(in_status("in_review", playbook), c.AssignReview("qa-1"), playbook)
        assert then(ticket, c.Reopen("又坏了"), playbook).reviewer is None

    @pytest.mark.requirement("A4")
    def test_a_question_after_the_first_answer_is_no_first_response(
        self, playbook: Playbook
    ) -> None:
        ask, later = c.RequestInformation("型号？"), NOON + timedelta(hours=1)
        ticket = then(in_status("in_progress", playbook), ask, playbook, later)
        assert ticket.first_response_at == NOON

    @pytest.mark.requirement("A12", "A15")
    def test_a_summary_has_1_to_100_characters(self, playbook: Playbook) -> None:
        ticket = in_status("assigned", playbook)
        for summary in ("", "字" * 101):
            with pytest.raises(InvalidInput) as refused:
                decide(ticket, c.Resolve(summary), playbook, NOON)
            assert refused.value.errors[0].field == "summary"
        assert then(ticket, c.Resolve("字" * 100), playbook).summary == "字" * 100

    @pytest.mark.requirement("A13")
    @pytest.mark.parametrize(
        ("score", "status"), [(1, "in_review"), (3, "in_review"), (4, "archived"), (5, "archived")]
    )
    def test_a_score_below_four_goes_to_qa(
        self, score: int, status: str, playbook: Playbook
    ) -> None:
        after = then(in_status("resolved", playbook), c.AnswerSurvey(score), playbook)
        assert (after.status, after.score) == (status, score)
        assert after.queue == ("qa" if score < 4 else "closed")

    @pytest.mark.requirement("A15")
    @pytest.mark.parametrize("score", [0, 6, -1])
    def test_a_score_off_the_scale_is_refused(self, score: int, playbook: Playbook) -> None:
        with pytest.raises(InvalidInput):
            decide(in_status("resolved", playbook), c.AnswerSurvey(score), playbook, NOON)

    @pytest.mark.parametrize("status", ["archived", "in_review"])
    def test_a_survey_is_answered_once(self, status: str, playbook: Playbook) -> None:
        ticket = in_status(status, playbook)
        with pytest.raises(AlreadyAnswered):
            decide(ticket, c.AnswerSurvey(5), playbook, NOON)

    @pytest.mark.requirement("B10", "G4")
    @pytest.mark.parametrize("status", STATUSES)
    @pytest.mark.parametrize("name", ["message", "confirm", "survey"])
    def test_an_erased_ticket_refuses_its_customer_in_any_status(
        self, name: str, status: str, playbook: Playbook
    ) -> None:
        """The error tells the customer to file a new request."""
        ticket = then(in_status(status, playbook), c.ErasePerson(), playbook)
        with pytest.raises(Forgotten, match="file a new request"):
            decide(ticket, COMMANDS[name], playbook, NOON)
        assert then(ticket, c.Hold(held=True), playbook).held

    @pytest.mark.requirement("B10", "F4")
    def test_an_erased_ticket_s_survey_expires_and_archives_it(self, playbook: Playbook) -> None:
        """Nobody can answer it."""
        ticket = then(in_status("resolved", playbook), c.ErasePerson(), playbook)
        assert then(ticket, c.ExpireSurvey(1), playbook).status == "archived"

    @pytest.mark.requirement("A13")
    def test_a_review_ends_when_the_reviewer_records_the_cause(self, playbook: Playbook) -> None:
        ticket = then(in_status("in_review", playbook), c.AssignReview("qa-1"), playbook)
        assert ticket.reviewer == "qa-1"
        assert decide(ticket, c.AssignReview("qa-1"), playbook, NOON) == ()
        ticket = then(ticket, c.RecordCallback("等待太久"), playbook)
        assert (ticket.status, ticket.archived_at) == ("archived", NOON)

    @pytest.mark.requirement("F4")
    @pytest.mark.parametrize(
        "command", [c.ExpireSurvey(1), c.ExpireReview(1)], ids=["survey", "review"]
    )
    def test_the_expiry_of_an_earlier_resolution_changes_nothing(
        self, command: c.Command, playbook: Playbook
    ) -> None:
        status = "resolved" if isinstance(command, c.ExpireSurvey) else "in_review"
        ticket = in_status(status, playbook).model_copy(update={"resolutions": 2})
        assert decide(ticket, command, playbook, NOON) == ()

    @pytest.mark.requirement("A13")
    def test_an_unsolved_ticket_returns_to_its_team(self, playbook: Playbook) -> None:
        """Only a second handling raises the level."""
        ticket = in_status("resolved", playbook)
        ticket = then(ticket, c.Confirm(solved=False, reason="还是不行"), playbook)
        assert (ticket.status, ticket.level, ticket.handler) == ("queued", 0, None)
        assert ticket.former_handlers == ("agent-1",)
        assert (ticket.summary, ticket.score, ticket.resolved_at) == (None, None, None)

    @pytest.mark.parametrize("status", ["resolved", "in_review", "archived", "closed"])
    def test_a_message_reopens_a_ticket_within_reopen_within(
        self, status: str, playbook: Playbook
    ) -> None:
        ticket = in_status(status, playbook)
        message = c.CustomerMessage("还是不行", "mail")
        soon = then(ticket, message, playbook, NOON + timedelta(days=14))
        assert (soon.status, soon.queue) == ("queued", "waiting")
        late = then(ticket, message, playbook, NOON + timedelta(days=14, seconds=1))
        assert late.status == status

    def test_a_former_handler_is_listed_once(self, playbook: Playbook) -> None:
        ticket = in_status("assigned", playbook)
        assert decide(ticket, ASSIGN, playbook, NOON) == ()
        again = then(ticket, COMMANDS["take"], playbook)
        assert (again.handler, again.former_handlers) == ("agent-2", ("agent-1",))

    @pytest.mark.parametrize(
        "command",
        [
            c.Enqueue("nowhere"), c.Assign("nowhere", "agent-1"), c.SetPriority("none"),
            c.SetCustomerClass("gold"),
        ],
        ids=["team", "assign", "priority", "class"],
    )  # fmt: skip
    def test_terms_unknown_to_the_desk_are_refused(
        self, command: c.Command, playbook: Playbook
    ) -> None:
        with pytest.raises(InvalidInput, match="on this desk"):
            decide(received(playbook), command, playbook, NOON)
        with pytest.raises(InvalidInput):
            decide(in_status("pending_confirmation", playbook), c.ConfirmType("x"), playbook, NOON)

    def test_a_command_that_changes_nothing_makes_no_events(self, playbook: Playbook) -> None:
        ticket = received(playbook)
        assert decide(ticket, c.SetPriority("medium"), playbook, NOON) == ()
        assert decide(ticket, c.SetCustomerClass(None), playbook, NOON) == ()
        assert decide(ticket, c.Tick(), playbook, NOON) == ()

    @pytest.mark.requirement("F2")
    def test_several_commands_make_one_commit_or_none(self, playbook: Playbook) -> None:
        together = c.CommandGroup((COMMANDS["classify"], ASSIGN))
        ticket = then(received(playbook), together, playbook)
        assert (ticket.version, ticket.type, ticket.status) == (2, "fault", "assigned")
        assert ticket.timers["first_response"].allowed == timedelta(hours=2)
        with pytest.raises(ActionNotAllowed):
            decide(received(playbook), c.CommandGroup((ASSIGN, COMMANDS["survey"])), playbook, NOON)
        assert decide(ticket, c.CommandGroup((ASSIGN,)), playbook, NOON) == ()

    def test_only_a_request_creates_a_ticket(self, playbook: Playbook) -> None:
        with pytest.raises(ValueError, match="needs a ticket"):
            decide(None, c.Tick(), playbook, NOON)
        note = decide(received(playbook), c.Note("x"), playbook, NOON)
        with pytest.raises(ValueError, match="begins with TicketReceived"):
            apply(None, committed(None, note, NOON, "CS1"))
        with pytest.raises(ValueError, match="without events"):
            apply(None, committed(None, (), NOON, "CS1"))

    @pytest.mark.requirement("A5")
    def test_waiting_tickets_are_ordered_vip_then_priority_then_age(
        self, playbook: Playbook
    ) -> None:
        vip = request().customer.model_copy(update={"customer_class": "vip"})
        ranked = [
            queue_rank(ticket, playbook)
            for ticket in (
                received(playbook, NOON + timedelta(hours=1), customer=vip, priority="low"),
                received(playbook, NOON + timedelta(hours=1), priority="high"),
                received(playbook, NOON),
                received(playbook, NOON + timedelta(microseconds=1)),
            )
        ]
        assert ranked == sorted(ranked)


@pytest.mark.requirement("D8", "D9", "D10", "D11", "B2", "B6", "E5")
class TestSteps:
    """Steps that a desk's playbook adds."""

    @pytest.mark.requirement("D9", "D10")
    def test_a_step_changes_the_status_and_keeps_its_fields_and_files(
        self, playbook: Playbook
    ) -> None:
        fields = {"arrives_at": "2026-03-10T14:00:00+08:00", "parts": "屏幕"}
        step = c.TakeStep("visit", fields, (PHOTO,))
        events = decide(in_status("assigned", playbook), step, playbook, NOON)
        taken = events[0]
        assert isinstance(taken, e.StepTaken)
        assert taken.attachments == (PHOTO,)
        ticket = then(in_status("assigned", playbook), step, playbook)
        assert (ticket.status, ticket.facts) == ("in_progress", fields)

    @pytest.mark.parametrize(
        ("step", "fields", "named"),
        [
            ("visit", {}, {"arrives_at"}),
            ("visit", {"arrives_at": "14:00"}, {"arrives_at"}),
            ("visit", {"arrives_at": "2026-03-10T14:00:00"}, {"arrives_at"}),
            ("compensate", {"amount": "much", "means": "金"}, {"amount", "means"}),
            ("compensate", {"amount": "1e9"}, {"amount"}),
            ("look", {"said": "字" * 501, "heard": "x"}, {"said", "heard"}),
        ],
    )
    def test_every_invalid_field_of_a_step_is_named(
        self, step: str, fields: dict[str, str], named: set[str], playbook: Playbook
    ) -> None:
        ticket = in_status("assigned", playbook)
        with pytest.raises(InvalidInput) as refused:
            decide(ticket, c.TakeStep(step, fields), playbook, NOON)
        assert {error.field for error in refused.value.errors} == named

    def test_a_step_that_the_status_forbids_names_the_allowed_ones(
        self, playbook: Playbook
    ) -> None:
        step = c.TakeStep("department-answered", {})
        with pytest.raises(ActionNotAllowed) as refused:
            decide(in_status("assigned", playbook), step, playbook, NOON)
        assert {"reply", "visit", "compensate"} <= set(refused.value.allowed)
        assert "department-answered" not in refused.value.allowed
        with pytest.raises(InvalidInput):
            decide(in_status("assigned", playbook), c.TakeStep("fly", {}), playbook, NOON)


@pytest.mark.requirement("C9")
class TestApproval:
    """A step beyond an agent's authority waits for a supervisor."""

    def test_a_step_within_the_agent_s_authority_needs_no_approval(
        self, playbook: Playbook
    ) -> None:
        step = c.TakeStep("compensate", {"amount": "100"})
        ticket = then(in_status("assigned", playbook), step, playbook)
        assert (ticket.status, ticket.pending) == ("in_progress", None)

    def test_an_approved_step_happens_with_its_files(self, playbook: Playbook) -> None:
        waiting = in_status("awaiting_department", playbook)
        assert waiting.pending is not None
        assert (waiting.pending.step, waiting.pending.by) == ("compensate", "agent-1")
        assert waiting.facts == {}
        assert steps_allowed(waiting, playbook)[0] == "approve"
        events = decide(waiting, c.Approve(approved=True), playbook, NOON)
        assert [event.event for event in events[:2]] == ["ApprovalGiven", "StepTaken"]
        taken = events[1]
        assert isinstance(taken, e.StepTaken)
        assert taken.attachments == (PHOTO,)
        after = then(waiting, c.Approve(approved=True), playbook)
        assert (after.status, after.pending) == ("in_progress", None)
        assert after.facts == {"amount": "120"}

    def test_a_refused_step_does_not_happen(self, playbook: Playbook) -> None:
        waiting = in_status("awaiting_department", playbook)
        after = then(waiting, c.Approve(approved=False, reason="太多"), playbook)
        assert (after.status, after.pending, after.facts) == ("assigned", None, {})

    def test_a_refused_second_request_restores_the_original_status(
        self, playbook: Playbook
    ) -> None:
        waiting = in_status("awaiting_department", playbook)
        again = then(waiting, c.TakeStep("compensate", {"amount": "150"}), playbook)
        assert again.pending is not None
        assert again.pending.fields == {"amount": "150"}
        assert then(again, c.Approve(approved=False), playbook).status == "assigned"

    def test_a_decision_does_not_move_a_ticket_that_has_moved_on(self, playbook: Playbook) -> None:
        waiting = in_status("awaiting_department", playbook)
        queued = then(waiting, c.Enqueue("technical"), playbook)
        after = then(queued, c.Approve(approved=True), playbook)
        assert (after.status, after.facts) == ("queued", {"amount": "120"})
        closed = then(waiting, c.Close("重复"), playbook)
        assert (closed.pending, steps_allowed(closed, playbook)) == (None, ("look",))


def _asking(then_: str | None = None, **confirmation: Any) -> Playbook:
    """Return a desk that asks the customer to confirm the solution."""
    statuses = {**DESK["statuses"], "awaiting_confirmation": {"label": both("待客户确认")}}
    survey = dict(DESK["survey"])
    if then_:
        survey["review"] = {**survey["review"], "then": then_}
    return load({**DESK, "statuses": statuses, "confirmation": confirmation, "survey": survey})


@pytest.mark.requirement("B9", "C10", "D13", "E7")
class TestConfirmation:
    """The customer confirms the solution before the ticket ends."""

    def test_a_confirmed_solution_is_followed_by_the_survey(self) -> None:
        playbook = _asking()
        ticket = in_status("assigned", playbook)
        ticket = then(ticket, COMMANDS["resolve"], playbook)
        assert (ticket.status, ticket.in_hand_of) == ("awaiting_confirmation", "agent-1")
        ticket = then(ticket, c.Confirm(solved=True), playbook)
        assert (ticket.status, ticket.in_hand_of) == ("resolved", None)
        assert then(ticket, c.AnswerSurvey(5), playbook).status == "archived"

    @pytest.mark.requirement("C10")
    @pytest.mark.parametrize(("score", "status"), [(5, "archived"), (1, "in_review")])
    def test_a_score_alone_is_an_answer_if_only_the_survey_follows(
        self, score: int, status: str
    ) -> None:
        """A score that comes with a yes leaves what follows to the confirmation."""
        playbook = _asking()
        ticket = then(in_status("assigned", playbook), COMMANDS["resolve"], playbook)
        assert then(ticket, c.AnswerSurvey(score), playbook).status == status
        ticket = then(ticket, c.AnswerSurvey(score, decides=False), playbook)
        assert ticket.status == "awaiting_confirmation"
        assert then(ticket, c.Confirm(solved=True), playbook).status == status

    @pytest.mark.requirement("D13", "D12")
    def test_a_confirmed_solution_can_be_followed_by_a_call_back(self) -> None:
        """The team calls; a rating given meanwhile is kept; then the ticket is archived."""
        playbook = _asking(solved="callback", team="technical", within="1h")
        ticket = then(in_status("assigned", playbook), COMMANDS["resolve"], playbook)
        ticket = then(ticket, c.Confirm(solved=True), playbook)
        assert (ticket.status, ticket.queue, ticket.team) == ("in_review", "waiting", "technical")
        ticket = then(ticket, c.AnswerSurvey(2), playbook)
        assert (ticket.status, ticket.score) == ("in_review", 2)
        assert then(ticket, c.RecordCallback("正常"), playbook).status == "archived"

    def test_a_confirmed_solution_can_be_archived_at_once(self) -> None:
        playbook = _asking(solved="archive")
        ticket = then(in_status("assigned", playbook), COMMANDS["resolve"], playbook)
        assert then(ticket, c.Confirm(solved=True), playbook).status == "archived"

    @pytest.mark.requirement("D13", "E7")
    @pytest.mark.parametrize(("unsolved", "level"), [("handler", 0), ("team", 0), ("senior", 1)])
    def test_an_unsolved_ticket_goes_to_handler_team_or_one_level_up(
        self, unsolved: str, level: int
    ) -> None:
        playbook = _asking(unsolved=unsolved)
        ticket = then(in_status("assigned", playbook), COMMANDS["resolve"], playbook)
        ticket = then(ticket, c.Confirm(solved=False, reason="还是不行"), playbook)
        assert (ticket.status, ticket.reopen_to, ticket.level) == ("queued", unsolved, level)
        assert ticket.former_handlers == ("agent-1",)

    @pytest.mark.requirement("B9", "E7")
    def test_a_poor_score_starts_a_second_handling_by_another_agent(self) -> None:
        """One level up, with the reason."""
        survey = {**DESK["survey"]}
        survey["review"] = {**survey["review"], "then": "second_handling"}
        playbook = load({**DESK, "survey": survey})
        resolved = in_status("resolved", playbook)
        events = decide(resolved, c.AnswerSurvey(1, "没解决"), playbook, NOON)
        assert [event.event for event in events[:3]] == [
            "SurveyAnswered", "SecondHandlingStarted", "TicketReopened",
        ]  # fmt: skip
        ticket = then(resolved, c.AnswerSurvey(1, "没解决"), playbook)
        assert (ticket.level, ticket.reopen_to, ticket.score) == (1, "senior", None)
        again = then(ticket, c.Assign("technical", "agent-2"), playbook)
        again = then(then(again, COMMANDS["resolve"], playbook), c.AnswerSurvey(1), playbook)
        assert (again.level, again.former_handlers) == (2, ("agent-1", "agent-2"))


_PLAYBOOKS = {
    "plain": load({**DESK, "steps": STEPS}),
    "confirmed": _asking("second_handling", unsolved="senior").model_copy(
        update={"steps": load({**DESK, "steps": STEPS}).steps}
    ),
    "called back": _asking(solved="callback", team="technical", unsolved="handler").model_copy(
        update={"steps": load({**DESK, "steps": STEPS}).steps}
    ),
}
_AGENTS = ("agent-1", "agent-2", "agent-3")
_commands = st.one_of(
    st.sampled_from([command for command in COMMANDS.values() if not isinstance(command, c.Tick)]),
    st.builds(c.Assign, st.sampled_from(["technical", "general"]), st.sampled_from(_AGENTS)),
    st.builds(c.SetPriority, st.sampled_from(list(DESK["priorities"]))),
    st.builds(c.AnswerSurvey, st.integers(1, 5)),
    st.builds(c.Enqueue, st.just("general"), st.sampled_from(["waiting", "supervisor"])),
    st.builds(c.ExpireSurvey, st.integers(1, 3)),
    st.builds(c.ExpireReview, st.integers(1, 3)),
    st.builds(c.Confirm, st.booleans()),
    st.just(c.TakeStep("visit", {"arrives_at": "2026-03-12T14:00:00+08:00"})),
    st.just(c.TakeStep("ask-department", {"needed": "价格"})),
    st.just(c.TakeStep("department-answered", {})),
    st.builds(
        lambda amount: c.TakeStep("compensate", {"amount": str(amount)}), st.integers(90, 110)
    ),
    st.builds(c.Approve, st.booleans()),
)


class Desk(RuleBasedStateMachine):
    """Actions of people, customers and time in any order, on three kinds of desk."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOON
        self.ticket: Ticket | None = None
        self.commits: list[Commit] = []
        self.places = dict.fromkeys(_AGENTS, 0)
        self.spent = timedelta()
        self.playbook = _PLAYBOOKS["plain"]

    @initialize(
        priority=st.sampled_from(list(DESK["priorities"])), desk=st.sampled_from(list(_PLAYBOOKS))
    )
    def a_request_comes_in(self, priority: str, desk: str) -> None:
        self.playbook = _PLAYBOOKS[desk]
        self._commit(c.Receive("CS1", request(priority=priority)))

    @rule(command=_commands)
    def somebody_acts(self, command: c.Command) -> None:
        assert self.ticket is not None
        with suppress(ActionNotAllowed, AlreadyAnswered):
            self._commit(command)

    @rule(minutes=st.integers(1, 60 * 30))
    def time_passes(self, minutes: int) -> None:
        later = self.now + timedelta(minutes=minutes, seconds=minutes % 59)
        assert self.ticket is not None
        timer = self.ticket.timers["resolution"]
        if timer.state == "running":
            self.spent += self.playbook.hours.between(self.now, later)
        self.now = later

    @rule()
    def the_sweep_comes(self) -> None:
        before = self.ticket
        self._commit(c.Tick())
        if self.ticket is before:
            return
        assert decide(self.ticket, c.Tick(), self.playbook, self.now) == () or (
            self.commits[-1].of(PriorityChanged)
        )

    def _commit(self, command: c.Command) -> None:
        before = self.ticket
        events = decide(before, command, self.playbook, self.now)
        if not events:
            return
        kept = parse_events(dump_events(events), 1)
        assert kept == events
        commit = committed(before, kept, self.now, "CS1")
        self.ticket = apply(before, commit)
        self.commits.append(commit)
        changed = Change(before, self.ticket, kept, "1", assigned_by_person=True)
        for name, write in _ROSTER.load_writes((changed,)):
            update: Any = write["Update"]
            username = str(update["Key"]["sk"]["S"]).removeprefix("AGENT#")
            self.places[username] += int(update["ExpressionAttributeValues"][":by"]["N"])
            assert name in ("release", f"claim:{username}")
        if commit.of(TicketReopened, TicketReceived):
            self.spent = timedelta()
        timer = self.ticket.timers["resolution"]
        if commit.of(TicketUnmerged) and timer.state == "running" and timer.due_at:
            # What was promised and is still ahead stays, so the time of the merge was spent.
            self.spent = timer.allowed - self.playbook.hours.between(self.now, timer.due_at)

    @invariant()
    def its_history_makes_the_ticket(self) -> None:
        again: Ticket | None = None
        for commit in self.commits:
            again = apply(again, commit)
        assert again == self.ticket
        if again is not None:
            assert again.version == len(self.commits)
            assert Ticket.model_validate_json(again.model_dump_json(exclude_defaults=True)) == again

    @invariant()
    def one_handler_at_most_and_places_counted_once(self) -> None:
        if self.ticket is None:
            return
        taken = [name for name, count in self.places.items() if count]
        assert set(self.places.values()) <= {0, 1}
        assert taken == ([self.ticket.handler] if self.ticket.status in IN_HAND else [])
        if self.ticket.status in ("received", "pending_confirmation", "queued"):
            assert self.ticket.handler is None
        if self.ticket.queue == "agent" and self.ticket.status in OPEN:
            assert self.ticket.handler is not None

    @invariant()
    def timers_are_consistent(self) -> None:
        if self.ticket is None:
            return
        for kind, timer in self.ticket.timers.items():
            assert (timer.state == "paused") == (timer.left is not None), kind
            if timer.state == "running":
                assert timer.due_at is not None
                assert timer.wakes_at is not None
                assert timer.wakes_at <= timer.due_at
            if timer.state in ("paused", "met", "cancelled"):
                assert timer.wakes_at is None
            if timer.breaches:
                assert timer.state in ("breached", "cancelled")
        if self.ticket.status in ("archived", "closed"):
            assert self.ticket.next_due is None

    @invariant()
    def the_business_clock_adds_up(self) -> None:
        """G2: what is left is what was allowed less the open hours in which the timer ran."""
        if self.ticket is None:
            return
        timer = self.ticket.timers["resolution"]
        left = timer.allowed - self.spent
        if left <= timedelta():
            return
        if timer.state == "paused":
            assert timer.left == left
        elif timer.state == "running":
            assert timer.due_at is not None
            assert self.playbook.hours.between(self.now, timer.due_at) == left

    @invariant()
    def what_the_record_says_agrees(self) -> None:
        if self.ticket is None:
            return
        assert (self.ticket.status == "archived") <= (self.ticket.archived_at is not None)
        assert self.ticket.level == sum(
            event.to == "senior" for commit in self.commits for event in commit.of(TicketReopened)
        )
        if self.ticket.pending is not None and self.ticket.merged is None:
            assert self.ticket.status in OPEN
            assert steps_allowed(self.ticket, self.playbook)[0] == "approve"
        assert self.ticket.resolutions == sum(
            len(commit.of(TicketResolved)) for commit in self.commits
        )
        if self.ticket.status in ("awaiting_confirmation", "resolved", "in_review"):
            assert self.ticket.summary or self.ticket.erased


_ROSTER = Roster(Table(cast("Any", None), "none"))

Desk.TestCase.settings = settings(max_examples=50, stateful_step_count=30)
TestAnyOrder = Desk.TestCase


def test_every_event_is_registered_under_its_class_name() -> None:
    assert all(kind.__name__ == kind.event == name for name, kind in EVENTS.items())


@pytest.mark.requirement("F2")
def test_only_an_online_agent_below_capacity_has_capacity(playbook: Playbook) -> None:
    assert agent().has_capacity
    assert not agent(load=2).has_capacity
    assert not agent(online=False).has_capacity
