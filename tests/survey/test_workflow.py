"""The closing workflow on the emulator's interpreter, with simulated tasks."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pydantic
import pytest

from functions.core.domain import errors

FILE = Path(__file__).parents[2] / "infra" / "templates" / "closing.asl.json"
FUNCTIONS = "arn:aws:lambda:us-east-1:123456789012:function:deskbell-test"
STARTED = {
    "desk": "testdesk",
    "number": "CS1",
    "resolution": 1,
    "wait_seconds": 604_800,
    "review_seconds": 259_200,
}
WORKFLOW = json.loads(FILE.read_text("utf-8"))
STATES: dict[str, Any] = WORKFLOW["States"]

Task = Callable[[dict[str, Any]], Any]


class TaskError(Exception):
    """A function's failure as the workflow sees it: the name of the error."""


@pytest.mark.requirement("F4")
class TestDefinition:
    """Properties of the definition file."""

    def test_every_wait_has_an_end(self) -> None:
        waits = [
            state for state in STATES.values() if "waitForTaskToken" in state.get("Resource", "")
        ]
        assert len(waits) == 2
        for state in waits:
            assert state["TimeoutSecondsPath"] in ("$.wait_seconds", "$.review_seconds")
            assert ["States.Timeout"] in [catch["ErrorEquals"] for catch in state["Catch"]]
            assert "States.ALL" not in [
                name for retry in state["Retry"] for name in retry["ErrorEquals"]
            ]

    @pytest.mark.requirement("G3")
    def test_every_task_is_retried_and_ends_where_an_alarm_sees_it(self) -> None:
        for state in STATES.values():
            if state["Type"] == "Task":
                assert state["Retry"]
                last = state["Catch"][-1]
                assert (last["ErrorEquals"], last["Next"]) == (["States.ALL"], "Failed")

    @pytest.mark.requirement("G3")
    def test_the_named_errors_are_classes_that_the_functions_raise(self) -> None:
        """A renamed class would be retried for minutes instead of reaching the alarm at once."""
        names = {
            name
            for state in STATES.values()
            for retry in state.get("Retry", [])
            for name in retry["ErrorEquals"]
            if not name.startswith("States.")
        }
        raised = {**vars(errors), "ValidationError": pydantic.ValidationError}
        assert {name for name in names if name in raised and raised[name].__name__ == name} == names

    def test_every_state_is_reached(self) -> None:
        reached = {WORKFLOW["StartAt"]}
        for state in STATES.values():
            branches = [state, *state.get("Choices", []), *state.get("Catch", [])]
            reached |= {branch["Next"] for branch in branches if "Next" in branch}
            reached |= {state["Default"]} if "Default" in state else set()
        assert reached == set(STATES)

    def test_the_tasks_are_the_functions_of_survey(self) -> None:
        from chalice.app import Chalice

        from functions.survey.handler import bp

        app = Chalice("deskbell")
        app.register_blueprint(bp)
        names = {function.name for function in app.pure_lambda_functions}
        assert {name for name in names if f'-{name}"' in FILE.read_text("utf-8")} == names
        assert len(names) == 5


class Run:
    """One execution: the calls of its tasks, and its end."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.tasks: dict[str, Task] = {
            "survey_ask": lambda event: self.answer(event, {"review": False}),
            "survey_review": lambda event: self.answer(event, {}),
            "survey_expire": lambda event: {"review": False, "reopened": False},
            "survey_review_expire": lambda event: {"review": False, "reopened": False},
            "survey_archive": lambda event: {"key": "archive/testdesk/2026/CS1.json"},
        }

    def call(self, function: str, event: dict[str, Any]) -> Any:
        name = function.rpartition("-")[2]
        self.called.append((name, event))
        try:
            return self.tasks[name](event)
        except TaskError as error:
            raise self.engine._ExecutionError(str(error), "{}") from error

    def answer(self, event: dict[str, Any], output: dict[str, Any]) -> None:
        self.engine._send_task_success({"taskToken": event["token"], "output": json.dumps(output)})

    def names(self) -> list[str]:
        return [name for name, _ in self.called]

    def start(self, name: str, **changes: Any) -> Any:
        """Run to the end; the execution as the engine describes it, and its events."""
        definition = FILE.read_text("utf-8").replace("${Functions}", FUNCTIONS)
        engine = self.engine
        machine = f"closing-{name}"
        created = engine._create_state_machine(
            {
                "name": machine,
                "definition": definition.replace("${Partition}", "aws"),
                "roleArn": "arn:aws:iam::123456789012:role/closing",
            }
        )
        arn = json.loads(created[2])["stateMachineArn"]
        given = json.dumps({**STARTED, **changes})
        started = engine._start_execution(
            {"stateMachineArn": arn, "name": "testdesk-CS1-1", "input": given}
        )
        execution = json.loads(started[2])["executionArn"]
        limit = monotonic() + 20
        while monotonic() < limit:
            found = engine._executions[execution]
            if found["status"] != "RUNNING":
                return found
            sleep(0.01)
        raise AssertionError(f"still running after {self.names()}")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the emulator's Step Functions in this process, with a day as an eighth of a second."""
    from ministack.services import stepfunctions

    from infra.local import workflows

    found = Run(stepfunctions)
    for name in ("_execute_task", "_invoke_with_callback"):
        monkeypatch.setattr(stepfunctions, name, getattr(stepfunctions, name))
    monkeypatch.setattr(stepfunctions, "_call_lambda", found.call)
    monkeypatch.setattr(
        stepfunctions, "_resolve_lambda_function_ref", lambda name, optimized=False: name
    )
    monkeypatch.setattr(stepfunctions, "_SFN_WAIT_SCALE", 0.125 / 86_400)
    workflows.install()
    yield found
    stepfunctions._executions.clear()
    stepfunctions._state_machines.clear()


