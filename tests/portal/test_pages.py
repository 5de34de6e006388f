"""The form, the lost link and the privacy notice, through Chalice as API Gateway calls it."""

import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest

from deskbell.client import ApiResponse
from functions.core.domain import commands as c
from functions.core.domain.events import LinkRequested, TicketReceived
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.pages.security import timed_token
from functions.core.platform import clock
from functions.core.playbook import load
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.text.tokens import link_key
from functions.portal.pages import find
from infra.simulator.simulator import Simulator
from tests.core.sample_desk import DESK, both, new_tickets
from tests.core.text.test_file_types import REAL
from tests.portal.deployment import DEPLOYMENT, ROOT, deployed

pytestmark = pytest.mark.requirement("H1", "A1", "G1", "G9")
FORM = "application/x-www-form-urlencoded"
BROWSER = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "zh-CN"}
PAGE = "/desks/testdesk"
NOTICE = "2026-12"
MARK = "----x"


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    types = {
        "inquiry": {"label": both("咨询")},
        "fault": {"label": both("报障"), "asks": ["product.name", "order", "since"]},
        "care": {"label": both("主动关怀"), "agents_only": True},
    }
    priorities = {**DESK["priorities"], "high": {"label": both("P1"), "urgency": both("紧急")}}
    notice = {"version": NOTICE, "text": both("我们只用于处理您的请求。<b>")}
    desk = {**DESK, "types": types, "priorities": priorities, "privacy": notice}
    limits = {"per_source": 3}
    return load({**desk, "unproven_tickets": limits})


@pytest.fixture
def simulator(playbook: Playbook) -> Iterator[Simulator]:
    """Yield a deployment without tickets."""
    with deployed(playbook, {"agent-1": ("agent", "technical")}) as running:
        yield running


def storage() -> Storage:
    import boto3

    return Storage.on(boto3.client("dynamodb"), DEPLOYMENT.table)


def shown(simulator: Simulator, path: str = PAGE, **headers: str) -> ApiResponse:
    answer = simulator.http("GET", path, headers={**BROWSER, **headers})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def fields(simulator: Simulator, **typed: str) -> dict[str, str]:
    """Return the fields of a form that a customer filled in."""
    entered = {"contact": "13800138000", "description": "无法登录", "website": ""}
    return {**hidden(shown(simulator).text), **entered, **typed}


def send(
    simulator: Simulator, sent: dict[str, str], path: str = PAGE, source: str = "127.0.0.1"
) -> ApiResponse:
    headers = {**BROWSER, "Content-Type": FORM}
    return simulator.http("POST", path, urlencode(sent).encode(), headers=headers, source=source)


def multipart(simulator: Simulator, sent: dict[str, str], file: bytes, path: str) -> ApiResponse:
    parts = [
        f'--{MARK}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in sent.items()
    ]
    head = 'Content-Disposition: form-data; name="attachments"; filename="照片.png"'
    parts.append(f"--{MARK}\r\n{head}\r\nContent-Type: image/png\r\n\r\n".encode() + file)
    body = b"".join((*parts, f"\r\n--{MARK}--\r\n".encode()))
    headers = {**BROWSER, "Content-Type": f"multipart/form-data; boundary={MARK}"}
    return simulator.http("POST", path, body, headers=headers)


def received(ticket: Ticket) -> TicketReceived:
    return storage().tickets.history("testdesk", ticket.number)[0].of(TicketReceived)[0]


# The form


def test_the_form_has_the_api_s_fields_and_loads_nothing_from_elsewhere(
    simulator: Simulator,
) -> None:
    answer = shown(simulator)
    names = set(re.findall(r'(?:id="[\w.]+" )?name="([\w.]+)"', answer.text)) - {"viewport"}
    assert {"contact", "description", "name", "type", "urgency", "preferred_channel"} <= names
    assert {"product.name", "order", "since", "attachments"} <= names
    assert "attempted" not in names, "no type asks for it"
    assert answer.text.count('type="submit"') == 1
    assert "主动关怀" not in answer.text, "only agents give it"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"https?://|<style| style=|<script(?! defer src=)", answer.text)
    for address in re.findall(r'(?:href|src)="(\.[^"]*/static/[^"]+)"', answer.text):
        assert simulator.http("GET", urljoin(PAGE, address)).status == 200


