"""The tasks of the closing workflow: every wait ends."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.domain import commands as c
from functions.core.domain.closing import (
    ARCHIVE,
    REOPENED,
    REVIEW,
    TaskKind,
    TaskResult,
    after_review,
    after_survey,
)
from functions.core.domain.errors import Conflict
from functions.core.domain.events import SurveyExpired
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.services.task_results import send_result
from functions.core.storage.database import Storage
from functions.survey import handler
from functions.survey.tasks import Task, WaitingTask, expire, wait_for
from tests.core.sample_desk import NOON, agent, file_ticket, received, then

TASK = Task(desk="testdesk", number="CS1", resolution=1)
WAITING_TASK = WaitingTask(desk="testdesk", number="CS1", resolution=1, token="token-1")
POOR, GOOD = c.AnswerSurvey(2), c.AnswerSurvey(5)
CALLED = c.RecordCallback("等待太久")


class Workflows:
    """Step Functions that records the tokens and outputs it gets."""

    def __init__(self, error: str | None = None) -> None:
        self.answers: dict[str, TaskResult] = {}
        self.error = error

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803 - AWS's name
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "…"}}, "SendTaskSuccess")
        self.answers[taskToken] = json.loads(output)


@pytest.fixture
def desk(storage: Storage, playbook: Playbook) -> Storage:
    """Return a storage with a resolved ticket, CS1."""
    storage.playbooks.put(playbook, NOON)
    storage.roster.put(agent())
    file_ticket(storage, playbook, "CS1")
    carry_out(storage, playbook, c.Assign("technical", "agent-1"), c.Resolve("重置密码"))
    return storage


def carry_out(
    storage: Storage, playbook: Playbook, *commands: c.Command, at: datetime = NOON
) -> Ticket:
    """Carry commands out on CS1."""
    ticket = storage.tickets.load("testdesk", "CS1")
    for command in commands:
        ticket = change(storage, "testdesk", "CS1", command, playbook, at, actor="agent-1")
    return ticket


@pytest.mark.requirement("A13")
class TestRules:
    """The state of a ticket decides how a run continues."""

    @pytest.mark.parametrize(
        ("commands", "survey", "review"),
        [
            ((), None, None),
            ((POOR,), REVIEW, None),
            ((GOOD,), ARCHIVE, ARCHIVE),
            ((POOR, CALLED), ARCHIVE, ARCHIVE),
            ((c.Reopen(),), REOPENED, REOPENED),
            ((POOR, c.Reopen()), REOPENED, REOPENED),
            ((GOOD, c.Reopen()), REOPENED, REOPENED),
            ((c.Reopen(), c.Close("spam")), ARCHIVE, ARCHIVE),
            ((c.Reopen(), c.Assign("technical", "agent-1"), c.Resolve("再次")), REOPENED, REOPENED),
        ],
    )
    def test_the_state_decides_how_a_run_continues(
        self,
        commands: Any,
        survey: TaskResult | None,
        review: TaskResult | None,
        playbook: Playbook,
    ) -> None:
        ticket = received(playbook)
        for command in (c.Assign("technical", "agent-1"), c.Resolve("重置密码"), *commands):
            ticket = then(ticket, command, playbook)
        assert after_survey(ticket, 1) == survey
        assert after_review(ticket, 1) == review


@pytest.mark.requirement("F4")
class TestWaiting:
    """A task reads the ticket again after it has stored its token."""

    def test_the_survey_waits_for_the_customer(self, desk: Storage) -> None:
        workflows = Workflows()
        wait_for(desk, workflows, "survey", WAITING_TASK)  # type: ignore[arg-type]
        assert workflows.answers == {}
        assert desk.closing_tokens.get("testdesk", "CS1", "survey") == ("token-1", 1)

    @pytest.mark.parametrize(
        ("command", "answer"), [(POOR, REVIEW), (GOOD, ARCHIVE), (c.Reopen(), REOPENED)]
    )
    def test_an_answer_before_the_token_continues_at_once(
        self, desk: Storage, playbook: Playbook, command: c.Command, answer: TaskResult
    ) -> None:
        carry_out(desk, playbook, command)
        workflows = Workflows()
        wait_for(desk, workflows, "survey", WAITING_TASK)  # type: ignore[arg-type]
        assert workflows.answers == {"token-1": answer}

    def test_an_answer_between_token_and_read_is_found(
        self, desk: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep = desk.closing_tokens.put

        def keep_then_answer(*arguments: Any) -> None:
            carry_out(desk, playbook, GOOD)
            assert desk.closing_tokens.get("testdesk", "CS1", "survey") is None
            keep(*arguments)

        monkeypatch.setattr(desk.closing_tokens, "put", keep_then_answer)
        workflows = Workflows()
        wait_for(desk, workflows, "survey", WAITING_TASK)  # type: ignore[arg-type]
        assert workflows.answers == {"token-1": ARCHIVE}

    @pytest.mark.requirement("A13")
    def test_the_review_waits_for_the_call_back(self, desk: Storage, playbook: Playbook) -> None:
        carry_out(desk, playbook, POOR)
        workflows = Workflows()
        wait_for(desk, workflows, "review", WAITING_TASK)  # type: ignore[arg-type]
        assert workflows.answers == {}
        assert desk.closing_tokens.get("testdesk", "CS1", "review") == ("token-1", 1)
        carry_out(desk, playbook, CALLED)
        wait_for(desk, workflows, "review", WAITING_TASK)  # type: ignore[arg-type]
        assert workflows.answers == {"token-1": ARCHIVE}

    def test_a_missed_run_ends_with_the_next_resolution(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        workflows = Workflows()
        wait_for(desk, workflows, "survey", WAITING_TASK)  # type: ignore[arg-type]
        again = (c.Reopen(), c.Assign("technical", "agent-1"), c.Resolve("再次"))
        carry_out(desk, playbook, *again)
        second = WaitingTask(desk="testdesk", number="CS1", resolution=2, token="token-2")
        wait_for(desk, workflows, "survey", second)  # type: ignore[arg-type]
        assert workflows.answers == {"token-1": REOPENED}
        assert desk.closing_tokens.get("testdesk", "CS1", "survey") == ("token-2", 2)
        wait_for(desk, workflows, "survey", second)  # type: ignore[arg-type]
        assert workflows.answers == {"token-1": REOPENED}

    @pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
    def test_a_task_that_has_ended_is_ignored(self, code: str) -> None:
        send_result(Workflows(code), "token-1", ARCHIVE)  # type: ignore[arg-type]

    def test_other_errors_of_the_service_propagate(self) -> None:
        with pytest.raises(ClientError):
            send_result(Workflows("AccessDenied"), "token-1", ARCHIVE)  # type: ignore[arg-type]


@pytest.mark.requirement("F4", "A13")
class TestExpiry:
    """Each wait expires."""

    def test_an_unanswered_survey_archives_the_ticket(self, desk: Storage) -> None:
        assert expire(desk, "survey", TASK, NOON + timedelta(days=7)) == ARCHIVE
        ticket = desk.tickets.load("testdesk", "CS1")
        assert (ticket.status, ticket.score) == ("archived", None)
        commit = desk.tickets.commit_at("testdesk", "CS1", ticket.version)
        assert commit is not None
        assert commit.of(SurveyExpired)
        assert commit.actor == "system"

    def test_a_missing_call_back_archives_the_ticket(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        carry_out(desk, playbook, POOR)
        assert expire(desk, "review", TASK, NOON + timedelta(days=3)) == ARCHIVE
        assert desk.tickets.load("testdesk", "CS1").status == "archived"

    @pytest.mark.parametrize(
        ("kind", "commands", "answer"),
        [
            ("survey", (POOR,), REVIEW),
            ("survey", (GOOD,), ARCHIVE),
            ("survey", (c.Reopen(),), REOPENED),
            ("review", (POOR, CALLED), ARCHIVE),
            ("review", (POOR, c.Reopen()), REOPENED),
        ],
    )
    def test_an_answer_at_the_last_moment_counts(
        self, desk: Storage, playbook: Playbook, kind: TaskKind, commands: Any, answer: TaskResult
    ) -> None:
        before = carry_out(desk, playbook, *commands)
        assert expire(desk, kind, TASK, NOON + timedelta(days=7)) == answer
        assert desk.tickets.load("testdesk", "CS1") == before

    def test_an_expiry_does_not_end_a_later_resolution(
        self, desk: Storage, playbook: Playbook
    ) -> None:
        again = (c.Reopen(), c.Assign("technical", "agent-1"), c.Resolve("再次"))
        before = carry_out(desk, playbook, *again)
        assert expire(desk, "survey", TASK, NOON + timedelta(days=7)) == REOPENED
        assert desk.tickets.load("testdesk", "CS1") == before

    def test_a_repeated_expiry_returns_the_same_result(self, desk: Storage) -> None:
        first = expire(desk, "survey", TASK, NOON)
        assert expire(desk, "survey", TASK, NOON) == first

    @pytest.mark.requirement("G3")
    def test_an_expiry_that_changes_nothing_fails(
        self, desk: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("functions.survey.tasks.change", lambda *a, **k: None)
        with pytest.raises(RuntimeError, match="still waits"):
            expire(desk, "survey", TASK, NOON)

    def test_a_conflict_propagates_to_the_workflow(
        self, desk: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lose(*arguments: Any, **options: Any) -> Ticket:
            raise Conflict("others were faster")

        monkeypatch.setattr("functions.survey.tasks.change", lose)
        with pytest.raises(Conflict):
            expire(desk, "survey", TASK, NOON)


class Context:
    """The context that Lambda passes to a function."""

    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:deskbell-test-survey_ask"
    memory_limit_in_mb = 256


@pytest.mark.requirement("F4")
class TestHandlers:
    """The handlers, with the workflow's events."""

    def test_the_handlers_accept_and_return_the_workflows_shapes(
        self, desk: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workflows = Workflows()
        monkeypatch.setattr("functions.core.platform.container.storage", lambda place: desk)
        monkeypatch.setattr("functions.core.platform.aws.client", lambda service: workflows)
        run = TASK.model_dump()
        assert handler.survey_ask({**run, "token": "t-1"}, Context()) is None
        assert handler.survey_expire(run, Context()) == ARCHIVE
        assert handler.survey_review({**run, "token": "t-2"}, Context()) is None
        assert workflows.answers == {"t-2": ARCHIVE}
        assert handler.survey_review_expire(run, Context()) == ARCHIVE
