"""The pages of channels and webhooks."""

import re
from datetime import timedelta

import boto3
import pytest

from functions.administration import endpoints
from functions.core.deliver.failures import Passing
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import Forbidden
from functions.core.domain.journal import entry_of
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.playbook import load
from functions.core.storage.database import Storage
from functions.workbench import recent_deliveries
from tests.core.sample_desk import DESK, NOON, agent
from tests.workbench.administering import administer_here
from tests.workbench.conftest import DEPLOYMENT, NUMBER, Agent, SignedIn
from tests.workbench.pages import Browser, below, texts

pytestmark = pytest.mark.requirement("H7")
AGO = NOON - timedelta(hours=2)
URL = "https://crm.example.com/hooks"
SECRET = '[{"secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}]'


@pytest.fixture
def browser(
    storage: Storage, ticket: Ticket, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> Browser:
    """An administrator of a desk with a ticket whose commit is in the journal."""
    aws.client.cache_clear()
    aws.parameter.cache_clear()
    administer_here(monkeypatch, storage)
    storage.roster.put(agent("admin-1", role="admin", team="leads"))
    entry = entry_of(storage.tickets.history("testdesk", NUMBER)[0])
    assert entry is not None
    storage.journal.write("testdesk", entry, AGO)
    return Browser(Agent(storage, "admin-1", "testdesk:admin"))


def put(name: str, value: str) -> None:
    boto3.client("ssm").put_parameter(
        Name=DEPLOYMENT.parameter(name), Value=value, Type="SecureString"
    )


def deliver(storage: Storage, **fields: object) -> Delivery:
    delivery = Delivery.model_validate(
        {
            "desk": "testdesk", "number": NUMBER, "version": 1, "event": "TicketReceived",
            "message": "acknowledgement", "recipient": "customer", "channel": "email",
            "to": "w***@e***.com", "state": "sent", "claimed_at": AGO, "at": AGO, **fields,
        }
    )  # fmt: skip
    assert storage.deliveries.claim(delivery)
    return delivery


def hook(storage: Storage, state: str = "dead_lettered", **fields: object) -> Delivery:
    given = {
        "message": "ticket.received", "recipient": "webhook:crm", "about": "0",
        "channel": "webhook", "to": "crm.example.com", "state": state,
    }  # fmt: skip
    return deliver(storage, **given | fields)


def row(page: str, name: str) -> str:
    (found,) = re.findall(rf'<tr>\s*<th scope="row">{re.escape(name)}.*?</tr>', page, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


@pytest.mark.parametrize(
    ("locale", "mail", "forms"),
    [
        ("zh-CN", "邮件 {} 一天内没有 10:00 1", "网页与 App 表单 10:00 只收不发 无"),
        (
            "en",
            "Mail {} None in a day 10:00 1",
            "Forms on the web and in apps 10:00 Receives only None",
        ),
    ],
)
def test_channels_show_what_came_and_went(
    browser: Browser, storage: Storage, playbook: Playbook, locale: Locale, mail: str, forms: str
) -> None:
    browser.locale = locale
    zone = playbook.zone
    clock = f"{AGO.astimezone(zone):%H:%M}"
    received = f"{NOON.astimezone(zone):%H:%M}"
    deliver(storage, lead=True)
    deliver(storage, message="other", state="dead_lettered", cause="refused")
    page = browser.get("channels").body
    assert row(page, mail.split()[0]) == mail.format(playbook.mail.address).replace("10:00", clock)
    name = "网页与 App 表单" if locale == "zh-CN" else "Forms on the web and in apps"
    assert row(page, name) == forms.replace("10:00", received)


def test_of_each_channel_the_last_message_and_all_failures_count(
    browser: Browser, storage: Storage, playbook: Playbook
) -> None:
    for message, minutes, state in (
        ("a", 0, "sent"), ("b", 9, "sent"), ("c", 5, "sent"), ("d", 20, "retrying"),
        ("e", 21, "dead_lettered"), ("f", 22, "due"),
    ):  # fmt: skip
        deliver(storage, message=message, at=AGO + timedelta(minutes=minutes), state=state)
    clock = f"{(AGO + timedelta(minutes=9)).astimezone(playbook.zone):%H:%M}"
    said = row(browser.get("channels").body, "邮件")
    assert said.endswith(f"一天内没有 {clock} 2")


def test_chats_that_opened_no_ticket_count_too(
    browser: Browser, storage: Storage, playbook: Playbook
) -> None:
    put("desks/testdesk/channels/wechat", '{"token": "the-token"}')
    storage.channel_healths.note("testdesk", "wechat", "in", AGO)
    storage.channel_healths.note("testdesk", "wechat", "out", AGO + timedelta(minutes=1))
    clock = AGO.astimezone(playbook.zone)
    said = row(browser.get("channels").body, "微信")
    assert f"{clock:%H:%M} {clock + timedelta(minutes=1):%H:%M}" in said


def test_connected_channels_are_named_and_their_secrets_never(browser: Browser) -> None:
    put("desks/testdesk/channels/wechat", '{"token": "the-token"}')
    put("desks/other/channels/line", '{"token": "the-token"}')
    page = browser.get("channels")
    assert "密钥更新于" in row(page.body, "微信")
    assert "LINE" not in page.body
    assert "the-token" not in page.body
    assert "deskbell channel set testdesk CHANNEL" in texts(page)


def test_channels_are_for_leaders(browser: Browser, signed_in: SignedIn) -> None:
    assert browser.get("channels").status == 200
    for address, who in (("channels", "agent-1"), ("webhooks", "supervisor-1")):
        with pytest.raises(Forbidden):
            Browser(signed_in(who)).get(address)


@pytest.fixture
def hooked(browser: Browser, storage: Storage) -> Browser:
    """A desk with a webhook."""
    storage.playbooks.put(load({**DESK, "webhooks": {"crm": {"url": URL, "events": ["*"]}}}), NOON)
    storage.playbooks.cache.clear()
    put("desks/testdesk/webhooks/crm", SECRET)
    put("settings", "{}")
    return browser


def test_no_webhooks_is_said(browser: Browser) -> None:
    assert "还没有回调" in texts(browser.get("webhooks"))


def test_webhooks_show_their_messages(hooked: Browser, storage: Storage) -> None:
    assert "一天内没有消息" in texts(hooked.get("webhooks"))
    hook(storage, cause="crm answered <500>")
    page = hooked.get("webhooks")
    assert "1 条未送达" in texts(page)
    assert f"ticket.received {NUMBER} 未送达 crm answered <500>" in texts(page)
    assert "answered &lt;500&gt;" in page.body
    assert "whsec_" not in page.body


def test_messages_are_listed_newest_first(
    hooked: Browser, storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the newest commits alone; the page of channels says since when."""
    minutes = (0, 9, 4)
    for n, minute in enumerate(minutes):
        hook(storage, about=str(n), cause=f"no {minute}!", at=AGO + timedelta(minutes=minute))
    hook(storage, version=2, cause="of no journal", at=AGO)
    hook(storage, version=3, cause="of a later commit", at=AGO)
    entry = entry_of(storage.tickets.history("testdesk", NUMBER)[0])
    assert entry is not None
    later = entry.model_copy(update={"version": 3})
    storage.journal.write("testdesk", later, AGO + timedelta(hours=1))
    said = texts(hooked.get("webhooks"))
    assert [said.index(f"no {minute}!") for minute in (9, 4, 0)] == sorted(
        said.index(f"no {minute}!") for minute in minutes
    )
    assert ("of no journal" in said, "of a later commit" in said) == (False, True)
    assert "消息较多" not in texts(hooked.get("channels"))
    monkeypatch.setattr(recent_deliveries, "MOST", 1)
    said = texts(hooked.get("webhooks"))
    assert ("no 9!" in said, "of a later commit" in said) == (False, True)
    clock = f"{(AGO + timedelta(hours=1)).astimezone(playbook.zone):%H:%M}"
    assert re.search(f"只统计 [^。]*{clock} 以来的", texts(hooked.get("channels"))), "not a day"


def test_failed_messages_are_sent_again_once(hooked: Browser, storage: Storage) -> None:
    failed = hook(storage)
    for count in (1, 0):
        answer = hooked.post("webhooks/crm", action="again")
        assert below(answer.headers["Location"]) == f"webhooks?done=resent&name=crm&n={count}"
    found = storage.deliveries.get("testdesk", NUMBER, f"DELIVERY#{failed.id}")
    assert found is not None
    assert (found.state, found.attempts) == ("due", 0)
    assert [entry.act for entry in storage.audit.list(NOON, NOON + timedelta(seconds=1))] == [
        "webhooks.replay"
    ]
    assert "消息正在重发" in texts(hooked.get("webhooks?done=resent&name=crm&n=1"))


def test_a_test_message_is_sent(hooked: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def post(url: str, *_: object, **__: object) -> str:
        sent.append(url)
        if len(sent) > 1:
            raise Passing("crm.example.com answered 500")
        return "HTTP 204"

    monkeypatch.setattr(endpoints, "post", post)
    answer = hooked.post("webhooks/crm", action="test")
    assert "crm 已接收测试消息" in texts(hooked.get(below(answer.headers["Location"])))
    refused = hooked.post("webhooks/crm", action="test")
    assert refused.status == 409
    assert "对方没有接收：crm.example.com answered 500" in texts(refused)
    assert sent == [URL, URL]


def test_a_new_secret_is_shown_once(hooked: Browser, storage: Storage) -> None:
    """A form that is sent twice changes it once; the act is on record without the secret."""
    (version,) = re.findall(r'name="version" value="(\d+)"', hooked.get("webhooks").body)
    first = hooked.post("webhooks/crm", action="rotate", version=version, keep_hours="24")
    (secret,) = re.findall(r"whsec_[\w+/=]+", first.body)
    second = hooked.post("webhooks/crm", action="rotate", version=version, keep_hours="24")
    assert second.status == 409
    assert "whsec_" not in second.body
    stored = boto3.client("ssm").get_parameter(
        Name=DEPLOYMENT.parameter("desks/testdesk/webhooks/crm"), WithDecryption=True
    )["Parameter"]["Value"]
    assert secret in stored
    assert stored.count("whsec_") == 2
    (entry,) = storage.audit.list(NOON, NOON + timedelta(seconds=1))
    assert (entry.actor, entry.act, entry.target) == ("admin-1", "webhooks.rotate", "crm")
    assert "whsec_" not in entry.model_dump_json()


@pytest.mark.parametrize(
    ("name", "fields", "status"),
    [
        ("crm", {"action": "rotate", "version": "x", "keep_hours": "24"}, 400),
        ("crm", {"action": "fly"}, 400),
        ("erp", {"action": "rotate", "version": "1", "keep_hours": "24"}, 404),
        ("erp", {"action": "test"}, 404),
    ],
)
def test_a_form_that_does_not_fit_is_refused(
    hooked: Browser, name: str, fields: dict[str, str], status: int
) -> None:
    refused = hooked.post(f"webhooks/{name}", fields)
    assert refused.status == status
    assert 'role="alert"' in refused.body
