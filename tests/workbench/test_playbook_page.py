"""The playbook's pages: versions, differences, a checked and rehearsed change, messages."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from functions.administration import playbooks as acts
from functions.core.domain.errors import Forbidden, NotFound, TryAgain
from functions.core.domain.journal import entry_of
from functions.core.domain.rules import LOCALES, Locale, Playbook
from functions.core.pages.security import form_token
from functions.core.platform.web import HttpResponse
from functions.core.playbook.loader import dump_yaml, load_text
from functions.core.services.links import ticket_path
from functions.core.services.rights import caller, principal_of
from functions.core.storage.database import Storage
from functions.workbench import administration_client
from functions.workbench.pages import playbook as pages, routing
from functions.workbench.pages.page import PURPOSE, WorkbenchPage
from tests.core.sample_desk import NOON, agent, both, file_ticket
from tests.workbench.administering import administer_here
from tests.workbench.conftest import Agent, SignedIn
from tests.workbench.pages import SECRET, Browser, below, texts

pytestmark = pytest.mark.requirement("G15", "H7")

ENDPOINT = {"url": "https://crm.example.com/hook", "events": ["ticket.received"]}
MESSAGES: dict[str, Any] = {
    "received": {
        "subject": both("已收到{{ number }}"),
        "text": both("查看{{ number }}：{{ status_url }}"),
        "sms": both("已收到{{ number }} {{ status_url }}"),
    },
    "late": {"subject": both("{{ timer }}"), "text": both("客户说：{{ description }}")},
    "resolved": {"subject": both("已解决"), "text": both("结果：{{ summary }}")},
}
NOTIFICATIONS = [
    {"on": "TicketReceived", "to": "customer", "message": "received"},
    {"on": "TicketResolved", "to": "customer", "message": "resolved"},
]


@pytest.fixture(autouse=True)
def _acts(monkeypatch: pytest.MonkeyPatch, storage: Storage) -> None:
    administer_here(monkeypatch, storage)


@pytest.fixture
def supervisor(signed_in: SignedIn) -> Browser:
    return Browser(signed_in("supervisor-1"))


@pytest.fixture
def admin(storage: Storage) -> Browser:
    storage.roster.put(agent("admin-1", role="admin", team="leads"))
    return Browser(Agent(storage, "admin-1", "testdesk:admin"))


def document(playbook: Playbook) -> dict[str, Any]:
    found: dict[str, Any] = playbook.model_dump(mode="json", exclude_defaults=True)
    return found


def changed(playbook: Playbook, **keys: Any) -> str:
    """Return the YAML of the desk's playbook with other keys."""
    return dump_yaml(document(playbook) | keys)


def rerouted(playbook: Playbook) -> str:
    """Return the playbook by which faults go to the general team."""
    return changed(playbook, routing=[{"team": "general"}])


def opened(storage: Storage, playbook: Playbook, number: str, **request: Any) -> None:
    """File a ticket, and enter it in the journal as notify does."""
    at = request.pop("at", NOON)
    file_ticket(storage, playbook, number, at, **request)
    entry = entry_of(storage.tickets.history("testdesk", number)[0])
    assert entry is not None
    storage.journal.write("testdesk", entry, at)


def hidden(response: HttpResponse, name: str) -> str:
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', response.body)
    assert found, name
    return unescape(found[1])


def apply_checked(who: Browser, page: HttpResponse, **fields: str) -> HttpResponse:
    """Apply what a page shows as checked."""
    shown = {name: hidden(page, name) for name in ("replaces", "text", "days")}
    return who.post("playbook/apply", {**shown, "confirm": "1", **fields})


@pytest.mark.parametrize("locale", LOCALES)
def test_the_page_lists_who_applied_which_version_and_leads_to_its_file(
    admin: Browser, storage: Storage, playbook: Playbook, locale: Locale
) -> None:
    admin.locale = locale
    text = changed(playbook, name=both("新名"))
    done = apply_checked(admin, admin.post("playbook/check", text=text))
    assert below(done.headers["Location"]) == "playbook?applied=2"
    page = admin.get(below(done.headers["Location"]))
    said = texts(page)
    assert ("第 2 版已应用" if locale == "zh-CN" else "Version 2 is applied") in said
    assert "admin-1" in said
    assert re.findall(r'playbook/(\d+)">', page.body) == ["2", "1"]
    file = admin.get("playbook/2/yaml")
    assert file.headers["Content-Disposition"] == 'attachment; filename="testdesk-2.yaml"'
    assert load_text(file.body, "2").name["en"] == "新名"
    (entry,) = storage.audit.list(NOON, NOON + timedelta(days=1), "testdesk")
    assert (entry.act, entry.actor, entry.before, entry.after) == (
        "playbook.apply", "admin-1", {"version": 1}, {"version": 2},
    )  # fmt: skip


