"""The examples of docs/extending.md work: each is registered from outside and run."""

import __future__

import importlib
import json
import re
import shutil
import sys
from ast import literal_eval
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from functions.core import channels
from functions.core.channels.base import adapter
from functions.core.domain import events as e
from functions.core.domain.commands import ACTIONS, agent_actions
from functions.core.domain.errors import PlaybookError
from functions.core.domain.events import conversation
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import TIMER_KINDS
from functions.core.domain.webhooks import sign_standard_webhook
from functions.core.pages.rendering import Pages
from functions.core.platform.web import Request
from functions.core.playbook import load
from functions.core.services.rights import caller, principal_of
from functions.core.storage.database import Storage
from functions.core.text import workbench_texts
from functions.core.text.tables import read_table
from functions.core.text.words import event_label
from functions.portal import page, pages
from functions.workbench import pages as workbench_pages
from functions.workbench.pages import page as workbench_page, routing
from functions.workbench.pages.page import WorkbenchPage
from infra.simulator.simulator import Simulator
from tests.core.channels.provider_requests import Call, FakeProvider, as_json
from tests.inprocess.conftest import ROOT, erase_customer, simulator, storage
from tests.inprocess.recording_provider import recording_provider
from tests.inprocess.test_chat import Chat, put_secret
from tests.inprocess.test_standard import StandardJourney, journey
from tests.inprocess.test_webhooks import receiver
from tests.notify.webhook_receiver import Receiver

__all__ = ["journey", "receiver", "simulator", "storage"]  # fixtures

TEXT = (ROOT / "docs" / "extending.md").read_text("utf-8")
STANDARD = (ROOT / "playbooks" / "standard.yaml").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
IN_TABLE = {
    "A chat adapter": "chat adapter",
    "An agent action": "agent action",
    "A timer kind": "timer kind",
    "An event": "event, with the action that causes it",
    "A page": "page",
    "A page of the workbench": "page of the workbench",
}
"""Section → its row in the table of examples."""


@dataclass(frozen=True)
class Block:
    """A code block of an example; `path` is the file that it belongs to, "" for a playbook's."""

    path: str
    is_new: bool
    code: str


def blocks(section: str) -> list[Block]:
    """Return the code blocks of a section in order."""
    found = re.findall(
        r"(?:^(In|New file) `([^`]+)`[^\n]*:\n\n)?^```\w+\n(.*?)^```$",
        SECTIONS[section],
        re.MULTILINE | re.DOTALL,
    )
    return [Block(path, kind == "New file", code) for kind, path, code in found]


def block(section: str, path: str) -> str:
    """Return the code that an example adds to a file."""
    (code,) = [each.code for each in blocks(section) if each.path == path]
    return code


def with_example(section: str, folder: Path, *replaced: tuple[str, str]) -> Playbook:
    """Load the standard playbook with the additions of an example."""
    added = block(section, "")
    for old, new in replaced:
        assert old in added
        added = added.replace(old, new)
    text = STANDARD
    for heading, body in re.findall(r"^(\w+:\n)((?: .*\n)+)", added, re.MULTILINE):
        before, found, after = text.partition(f"\n{heading}")
        text = f"{before}\n{heading}{body}{after}" if found else f"{text}{heading}{body}"
    (folder / "standard.yaml").write_text(text, "utf-8")
    return load(folder / "standard.yaml")


def use(simulator: Simulator, storage: Storage, playbook: Playbook) -> None:
    """Replace the desk's playbook."""
    storage.playbooks.put(playbook, datetime.now(UTC))
    storage.playbooks.cache.clear()
    simulator.replace_containers()


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    """Restore what the examples register."""
    held: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (registry, dict(registry))
        for registry in (e.EVENTS, ACTIONS, TIMER_KINDS, read_table("portal"))
    ]
    yield
    for registry, before in held:
        registry.clear()
        registry.update(before)


def execute(code: str, path: str, monkeypatch: pytest.MonkeyPatch, **names: Any) -> ModuleType:
    """Run code as if it stood at the end of a module, and leave the module as it is."""
    target = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    module = ModuleType(f"{target.__name__}_example")
    vars(module).update({**vars(target), "__name__": module.__name__, **names})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    flags = __future__.annotations.compiler_flag
    exec(compile(code, path, "exec", flags), vars(module))  # noqa: S102 - our own page
    return module