def test_an_urgency_says_when_an_answer_would_come_and_no_internal_name(
    simulator: Simulator,
) -> None:
    page = shown(simulator).text
    said = re.findall(r'name="urgency" value="(\w+)"><span><b>(\S+)</b> <span[^>]*>(.+?)<', page)
    assert [(name, word) for name, word, _ in said] == [
        ("high", "紧急"), ("medium", "中"), ("low", "低"),
    ]  # fmt: skip
    assert all("答复" in when and re.search(r"\d\d:\d\d", when) for *_, when in said)
    assert "P1" not in page
    assert "checked" not in page


@pytest.mark.parametrize(
    ("asked", "accepted", "locale"),
    [("?lang=en", "zh-CN", "en"), ("", "en", "en"), ("", "fr", "zh-CN")],
)
def test_the_language_is_the_reader_s_else_the_desk_s(
    simulator: Simulator, asked: str, accepted: str, locale: str
) -> None:
    page = shown(simulator, PAGE + asked, **{"Accept-Language": accepted}).text
    assert f'<html lang="{locale}">' in page


def test_a_request_is_filed_and_leads_to_the_page_of_its_number(simulator: Simulator) -> None:
    typed = {
        "type": "fault", "urgency": "high", "name": "李雷", "product.name": "扫地机",
        "order": "A-17", "since": "昨天", "preferred_channel": "sms",
    }  # fmt: skip
    answer = send(simulator, fields(simulator, **typed))
    assert answer.status == 303
    (ticket,) = new_tickets(storage())
    event = received(ticket)
    assert (event.type, event.urgency, event.order, event.since) == (
        "fault", "high", "A-17", "昨天",
    )  # fmt: skip
    assert event.product is not None
    assert event.product.name == "扫地机"
    assert (event.locale, event.channel, event.privacy_version) == ("zh-CN", "web", NOTICE)
    assert not event.contact_proven

    key = link_key(ROOT, "submitter", "testdesk", ticket.number, 1)
    address = urljoin(PAGE, answer.headers["location"])
    assert address == f"{PAGE}/tickets/{ticket.number}?key={key}&done=filed&lang=zh-CN"
    page = shown(simulator, address).text
    assert f'<h1 class="number">{ticket.number}</h1>' in page
    assert re.search(r"我们会在\S+前答复您|最迟在\S+开始服务后答复您", page)
    assert "查询链接会发送到您填写的联系方式" in page


@pytest.mark.parametrize("changed", [False, True])
def test_a_form_that_is_sent_twice_is_one_ticket(simulator: Simulator, changed: bool) -> None:
    """Changed in between, it is shown again, and the next time it is a second request."""
    sent = fields(simulator)
    first = send(simulator, sent)
    again = send(simulator, sent | ({"description": "别的事"} if changed else {}))
    assert len(new_tickets(storage())) == 1
    if not changed:
        assert again.headers["location"] == first.headers["location"]
        return
    assert again.status == 422
    assert "您刚才已提交过一次" in again.text
    assert send(simulator, sent | hidden(again.text) | {"description": "别的事"}).status == 303
    assert len(new_tickets(storage())) == 2


def test_errors_are_summed_up_linked_and_nothing_typed_is_lost(simulator: Simulator) -> None:
    sent = fields(simulator, contact="nobody", description="<script>x</script>" * 20, order="A-17")
    answer = send(simulator, sent)
    assert answer.status == 400
    page = answer.text
    assert re.search(r'<div class="errors"[^>]* role="alert" tabindex="-1" autofocus>', page)
    assert re.findall(r'<li><a href="#([\w.]+)">', page) == ["description", "contact"]
    for name in ("description", "contact"):
        control = re.search(rf'<\w+ id="{name}"[^>]+>', page)
        assert control is not None
        assert 'aria-invalid="true"' in control[0]
        assert f"{name}-error" in control[0]
        assert f'id="{name}-error"' in page
    assert 'value="nobody"' in page
    assert 'value="A-17"' in page
    assert "<script>x" not in page
    assert unescape(page).count("<script>x</script>") == 20
    assert not new_tickets(storage())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"contact": ""}, "contact"),
        ({"description": "  "}, "description"),
        ({"type": "care"}, "type"),
        ({"urgency": "at once"}, "urgency"),
        ({"product.purchased_on": "yesterday"}, "product.purchased_on"),
        ({"preferred_channel": "pigeon"}, "preferred_channel"),
    ],
)
def test_each_field_is_checked_as_by_the_api(
    simulator: Simulator, change: dict[str, str], field: str
) -> None:
    answer = send(simulator, fields(simulator, **change))
    assert answer.status == 400
    assert f'href="#{field}"' in answer.text