def test_a_version_says_what_it_changed_by_key(admin: Browser, playbook: Playbook) -> None:
    text = changed(playbook, name=both("<b>新</b>"), sms_signature=both("【签】"))
    apply_checked(admin, admin.post("playbook/check", text=text))
    page = admin.get("playbook/2")
    assert "修改 name.zh-CN 测试台 → <b>新</b>" in texts(page)
    assert "新增 sms_signature" in texts(page)
    assert "<b>新</b>" not in page.body
    assert "删除 sms_signature" in texts(admin.get("playbook/1?with=2"))
    assert "第一版" in texts(admin.get("playbook/1"))
    assert "没有差异" in texts(admin.get("playbook/2?with=2"))
    for address in ("playbook/3", "playbook/x", "playbook/0", "playbook/2?with=9"):
        with pytest.raises(NotFound):
            admin.get(address)


def test_a_list_of_versions_reads_no_documents(storage: Storage, playbook: Playbook) -> None:
    """Those that former code stored have no small item; their time is in the version itself."""
    for day in range(1, 4):
        storage.playbooks.put(playbook, NOON + timedelta(days=day), by=f"admin-{day}")
    newest = storage.playbooks.versions("testdesk", 4, 2)
    assert [(each.number, each.by) for each in newest] == [(4, "admin-3"), (3, "admin-2")]
    key = {"pk": {"S": "DESK#testdesk"}, "sk": {"S": "APPLIED#000003"}}
    storage.table.client.delete_item(TableName=storage.table.name, Key=key)
    former = storage.playbooks.versions("testdesk", 3, 1)
    assert [(each.number, each.at, each.by) for each in former] == [
        (3, NOON + timedelta(days=2), "")
    ]
    assert storage.playbooks.versions("testdesk", 0, 5) == []


def test_older_versions_are_on_further_pages(
    supervisor: Browser, storage: Storage, playbook: Playbook
) -> None:
    for _ in range(21):
        storage.playbooks.put(playbook, NOON)
    first = supervisor.get("playbook")
    assert "playbook?before=3" in first.body
    assert re.findall(r'playbook/(\d+)">', supervisor.get("playbook?before=3").body) == ["2", "1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "第 2 行 not YAML"),
        ("desk: testdesk\ncolour: red\n", "第 2 行 colour: unknown key"),
        ("", "请选择文件或粘贴内容"),
        ("desk: " + "[" * 100, "more than 50 levels"),
    ],
)
def test_a_file_with_problems_is_shown_again_with_their_lines(
    admin: Browser, text: str, said: str
) -> None:
    page = admin.post("playbook/check", text=text)
    assert page.status == 400
    assert said in texts(page)
    assert unescape(page.body).count(f"\n{text.strip()}") >= 1