def add_module(
    package: ModuleType, name: str, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let a package find one more module."""
    (folder / f"{name}.py").write_text(code, "utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    importlib.invalidate_caches()
    # The import adds both; registering them now lets monkeypatch remove them.
    monkeypatch.setattr(package, name, None, raising=False)
    monkeypatch.setitem(sys.modules, f"{package.__name__}.{name}", ModuleType(name))
    del sys.modules[f"{package.__name__}.{name}"]
    delattr(package, name)


# The page


@pytest.mark.parametrize("section", IN_TABLE)
def test_the_page_counts_the_product_files_of_an_example(section: str) -> None:
    files = {each.path for each in blocks(section) if each.path.startswith("functions/")}
    assert f"\nProduct files: {len(files)}.\n" in SECTIONS[section]
    assert f"| {IN_TABLE[section]} | {len(files)} |" in TEXT
    limit = {"A chat adapter": 1, "A timer kind": 1, "A page": 3}.get(section, 3)
    assert len(files) <= limit


def test_every_file_on_the_page_exists_unless_the_example_adds_it() -> None:
    new = {each.path for section in IN_TABLE for each in blocks(section) if each.is_new}
    named = set(re.findall(r"`((?:functions|infra|tests|docs)/[^`\s]+)`", TEXT))
    assert new < named
    for path in named:
        assert (ROOT / path).exists() is (path not in new), path
        assert (ROOT / path).parent.is_dir()


# A chat adapter


class Pigeon(FakeProvider):
    """The provider of the page's example."""

    secret: Mapping[str, Any] = {
        "signing_secret": "whsec_" + b64encode(b"one secret of thirty-two octets!").decode(),
        "api_token": "a token for tests",
    }
    user: str = "pigeon-17"

    def call(self, body: bytes, now: datetime) -> Call:
        stamp = int(now.timestamp())
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign_standard_webhook(
                self.secret["signing_secret"], "msg_1", stamp, body
            ),
        }
        return Call(body, {}, headers)

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        return as_json({"from": self.user, "id": more.get("id") or uuid4().hex, "text": words})

    def accepted(self) -> bytes:
        return b'{"id": "p-1"}'

    def refused(self) -> tuple[int, bytes]:
        return 400, b'{"error": "unknown receiver"}'

    def sent_message(self, body: Any) -> tuple[str, str]:
        return body["to"], body["text"]


@pytest.fixture
def chat(
    simulator: Simulator, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Chat]:
    """A person who writes by Pigeon to the standard desk."""
    code = block("A chat adapter", "functions/core/channels/pigeon.py")
    add_module(channels, "pigeon", code, tmp_path, monkeypatch)
    adapter.cache_clear()
    provider = Pigeon()
    with recording_provider(provider.accepted()) as api:
        put_secret(simulator, "pigeon", {**provider.secret, "api": api.url})
        yield Chat(simulator, storage, "pigeon", provider, api)
    adapter.cache_clear()


def test_the_adapter_reads_signed_requests_once_and_sends(chat: Chat) -> None:
    body = chat.provider.text("无法登录", chat.now, id="1")
    call = chat.provider.call(body, chat.now)
    assert chat.send(call).status == 200
    assert chat.send(call).status == 200
    assert (chat.ticket.channel, chat.ticket.customer.kind) == ("pigeon", "message")
    chat.simulator.pump()
    ((user, text),) = chat.sent_messages
    assert (user, chat.ticket.number in text) == (chat.provider.user, True)
    (path, headers, _), *_ = chat.api.calls
    assert (path, headers["authorization"]) == ("/messages", "Bearer a token for tests")
    assert [d.state for d in chat.deliveries() if d.recipient == "customer"] == ["sent"]

    forged = Call(body.replace(b'"1"', b'"2"'), {}, call.headers)
    assert chat.send(forged).status == 401
    assert chat.send(chat.provider.call(b'{"text": "x"}', chat.now)).status == 200  # quarantined
    assert len(chat.tickets) == 1


def test_the_adapter_says_why_a_message_was_refused(chat: Chat) -> None:
    chat.api.answers = [chat.provider.refused()]
    chat.write("无法登录")
    chat.simulator.pump()
    (delivery,) = [d for d in chat.deliveries() if d.recipient == "customer"]
    assert delivery.state == "dead_lettered"
    assert "from Pigeon: unknown receiver" in (delivery.cause or "")


# An agent action


