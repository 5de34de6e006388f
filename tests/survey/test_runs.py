"""Each resolution has its own run of the closing workflow, which ends with it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain.closing import ARCHIVE, REOPENED, REVIEW, after_review, after_survey
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import OPEN
from functions.core.playbook import load
from functions.router.closing_workflow import start
from infra.simulator.workflows import Workflows
from tests.core.sample_desk import DESK, received

pytestmark = pytest.mark.requirement("F4", "A13", "D13")


class Started(Workflows):
    """Step Functions that refuses a name it already has."""

    def __init__(self) -> None:
        super().__init__(lambda *_: None)


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return load(DESK)


def runs(client: Started) -> dict[str, Any]:
    return {name: execution.input for name, execution in client.executions.items()}


def test_a_second_resolution_has_a_second_run(playbook: Playbook) -> None:
    """Executions are named after desk, ticket and resolution; a repeated record starts none."""
    client: Any = Started()
    for number, desk in (("CS1", "testdesk"), ("CS1", "other")):
        ticket = received(playbook).model_copy(update={"number": number, "desk": desk})
        for resolution in (1, 1, 2):
            start(client, "arn", ticket, resolution, playbook)
        for _ in range(2):
            start(client, "arn", ticket, 2, playbook, run="closed-9")
    found = runs(client)
    assert list(found) == [
        f"{desk}-CS1-{run}" for desk in ("testdesk", "other") for run in ("1", "2", "closed-9")
    ]
    assert found["testdesk-CS1-2"] == {
        "desk": "testdesk",
        "number": "CS1",
        "resolution": 2,
        "wait_seconds": 7 * 86400,
        "review_seconds": 3 * 86400,
    }
    assert json.dumps(found["other-CS1-closed-9"])
    assert found["other-CS1-closed-9"]["resolution"] == 2


def test_the_desk_sets_the_time_of_the_call_back(playbook: Playbook) -> None:
    """After a confirmation that is the confirmation's time, otherwise the review's."""
    asked = load(
        {
            **DESK,
            "statuses": {**DESK["statuses"], "awaiting_confirmation": DESK["statuses"]["queued"]},
            "confirmation": {"solved": "callback", "team": "technical", "within": "1h"},
        }
    )
    client: Any = Started()
    start(client, "arn", received(asked), 1, asked)
    (found,) = runs(client).values()
    assert timedelta(seconds=found["review_seconds"]) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("status", "survey", "review"),
    [
        ("resolved", None, None),
        ("awaiting_confirmation", None, None),
        ("in_review", REVIEW, None),
        ("archived", ARCHIVE, ARCHIVE),
        ("closed", ARCHIVE, ARCHIVE),
        ("merged", REOPENED, REOPENED),
        *((status, REOPENED, REOPENED) for status in sorted(OPEN - {"awaiting_confirmation"})),
    ],
)
def test_the_status_decides_how_a_run_continues(
    playbook: Playbook, status: str, survey: Any, review: Any
) -> None:
    ticket = received(playbook).model_copy(update={"status": status, "resolutions": 2})
    assert (after_survey(ticket, 2), after_review(ticket, 2)) == (survey, review)
    for other in (1, 3):
        assert after_survey(ticket, other) == after_review(ticket, other) == REOPENED