def test_a_file_that_no_item_holds_is_refused(
    admin: Browser, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = rerouted(playbook)
    for limit, status in ((len(text), 200), (len(text) - 1, 400)):
        monkeypatch.setattr(pages, "MAX_TEXT", limit)
        assert admin.post("playbook/check", text=text).status == status


def test_another_desk_s_playbook_is_refused(admin: Browser, playbook: Playbook) -> None:
    page = admin.post("playbook/check", text=changed(playbook, desk="other"))
    assert page.status == 400
    assert "desk: this is the playbook of other, not of testdesk" in texts(page)


def test_what_was_pasted_is_escaped_and_kept(admin: Browser) -> None:
    page = admin.post("playbook/check", text="</textarea><script>alert(1)</script>: [")
    assert "<script>alert" not in page.body
    assert "&lt;/textarea&gt;" in page.body


def test_the_playbook_in_force_changes_nothing(supervisor: Browser, playbook: Playbook) -> None:
    page = supervisor.post("playbook/check", text=changed(playbook))
    assert page.status == 200
    assert "没有需要应用的改动" in texts(page)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_rehearsal_shows_what_would_differ(
    supervisor: Browser, storage: Storage, playbook: Playbook, locale: Locale
) -> None:
    supervisor.locale = locale
    opened(storage, playbook, "CS1", at=NOON - timedelta(days=2), type="fault")
    opened(
        storage, playbook, "CS2", at=NOON - timedelta(days=1), type="inquiry", description="您好"
    )
    opened(storage, playbook, "CS3", at=NOON - timedelta(days=20), type="fault")
    page = supervisor.post("playbook/check", text=rerouted(playbook), days="7")
    said = texts(page)
    if locale == "zh-CN":
        assert "最近 7 天收到 2 张工单，比较了最新的 2 张，其中 1 张会不同" in said
        assert "团队 技术支持组 → 通用咨询组" in said
    else:
        assert "Of 2 tickets received in the last 7 days, the newest 2 were compared." in said
        assert "1 would differ" in said
    assert re.findall(r'href="/workbench/testdesk/tickets/(\w+)"', page.body) == ["CS1"]
    assert "0%（0/1）" in said or "0% (0 of 1)" in said, "a day without an answer is a breach"
    assert storage.playbooks.version("testdesk") == 1


def test_a_rehearsal_takes_the_newest_and_says_how_many(
    supervisor: Browser, storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "COMPARED", 1)
    for day, number in ((3, "CS1"), (1, "CS3"), (2, "CS2")):
        opened(storage, playbook, number, at=NOON - timedelta(days=day), type="fault")
    page = supervisor.post("playbook/check", text=rerouted(playbook))
    assert "收到 3 张工单，比较了最新的 1 张" in texts(page)
    assert "deskbell playbook rehearse FILE --days 30" in texts(page)
    assert re.findall(r'href="/workbench/testdesk/tickets/(\w+)"', page.body) == ["CS3"]


def test_a_rehearsal_ends_in_time(
    supervisor: Browser, storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "SECONDS", -1.0)
    for number in ("CS1", "CS2"):
        opened(storage, playbook, number, at=NOON - timedelta(days=1), type="fault")
    page = supervisor.post("playbook/check", text=rerouted(playbook))
    assert "收到 2 张工单，比较了最新的 1 张" in texts(page)


def test_without_tickets_there_is_nothing_to_rehearse(
    supervisor: Browser, playbook: Playbook
) -> None:
    page = supervisor.post("playbook/check", text=rerouted(playbook))
    assert "没有收到工单，无法演练" in texts(page)


def test_differences_are_shown_even_if_the_rehearsal_fails(
    supervisor: Browser, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Any:
        raise TryAgain("busy")

    monkeypatch.setattr(administration_client, "_invoke", fail)
    page = supervisor.post("playbook/check", text=rerouted(playbook))
    assert page.status == 200
    assert "演练没有完成" in texts(page)
    assert "routing[0]" in texts(page)


def test_a_supervisor_may_rehearse_and_not_apply(
    supervisor: Browser, storage: Storage, playbook: Playbook
) -> None:
    page = supervisor.post("playbook/check", text=rerouted(playbook))
    assert "只有管理员可以应用" in texts(page)
    assert "应用为第" not in texts(page)
    with pytest.raises(Forbidden):
        apply_checked(supervisor, page)
    assert storage.playbooks.version("testdesk") == 1


@pytest.mark.parametrize("who", ["agent-1", "qa-1", "finance-1"])
def test_others_do_not_see_the_playbook(signed_in: SignedIn, who: str) -> None:
    for address in ("playbook", "playbook/1", "playbook/1/yaml", "playbook/messages"):
        with pytest.raises(Forbidden):
            Browser(signed_in(who)).get(address)


def test_applying_needs_a_confirmation(
    admin: Browser, storage: Storage, playbook: Playbook
) -> None:
    page = apply_checked(admin, admin.post("playbook/check", text=rerouted(playbook)), confirm="")
    assert page.status == 400
    assert "请先确认" in texts(page)
    assert hidden(page, "text") == rerouted(playbook)
    assert storage.playbooks.version("testdesk") == 1


def test_a_form_that_is_sent_twice_applies_once(
    admin: Browser, storage: Storage, playbook: Playbook
) -> None:
    page = admin.post("playbook/check", text=rerouted(playbook))
    answers = [apply_checked(admin, page) for _ in range(2)]
    assert {answer.headers["Location"] for answer in answers} == {
        "/workbench/testdesk/playbook?applied=2"
    }
    assert storage.playbooks.version("testdesk") == 2


def test_a_version_that_came_in_meanwhile_is_not_overwritten(
    admin: Browser, storage: Storage, playbook: Playbook
) -> None:
    page = admin.post("playbook/check", text=rerouted(playbook))
    storage.playbooks.put(playbook.model_copy(update={"sms_signature": both("【签】")}), NOON)
    refused = apply_checked(admin, page)
    assert refused.status == 409
    assert "期间有人应用了另一版手册" in texts(refused)
    assert "与第 2 版的差异" in texts(refused)
    assert "删除 sms_signature" in texts(refused)
    assert storage.playbooks.version("testdesk") == 2
    assert apply_checked(admin, refused).status == 303
    assert storage.playbooks.version("testdesk") == 3


def test_two_at_the_same_moment_do_not_overwrite_each_other(
    admin: Browser, storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other's version comes in after the version was read."""
    page = admin.post("playbook/check", text=rerouted(playbook))
    storage.playbooks.put(playbook.model_copy(update={"sms_signature": both("【签】")}), NOON)
    stored = storage.playbooks.version
    monkeypatch.setattr(type(storage.playbooks), "version", lambda *_: 1)
    assert apply_checked(admin, page).status == 409
    monkeypatch.undo()
    assert stored("testdesk") == 2


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"webhooks": {"crm": ENDPOINT}}, "webhooks：crm 需要密钥"),
        ({"public_url": "https://help.example.com"}, "public_url：需要先设置"),
        (
            {"mail": {"address": "support@other.example", "sender": both("台")}},
            "需要先为 other.example 设置邮件",
        ),
    ],
)
def test_what_needs_the_console_is_refused(
    admin: Browser, storage: Storage, playbook: Playbook, keys: dict[str, Any], said: str
) -> None:
    page = admin.post("playbook/check", text=changed(playbook, **keys))
    assert said in texts(page)
    assert "deskbell playbook apply FILE" in texts(page)
    assert "应用为第" not in texts(page)
    refused = apply_checked(admin, page)
    assert refused.status == 409
    assert said in texts(refused)
    assert storage.playbooks.version("testdesk") == 1