def states_entered(execution: Any) -> list[str]:
    """Return the states that were entered, in order; each is a paid state transition."""
    return [
        event["stateEnteredEventDetails"]["name"]
        for event in execution["events"]
        if "stateEnteredEventDetails" in event
    ]


@pytest.mark.requirement("F4", "A13")
class TestPaths:
    """Survey, then a review if the answer asks for one, then the archive."""

    @pytest.mark.requirement("G7")
    def test_a_good_score_archives_the_ticket(self, run: Run) -> None:
        """Three transitions; the budget is twelve."""
        execution = run.start("content")
        assert execution["status"] == "SUCCEEDED"
        assert states_entered(execution) == ["Ask", "Answered", "Archive"]
        name, event = run.called[0]
        assert (name, event["desk"], event["number"], event["resolution"]) == (
            "survey_ask", "testdesk", "CS1", 1,
        )  # fmt: skip
        assert run.called[-1] == (
            "survey_archive", {"desk": "testdesk", "number": "CS1", "resolution": 1},
        )  # fmt: skip

    def test_a_poor_score_goes_to_review(self, run: Run) -> None:
        run.tasks["survey_ask"] = lambda event: run.answer(event, {"review": True})
        execution = run.start("discontent")
        assert execution["status"] == "SUCCEEDED"
        assert states_entered(execution) == ["Ask", "Answered", "Review", "Archive"]
        assert run.called[0][1]["token"] != run.called[1][1]["token"]

    def test_a_reopened_ticket_ends_the_run(self, run: Run) -> None:
        run.tasks["survey_ask"] = lambda event: run.answer(event, {"reopened": True})
        execution = run.start("reopened")
        assert execution["status"] == "SUCCEEDED"
        assert run.names() == ["survey_ask"]

    def test_an_unanswered_survey_expires(self, run: Run) -> None:
        run.tasks["survey_ask"] = lambda event: None
        execution = run.start("silence")
        assert execution["status"] == "SUCCEEDED"
        assert states_entered(execution) == ["Ask", "Expire", "Answered", "Archive"]

    def test_a_review_without_a_call_back_expires(self, run: Run) -> None:
        run.tasks["survey_ask"] = lambda event: run.answer(event, {"review": True})
        run.tasks["survey_review"] = lambda event: None
        execution = run.start("silent-review")
        assert execution["status"] == "SUCCEEDED"
        assert states_entered(execution) == ["Ask", "Answered", "Review", "ExpireReview", "Archive"]

    def test_an_answer_at_the_last_moment_counts(self, run: Run) -> None:
        run.tasks["survey_ask"] = lambda event: None
        run.tasks["survey_expire"] = lambda event: {"review": True, "reopened": False}
        execution = run.start("last-moment")
        assert states_entered(execution) == ["Ask", "Expire", "Answered", "Review", "Archive"]


@pytest.mark.requirement("G3")
class TestErrors:
    """Passing failures are retried; others fail the run with their cause."""

    @pytest.mark.parametrize("task", ["survey_ask", "survey_archive"])
    def test_a_passing_failure_is_retried(self, run: Run, task: str) -> None:
        works = run.tasks[task]
        failures = iter(["TryAgain", "Conflict", "Lambda.TooManyRequestsException"])

        def fail_at_first(event: dict[str, Any]) -> Any:
            name = next(failures, None)
            if name:
                raise TaskError(name)
            return works(event)

        run.tasks[task] = fail_at_first
        assert run.start(f"passing-{task}")["status"] == "SUCCEEDED"
        assert run.names().count(task) == 4

    @pytest.mark.parametrize("task", ["survey_ask", "survey_archive", "survey_expire"])
    def test_a_lasting_failure_fails_the_run(self, run: Run, task: str) -> None:
        def fail(event: dict[str, Any]) -> Any:
            raise TaskError("NotFound")

        if task == "survey_expire":
            run.tasks["survey_ask"] = lambda event: None
        run.tasks[task] = fail
        execution = run.start(f"lasting-{task}")
        assert (execution["status"], execution["error"]) == ("FAILED", "NotFound")
        assert run.names().count(task) == 1