def test_the_action_is_offered_carried_out_and_refused(
    journey: StandardJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "functions/core/domain/commands/routing.py"
    base = importlib.import_module("functions.core.domain.commands.base")
    execute(block("An agent action", path), path, monkeypatch, Reason=base.Reason)
    journey.file()
    assert journey.try_action("zg-1", "ask-supervisor", reason="x").status == 409
    journey.act("li-1", "take")
    assert "ask-supervisor" in journey.view("li-1")["actions"]
    assert "ask-supervisor" not in journey.view("li-2")["actions"]
    assert journey.try_action("li-2", "ask-supervisor", reason="x").status == 403
    assert journey.try_action("li-1", "ask-supervisor").status == 400

    after = journey.act("li-1", "ask-supervisor", reason="客户 13800138000 要求主管回电")
    assert (after["status"], after["queue"]) == ("queued", "supervisor")
    entry = journey.view()["timeline"][-1]
    assert (entry["event"], entry["actor"]) == ("TicketQueued", "li-1")
    assert entry["details"]["reason"] == "客户 138****8000 要求主管回电"
    assert [ticket["number"] for ticket in journey.queue("zg-1", "supervisor")] == [journey.number]
    assert agent_actions()["ask-supervisor"].label == ("请主管接手", "Ask a supervisor")


# A timer kind


@pytest.fixture
def spare_part() -> None:
    """Add the entry of the page to the timer kinds."""
    entry = block("A timer kind", "functions/core/domain/ticket.py")
    TIMER_KINDS.update(literal_eval("{" + entry + "}"))


def test_a_playbook_cannot_use_an_undeclared_timer_kind(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match="there is no 'spare_part'"):
        with_example("A timer kind", tmp_path)


@pytest.mark.parametrize(
    ("locale", "text"),
    [("zh-CN", "很抱歉，备件到货延迟。"), ("en", "We are sorry: the spare part is late.")],
)
def test_the_timer_starts_warns_and_breaches(
    journey: StandardJourney, spare_part: None, tmp_path: Path, locale: str, text: str
) -> None:
    use(journey.simulator, journey.storage, with_example("A timer kind", tmp_path))
    journey.file(locale=locale)
    journey.act("li-1", "take")
    journey.act("li-1", "order-part")
    assert journey.timer("spare_part")["state"] == "running"
    due = journey.due("spare_part")
    journey.tick(due - timedelta(days=2))
    assert "备件到货时限临近" in journey.message_text("supervisor", "part_due")
    journey.tick(due)
    assert journey.timer("spare_part")["state"] == "breached"
    assert text in journey.message_text("customer", "part_late")
    history = journey.storage.tickets.history("standard", journey.number)
    assert [x.kind for commit in history for x in commit.of(e.TimerWarned)] == ["spare_part"]
    assert "spare_part" in [x.kind for commit in history for x in commit.of(e.TimerBreached)]


def test_the_timer_is_met_in_time(
    journey: StandardJourney, spare_part: None, tmp_path: Path
) -> None:
    use(journey.simulator, journey.storage, with_example("A timer kind", tmp_path))
    journey.file()
    journey.act("li-1", "take")
    journey.act("li-1", "order-part")
    journey.act("li-1", "part-arrived")
    assert journey.timer("spare_part")["state"] == "met"


# An event


@pytest.fixture
def call_promised(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Register the event and its action."""
    events = "functions/core/domain/events/conversation.py"
    commands = "functions/core/domain/commands/conversation.py"
    event = execute(block("An event", events), events, monkeypatch).CallPromised
    monkeypatch.setattr(conversation, "CallPromised", event, raising=False)
    execute(block("An event", commands), commands, monkeypatch)
    return event


def test_the_event_is_stored_shown_notified_and_sent(
    journey: StandardJourney, call_promised: Any, receiver: Receiver, tmp_path: Path
) -> None:
    url = "https://crm.example.com/hooks"
    playbook = with_example("An event", tmp_path, (url, receiver.url))
    use(journey.simulator, journey.storage, playbook)
    journey.file(locale="en")
    journey.act("li-1", "take")
    due_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    reason = "确认收货电话 13800138000"
    after = journey.act("li-1", "promise-call", reason=reason, due_at=due_at.isoformat())
    assert after["status"] == "in_progress"
    assert after["first_response_at"]

    (event,) = promised(journey, call_promised)
    masked = "确认收货电话 138****8000"
    assert (event.reason, event.due_at) == (masked, due_at)
    assert event_label(event, playbook, "zh-CN") == "已约定回电"
    assert event_label(event, playbook, "en") == "Call promised"
    for language, label in (("zh-CN", "已约定回电"), ("en", "Call promised")):
        status = journey.http("GET", f"{journey.link}&lang={language}").json
        assert status["timeline"][-1]["label"] == label
        assert masked not in str(status)

    assert f": {masked}" in journey.message_text("customer", "call_promised")
    (message,) = [request.json for request in receiver.got]
    assert message["type"] == "call.promised"
    assert message["data"]["event"]["reason"] == masked

    erase_customer(journey.simulator, datetime.now(UTC), number=journey.number)
    (erased,) = promised(journey, call_promised)
    assert (erased.reason, erased.due_at) == ("", due_at)


def promised(journey: StandardJourney, event: Any) -> list[Any]:
    """Return the events of this class in the table."""
    history = journey.storage.tickets.history("standard", journey.number)
    return [found for commit in history for found in commit.of(event)]


# A page


@pytest.fixture
def acknowledgement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the page: words, template and module."""
    words = block("A page", "functions/core/text/texts/portal.json")
    read_table("portal").update(json.loads("{" + words.rstrip().removesuffix(",") + "}"))
    templates = tmp_path / "templates"
    shutil.copytree(page.PAGES.folder, templates)
    html = block("A page", "functions/portal/templates/acknowledgement.html")
    (templates / "acknowledgement.html").write_text(html, "utf-8")
    monkeypatch.setattr(page, "PAGES", replace(page.PAGES, folder=templates))
    code = block("A page", "functions/portal/pages/acknowledgement.py")
    (tmp_path / "pages").mkdir()
    add_module(pages, "acknowledgement", code, tmp_path / "pages", monkeypatch)


@pytest.mark.parametrize(
    ("language", "title", "text"),
    [
        ("zh-CN", "受理回执", "您的请求已于 20"),
        ("en", "Acknowledgement", "We received your request on 20"),
    ],
)
def test_the_page_is_rendered_in_both_languages(
    journey: StandardJourney, acknowledgement: None, language: str, title: str, text: str
) -> None:
    journey.file()
    path, _, query = journey.link.partition("?")
    shown = journey.http("GET", f"{path}/acknowledgement?{query}&lang={language}")
    assert (shown.status, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert shown.headers["content-security-policy"] == page.HEADERS["Content-Security-Policy"]
    assert f'<html lang="{language}">' in shown.text
    assert f"<h1>{title} {journey.number}</h1>" in shown.text
    assert text in shown.text

    browser = {"Accept": "text/html"}
    refused = journey.http("GET", f"{path}/acknowledgement?key=x&lang={language}", headers=browser)
    assert refused.status == 404
    assert ("没有找到此请求" if language == "zh-CN" else "no such request") in refused.text


def test_the_status_page_is_rendered_in_both_languages(journey: StandardJourney) -> None:
    journey.file()
    for language in ("zh-CN", "en"):
        browser = {"Accept": "text/html"}
        shown = journey.http("GET", f"{journey.link}&lang={language}", headers=browser)
        assert f'<html lang="{language}">' in shown.text


def test_the_examples_leave_nothing_behind() -> None:
    assert "CallPromised" not in e.EVENTS
    assert {"ask-supervisor", "promise-call"}.isdisjoint(ACTIONS)
    assert "spare_part" not in TIMER_KINDS
    assert adapter("pigeon") is None
    assert not hasattr(pages, "acknowledgement")


# A page of the workbench


def test_the_page_of_the_workbench_is_found_and_rendered(
    journey: StandardJourney, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = "A page of the workbench"
    words = block(section, "functions/core/text/texts/workbench.json")
    texts = workbench_texts.TEXTS | json.loads("{" + words.rstrip().removesuffix(",") + "}")
    for template in (ROOT / "functions" / "workbench" / "templates").glob("*.html"):
        (tmp_path / template.name).write_text(template.read_text("utf-8"), "utf-8")
    html = block(section, "functions/workbench/templates/colleagues.html")
    (tmp_path / "colleagues.html").write_text(html, "utf-8")
    monkeypatch.setattr(workbench_page, "PAGES", Pages(tmp_path, texts))
    code = block(section, "functions/workbench/pages/colleagues.py")
    add_module(workbench_pages, "colleagues", code, tmp_path, monkeypatch)
    found = routing._modules() | {"colleagues"}
    monkeypatch.setattr(routing, "_modules", lambda: found)

    now = datetime.now(UTC)
    claims = {"cognito:username": "li-1", "cognito:groups": "standard:agent"}
    request = Request("GET", journey.simulator.deployment, now, claims=claims)
    storage = journey.storage
    principal = principal_of(storage, caller(claims), "standard", now)
    playbook = storage.playbooks.get("standard", now)
    page = WorkbenchPage(request, storage, principal, playbook, "en", b"secret", "")
    answer = routing.find("GET", "colleagues").answer(page)
    assert "<h1>Colleagues</h1>" in answer.body
    assert answer.body.count(" · online</li>") == sum(
        agent.online for agent in storage.roster.list("standard") if agent.assignable
    )
    assert 'id="queue"' in answer.body