def test_a_team_with_tickets_is_removed_on_the_console(admin: Browser, playbook: Playbook) -> None:
    teams = {name: team for name, team in document(playbook)["teams"].items() if name != "general"}
    text = changed(playbook, teams=teams, routing=[{"team": "technical"}])
    assert "teams：general 的工单需要重新分派" in texts(admin.post("playbook/check", text=text))


def test_another_desk_s_mailbox_is_refused_with_the_text_kept(
    admin: Browser, storage: Storage, playbook: Playbook
) -> None:
    mail = playbook.mail.model_copy(update={"address": "taken@testdesk.local"})
    storage.playbooks.put(playbook.model_copy(update={"desk": "other", "mail": mail}), NOON)
    text = changed(playbook, mail={"address": "taken@testdesk.local", "sender": both("台")})
    page = apply_checked(admin, admin.post("playbook/check", text=text))
    assert page.status == 400
    assert "taken@testdesk.local is another desk's mailbox" in texts(page)
    assert "taken@testdesk.local" in page.body.partition("<textarea")[2]


def test_a_former_version_is_applied_again(
    admin: Browser, storage: Storage, playbook: Playbook
) -> None:
    apply_checked(admin, admin.post("playbook/check", text=rerouted(playbook)))
    assert 'name="return_to" value="1"' in admin.get("playbook/1").body
    assert 'name="return_to"' not in admin.get("playbook/2").body
    page = admin.post("playbook/check", return_to="1")
    assert below(apply_checked(admin, page).headers["Location"]) == "playbook?applied=3"
    documents = [storage.playbooks.document("testdesk", number) for number in (1, 3)]
    assert Playbook.stored(documents[0]) == Playbook.stored(documents[1])