def test_files_are_kept_with_the_ticket(simulator: Simulator) -> None:
    import boto3

    boto3.client("s3").create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    refused = multipart(simulator, fields(simulator), b"MZ\x90\x00", PAGE)
    assert refused.status == 400
    assert "照片.png: " in refused.text
    assert "文件需要重新选择" in refused.text
    assert not new_tickets(storage())
    assert multipart(simulator, fields(simulator), REAL["png"], PAGE).status == 303
    (ticket,) = new_tickets(storage())
    (file,) = received(ticket).attachments
    assert (file.name, file.size) == ("照片.png", len(REAL["png"]))
    assert file.key.startswith(f"files/testdesk/{ticket.number}/"), "so an erasure finds it"


def test_too_large_a_form_is_refused_as_a_page(simulator: Simulator) -> None:
    answer = multipart(simulator, {}, b"x" * (5 * 1024 * 1024), PAGE)
    assert (answer.status, "文件总共不能超过 4 MB" in answer.text) == (413, True)


def test_a_message_with_a_file_needs_no_script(simulator: Simulator) -> None:
    import boto3

    boto3.client("s3").create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    send(simulator, fields(simulator))
    (ticket,) = new_tickets(storage())
    key = link_key(ROOT, "customer", "testdesk", ticket.number, 1)
    address = f"{PAGE}/tickets/{ticket.number}"
    page = shown(simulator, f"{address}?key={key}").text
    sent = {**hidden(page), "text": "见照片"}
    for _ in range(2):  # a double click is one message
        answer = multipart(simulator, sent, REAL["png"], f"{address}/messages?key={key}")
        assert answer.status == 303
    back = shown(simulator, urljoin(f"{address}/messages", answer.headers["location"])).text
    assert back.count('<p class="text">见照片</p>') == 1
    assert "照片.png</a>" in back
    empty = send(simulator, {"text": ""}, f"{address}/messages?key={key}")
    assert empty.status == 400
    assert 'href="#text"' in empty.text
    bad = multipart(simulator, sent, b"MZ\x90\x00", f"{address}/messages?key={key}")
    assert bad.status == 400
    assert "见照片</textarea>" in bad.text, "what was written is kept"


# Machines


def test_a_filled_trap_waits_for_a_person(simulator: Simulator) -> None:
    """Nobody sees the field, but a program that fills in passwords may: nothing is lost."""
    import boto3

    boto3.client("s3").create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    answer = send(simulator, fields(simulator, website="https://spam.example"))
    assert (answer.status, "已收到" in answer.text) == (202, True)
    assert not new_tickets(storage())
    objects = boto3.client("s3").list_objects_v2(Bucket=DEPLOYMENT.mail_bucket)["Contents"]
    (stored,) = [each["Key"] for each in objects]
    assert stored.startswith("quarantine/testdesk/form-")


@pytest.mark.parametrize("token", ["", "1.x", "old", "other notice"])
def test_a_form_that_is_not_today_s_is_shown_again(simulator: Simulator, token: str) -> None:
    from datetime import timedelta

    made = clock.now()
    if token == "old":
        token = timed_token(ROOT, f"file/testdesk/{NOTICE}", made - timedelta(days=2))
    if token == "other notice":
        token = timed_token(ROOT, "file/testdesk/2025-01", made)
    answer = send(simulator, fields(simulator, token=token))
    assert answer.status == 400
    assert "无法登录</textarea>" in answer.text
    assert not new_tickets(storage())
    assert send(simulator, fields(simulator) | hidden(answer.text)).status == 303


def test_a_form_that_comes_at_once_from_elsewhere_is_shown_again(simulator: Simulator) -> None:
    answer = send(simulator, fields(simulator), source="203.0.113.9")
    assert (answer.status, "请核对后再提交一次" in answer.text) == (400, True)


def test_the_api_s_limit_holds_for_the_form(simulator: Simulator) -> None:
    import boto3

    boto3.client("s3").create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    statuses = [send(simulator, fields(simulator)).status for _ in range(4)]
    assert statuses == [303, 303, 303, 202]


# The lost link


def find_link(simulator: Simulator, number: str, contact: str, **more: Any) -> ApiResponse:
    return send(simulator, {"number": number, "contact": contact}, f"{PAGE}/find", **more)


