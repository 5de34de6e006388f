"""The customers' calls through Chalice, as API Gateway makes them."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock
from urllib.parse import urljoin

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import TryAgain
from functions.core.domain.rules import Playbook
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.text.tokens import link_key
from functions.portal import access
from infra.simulator.simulator import Simulator
from tests.core.sample_desk import NOON, file_ticket
from tests.portal.deployment import DEPLOYMENT, ROOT, deployed

pytestmark = pytest.mark.requirement("F6", "A13", "A16", "G4")
NUMBER = "CS20260310001"
PATH = f"/desks/testdesk/tickets/{NUMBER}"
KEY = link_key(ROOT, "customer", "testdesk", NUMBER, 1)
FORM = "application/x-www-form-urlencoded"
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
    english = {"Accept-Language": "en"}
    answer = simulator.http("GET", path, headers=english)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    missing = simulator.http("GET", "/desks/testdesk/tickets/CS9", headers=english)
    assert answer.text == missing.text


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


@pytest.mark.parametrize(
    ("method", "path", "body", "type_", "status", "says"),
    [
        (
            "GET", "/desks/testdesk/tickets/CS9", None, "", 404,
            ("没有找到此请求", "no such request"),
        ),
        ("GET", "/desks/nowhere", None, "", 404, ("没有找到此请求", "no such request")),
        ("GET", "/desks/testdesk/file", None, "", 404, ("没有找到此页面", "at this address")),
        ("GET", "/desks/testdesk/a/b", None, "", 404, ("没有找到此页面", "at this address")),
        ("DELETE", PATH, None, "", 405, ("不支持这种请求方法", "no such method")),
        ("POST", f"{PATH}/messages", b"x", "text/x", 415, ("不接受这种类型", "body of this type")),
        ("POST", f"{PATH}/messages", b"x" * 300_000, FORM, 413, ("256 KiB", "256 KiB")),
        ("POST", f"{PATH}/messages?key={KEY}", b"text=", FORM, 400, ("至少 1 个字", "at least")),
        ("POST", f"{PATH}/survey?key={KEY}", b"score=5", FORM, 409, ("尚未处理", "not solved")),
        ("GET", f"{PATH}?key=busy", None, "", 503, ("请稍后再试", "try again in a moment")),
        ("GET", f"{PATH}?key=broken", None, "", 500, ("我们的系统出了问题", "failed on our side")),
    ],
)  # fmt: skip
def test_each_error_is_a_page_in_the_reader_s_language(
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    body: bytes | None,
    type_: str,
    status: int,
    says: tuple[str, str],
) -> None:
    """The same error is a problem document for a program."""
    for key, error in (("busy", TryAgain("secret")), ("broken", KeyError("secret"))):
        if path.endswith(key):
            monkeypatch.setattr(access, "authorize", Mock(side_effect=error))
    for locale, said in zip(("zh-CN,zh;q=0.9,en;q=0.2", "fr, en;q=0.5"), says, strict=True):
        headers = {"Accept-Language": locale} | ({"Content-Type": type_} if type_ else {})
        page = simulator.http(method, path, body, headers={**BROWSER, **headers})
        assert (page.status, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert said in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        document = simulator.http(method, path, body, headers=headers)
        assert document.headers["content-type"] == "application/problem+json"
        assert said in document.text
        assert "secret" not in page.text + document.text


@pytest.mark.requirement("A13", "C10")
def test_a_409_says_which_cause_applies(simulator: Simulator, playbook: Playbook) -> None:
    def said(call: str, body: dict[str, Any]) -> str:
        headers = {"Accept-Language": "en"}
        answer = simulator.http("POST", f"{PATH}/{call}?key={KEY}", body, headers=headers)
        assert answer.status == 409
        return str(answer.json["detail"])

    def then(*commands: c.TicketCommand) -> None:
        for command in commands:
            change(_storage(), "testdesk", NUMBER, command, playbook, NOON, actor="agent-1")

    score, solved = {"score": 5}, {"solved": True}
    found = [said("survey", score), said("confirmation", solved)]
    then(c.Resolve("好了"), c.ExpireSurvey(1))
    found += [said("survey", score), said("confirmation", solved)]
    then(c.Reopen(), c.Close("垃圾信息"))
    found.append(said("survey", score))
    then(c.Reopen(), c.Take("technical", "agent-1"), c.Resolve("好了"), c.AnswerSurvey(5))
    found.append(said("survey", score))
    assert [words for words in found if "state" in words] == []
    assert len(set(found)) == len(found)