def test_what_was_checked_can_be_edited_on(admin: Browser, playbook: Playbook) -> None:
    page = admin.post("playbook/edit", text=rerouted(playbook))
    (area,) = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page.body, re.DOTALL)
    assert unescape(area) == rerouted(playbook)


def test_a_chosen_file_counts_more_than_what_is_pasted(
    admin: Browser, storage: Storage, playbook: Playbook
) -> None:
    def sent(content: bytes) -> HttpResponse:
        parts = {"form_token": form_token(SECRET, PURPOSE), "text": "a: ["}
        part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        body = "".join(part.format(*field) for field in parts.items()).encode()
        body += b'--x\r\nContent-Disposition: form-data; name="file"; filename="p.yaml"\r\n\r\n'
        headers = {"content-type": "multipart/form-data; boundary=x"}
        request = replace(
            admin.agent.request("POST"), headers=headers, body=body + content + b"\r\n--x--\r\n"
        )
        principal = principal_of(storage, caller(request.claims), "testdesk", request.now)
        page = WorkbenchPage(request, storage, principal, playbook, "zh-CN", SECRET, "")
        return routing.find("POST", "playbook/check").answer(page)

    text = rerouted(playbook).replace("\n", "\r\n").encode("utf-8-sig")
    assert hidden(sent(text), "text") == rerouted(playbook)
    assert "文件不是 UTF-8 文本" in texts(sent("姓名".encode("gbk")))


# Messages


@pytest.fixture
def speaking(storage: Storage, playbook: Playbook) -> Playbook:
    """The desk with messages."""
    timers = document(playbook)["timers"]
    timers["first_response"]["on_breach"] |= {"tell": [{"to": "supervisor", "message": "late"}]}
    keys = {"messages": MESSAGES, "notifications": NOTIFICATIONS, "timers": timers}
    found = load_text(changed(playbook, **keys), "speaking")
    storage.playbooks.put(found, NOON)
    return found


@pytest.mark.parametrize("locale", LOCALES)
def test_each_message_is_shown_with_sample_data(
    supervisor: Browser, speaking: Playbook, locale: Locale
) -> None:
    supervisor.locale = locale
    page = supervisor.get("playbook/messages")
    assert page.status == 200
    assert re.findall(r'id="message-(\w+)"', page.body) == list(MESSAGES)
    said = texts(page)
    assert "客户说：App 无法登录，提示网络错误" in said
    assert "客户说：I cannot log in to the app" in said
    assert "结果：重置设置，测试正常" in said
    assert "结果：Reset the settings; it works again" in said
    assert ("短信 1 条" if locale == "zh-CN" else "Text message: parts: 1") in said
    assert ("发给主管" if locale == "zh-CN" else "to supervisors") in said


def test_messages_take_a_ticket_s_data_masked_and_escaped(
    supervisor: Browser, storage: Storage, speaking: Playbook
) -> None:
    file_ticket(storage, speaking, "CS9", description="<script>alert(1)</script>")
    page = supervisor.get("playbook/messages?ticket=CS9")
    assert page.status == 200
    assert "客户说：&lt;script&gt;alert(1)&lt;/script&gt;" in page.body
    assert "<script>alert" not in page.body
    assert "已收到CS9" in texts(page)
    assert texts(page).count("这张工单没有发生此事") == 2


def test_a_preview_holds_no_link_that_opens_the_ticket(
    supervisor: Browser, storage: Storage, speaking: Playbook
) -> None:
    """A supervisor could otherwise answer as the customer; the key is that of no stage."""
    ticket = file_ticket(storage, speaking, "CS9")
    page = supervisor.get("playbook/messages?ticket=CS9")
    assert ticket_path(bytes(32), "customer", ticket) in unescape(page.body)


def test_a_number_without_a_ticket_is_said(supervisor: Browser, speaking: Playbook) -> None:
    page = supervisor.get("playbook/messages?ticket=%3Cb%3E")
    assert page.status == 404
    assert "没有工单 &lt;b&gt;。" in page.body
    assert "客户说：App 无法登录" in texts(page)


def test_a_desk_without_messages_is_told_where_they_are_written(supervisor: Browser) -> None:
    assert "手册里还没有消息" in texts(supervisor.get("playbook/messages"))