@pytest.fixture
def ticket(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Ticket:
    monkeypatch.setattr(find, "ANSWER_SECONDS", 0.0)
    send(simulator, fields(simulator))
    return new_tickets(storage())[0]


def asked(ticket: Ticket) -> int:
    history = storage().tickets.history("testdesk", ticket.number)
    return sum(len(commit.of(LinkRequested)) for commit in history)


def test_a_lost_link_is_asked_for_and_the_answer_never_differs(
    simulator: Simulator, ticket: Ticket
) -> None:
    right = find_link(simulator, ticket.number.lower(), "138 0013 8000")
    assert (right.status, asked(ticket)) == (200, 1)
    for number, contact in (
        (ticket.number, "13900139000"),
        (ticket.number, "8000"),
        (ticket.number, "no contact"),
        ("CS20200101001", "13800138000"),
        ("x" * 300, "13800138000"),
        ("<script>", "<script>"),
    ):
        wrong = find_link(simulator, number, contact)
        assert (wrong.status, wrong.text) == (right.status, right.text)
    assert asked(ticket) == 1
    assert ticket.number not in right.text
    assert "13800138000" not in right.text


def test_a_link_is_sent_a_few_times_an_hour_and_a_source_asks_a_few_times(
    simulator: Simulator, ticket: Ticket
) -> None:
    answers = {find_link(simulator, ticket.number, "13800138000").text for _ in range(5)}
    assert (len(answers), asked(ticket)) == (1, find.MAX_OF_TICKET)
    statuses = [
        find_link(simulator, f"CS{n}", "13800138000", source="203.0.113.9").status
        for n in range(find.MAX_OF_SOURCE + 1)
    ]
    assert statuses == [200] * find.MAX_OF_SOURCE + [429]


def test_strangers_cannot_use_up_a_customer_s_links(simulator: Simulator, ticket: Ticket) -> None:
    """Numbers can be guessed: only requests with the right contact count."""
    for n in range(2 * find.MAX_OF_TICKET):
        find_link(simulator, ticket.number, f"1390013{n:04}")
    find_link(simulator, ticket.number, "13800138000")
    assert asked(ticket) == 1


def test_the_answer_takes_its_time(
    simulator: Simulator, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(find, "ANSWER_SECONDS", 30.0)
    monkeypatch.setattr(time, "sleep", slept.append)
    find_link(simulator, ticket.number, "13800138000")
    find_link(simulator, "CS1", "13800138000")
    assert [20 < seconds < 30 for seconds in slept] == [True, True]


def test_an_erased_ticket_has_no_link(
    simulator: Simulator, ticket: Ticket, playbook: Playbook
) -> None:
    erase = c.ErasePerson("asked for it")
    change(storage(), "testdesk", ticket.number, erase, playbook, clock.now(), actor="admin")
    assert find_link(simulator, ticket.number, "13800138000").status == 200
    assert asked(ticket) == 0


def test_an_empty_field_is_named(simulator: Simulator) -> None:
    answer = find_link(simulator, "", "13800138000")
    assert answer.status == 400
    assert 'href="#number"' in answer.text
    assert 'value="13800138000"' in answer.text


# The privacy notice, and addresses without a page


def test_the_privacy_notice_says_its_version(simulator: Simulator) -> None:
    page = shown(simulator, f"{PAGE}/privacy").text
    assert f'data-privacy="{NOTICE}"' in page
    assert "我们只用于处理您的请求。&lt;b&gt;" in page
    assert f'data-privacy="{NOTICE}"' in shown(simulator).text


@pytest.mark.parametrize(
    "path", ["/file", "/find/x", "/routing", "/__init__", "/privacy/../find", "/tickets/CS1/find"]
)
def test_what_is_no_page_is_not_found(simulator: Simulator, path: str) -> None:
    assert simulator.http("GET", PAGE + path, headers=BROWSER).status == 404
    assert send(simulator, {}, f"{PAGE}/privacy").status == 404


def test_a_broken_link_leads_on(simulator: Simulator) -> None:
    shown(simulator)
    page = simulator.http("GET", f"{PAGE}/tickets/CS1?key=x", headers=BROWSER)
    assert page.status == 404
    for address in re.findall(r'<a href="(\.\.[^"]+)"', page.text):
        assert shown(simulator, urljoin(f"{PAGE}/tickets/CS1", address)).status == 200
    assert "/find?" in page.text
