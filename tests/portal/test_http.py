"""The customers' calls through Chalice, as API Gateway makes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest

from functions.core.domain import commands as c
from functions.core.domain.rules import Playbook
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.text.tokens import link_key
from infra.simulator.simulator import Simulator
from tests.core.sample_desk import NOON, file_ticket
from tests.portal.deployment import DEPLOYMENT, ROOT, deployed

pytestmark = pytest.mark.requirement("F6", "A13", "A16", "G4")
NUMBER = "CS20260310001"
PATH = f"/desks/testdesk/tickets/{NUMBER}"
KEY = link_key(ROOT, "customer", "testdesk", NUMBER, 1)
BROWSER = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def simulator(playbook: Playbook) -> Iterator[Simulator]:
    """Yield a deployment with one assigned ticket."""
    with deployed(playbook, {"agent-1": ("agent", "technical")}) as running:
        storage = _storage()
        file_ticket(storage, playbook, NUMBER)
        assign = c.Assign("technical", "agent-1", by_person=True)
        change(storage, "testdesk", NUMBER, assign, playbook, NOON, actor="system")
        yield running


def _storage() -> Storage:
    import boto3

    return Storage.on(boto3.client("dynamodb"), DEPLOYMENT.table)


def test_the_status_is_readable_over_http(simulator: Simulator) -> None:
    answer = simulator.http("GET", f"{PATH}?key={KEY}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["received_at"] == "2026-03-10T12:00:00+08:00"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_browser_gets_a_page_over_http(simulator: Simulator) -> None:
    answer = simulator.http("GET", f"{PATH}?contact=8000", headers=BROWSER)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "path",
    [
        PATH,
        f"{PATH}?key=wrong",
        f"{PATH}?contact=%00%00%00%00",
        f"{PATH}?key=%ff%fe",
        "/desks/testdesk/tickets/CS1?contact=8000",
        "/desks/other/tickets/CS1",
    ],
)
def test_a_wrong_proof_is_a_problem_document(simulator: Simulator, path: str) -> None:
    answer = simulator.http("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.text == simulator.http("GET", "/desks/testdesk/tickets/CS9").text


@pytest.mark.requirement("A13")
def test_a_browser_without_script_answers_the_survey(
    simulator: Simulator, playbook: Playbook
) -> None:
    """Its form leads back to the page."""
    change(_storage(), "testdesk", NUMBER, c.Resolve("好了"), playbook, NOON, actor="agent-1")
    page = simulator.http("GET", f"{PATH}?key={KEY}", headers=BROWSER).text
    action = page.split('method="post" action="')[1].split('"')[0].replace("&amp;", "&")
    address = urljoin(PATH, action)
    headers = {**BROWSER, "Content-Type": "application/x-www-form-urlencoded"}
    answer = simulator.http("POST", address, b"score=5&comment=%E5%A5%BD", headers=headers)
    assert answer.status == 303
    back = urljoin(address, answer.headers["location"])
    assert "感谢您的评价" in simulator.http("GET", back, headers=BROWSER).text


@pytest.mark.parametrize(
    ("call", "body", "status"),
    [
        ("messages", {"text": "你好"}, 201),
        ("messages", {}, 400),
        ("messages", {"text": "x" * 300_000}, 413),
        ("messages", b'{"text": "\\ud800"}', 400),
        ("confirmation", {"solved": True}, 409),
        ("survey", {"score": 5}, 409),
    ],
)
def test_each_refusal_is_a_problem_document(
    simulator: Simulator, call: str, body: Any, status: int
) -> None:
    answer = simulator.http("POST", f"{PATH}/{call}?key={KEY}", body)
    assert answer.status == status
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == status
        assert {"title", "detail"} <= set(answer.json)


def test_a_customer_confirms_the_solution_over_http(
    simulator: Simulator, playbook: Playbook
) -> None:
    change(_storage(), "testdesk", NUMBER, c.Resolve("好了"), playbook, NOON, actor="agent-1")
    answer = simulator.http("POST", f"{PATH}/confirmation?key={KEY}", {"solved": True})
    assert (answer.status, answer.json["number"]) == (200, NUMBER)
