"""The roster's pages: who is on the desk, letting people in, changing and removing them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from functions.administration.user_pool import UserPool
from functions.core.domain import commands as c
from functions.core.domain.acts import ActRequest
from functions.core.domain.errors import ActionNotAllowed, Forbidden, NotFound, Refused
from functions.core.domain.roster import Agent, read_shift
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.roster import CachedAgent
from functions.workbench.administration_client import administer
from functions.workbench.pages import sessions
from infra.simulator.simulator import Simulator
from tests.aws_snapshots import restore_or_make
from tests.core.sample_desk import NOON, agent
from tests.inprocess.conftest import require_permitted
from tests.portal.deployment import deployed
from tests.workbench.administering import administer_here
from tests.workbench.conftest import DEPLOYMENT, ROSTER, Agent as Person, SignedIn
from tests.workbench.pages import Browser, below, texts
from tests.workbench.test_sign_in import Visitor

pytestmark = pytest.mark.requirement("H7")

Fields = dict[str, str | list[str]]
ENTRY: Fields = {
    "display_name": "客服-新", "email": "new@example.com", "role": "agent", "team": "technical",
    "further_roles": ["qa"], "level": "1", "capacity": "4", "skills": ["vip"],
    "skills_more": "退款，CRM", "languages": ["en"], "shift.mon": "9:00-12:00 13:30-18:00",
    "shift.tue": "09:00–12:00，13:30–18:00", "shift.sun": "22:00-06:00",
}  # fmt: skip
PEOPLE = {**ROSTER, "admin-1": ("admin", "leads"), "admin-2": ("admin", "leads")}


@pytest.fixture
def pool(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user pool with everybody of the roster, and two administrators."""
    made = restore_or_make("roster", lambda: _pool(storage))
    monkeypatch.setattr(aws, "settings", lambda _: {"user_pool_id": made})
    monkeypatch.setattr(aws, "client", lambda name: boto3.client(name, DEPLOYMENT.region))
    administer_here(monkeypatch, storage)
    return made


def _pool(storage: Storage) -> str:
    cognito = boto3.client("cognito-idp", region_name=DEPLOYMENT.region)
    made = str(cognito.create_user_pool(PoolName="deskbell-test")["UserPool"]["Id"])
    for username, (role, team) in PEOPLE.items():
        storage.roster.put(agent(username, role=role, team=team))
        cognito.admin_create_user(UserPoolId=made, Username=username)
        group = f"testdesk:{role}"
        if username in {"agent-1", "supervisor-1", "qa-1", "finance-1", "admin-1"}:
            cognito.create_group(UserPoolId=made, GroupName=group)
        cognito.admin_add_user_to_group(UserPoolId=made, Username=username, GroupName=group)
    return made


@pytest.fixture
def admin(storage: Storage, pool: str) -> Browser:
    return Browser(Person(storage, "admin-1", "testdesk:admin"), "en")


@pytest.fixture
def supervisor(signed_in: SignedIn, pool: str) -> Browser:
    return Browser(signed_in("supervisor-1"))


def entry(storage: Storage, username: str) -> Agent:
    found = storage.roster.get("testdesk", username)
    assert found
    return found


def acts(storage: Storage) -> list[tuple[str, str, str]]:
    entries = storage.audit.list(NOON - timedelta(days=1), NOON + timedelta(days=1))
    return [(each.actor, each.act, each.target) for each in entries]


def call_of_change(who: str, **given: Any) -> None:
    """Call the act as whoever need not have gone through the page."""
    asked = ActRequest(act="roster.change", desk="testdesk", username=who, locale="en", given=given)
    administer(DEPLOYMENT, asked)


def test_the_list_shows_who_covers_what(admin: Browser, supervisor: Browser) -> None:
    admin.post("roster/new", ENTRY, username="neu-1")
    said = texts(supervisor.get("roster"))
    assert "客服-新 neu-1 质检、坐席" in said
    assert "vip · 退款 · CRM" in said
    assert "0 / 4 周一至周二 09:00–12:00 13:30–18:00 周日 22:00–06:00" in said
    html = supervisor.get("roster").body
    assert 'href="/workbench/testdesk/roster/people/agent-1"' in html
    assert 'href="/workbench/testdesk/roster/people/admin-1"' not in html
    assert "roster/new" not in html


@pytest.mark.parametrize("who", ["agent-1", "qa-1", "finance-1"])
def test_nobody_else_opens_the_roster(signed_in: SignedIn, pool: str, who: str) -> None:
    browser = Browser(signed_in(who))
    for address in ("roster", "roster/new", "roster/people/agent-2"):
        with pytest.raises(Forbidden):
            browser.get(address)
    with pytest.raises(Forbidden):
        browser.post("roster/people/agent-2/reset", what="password")


def test_a_first_password_is_shown_once_and_stored_nowhere(
    admin: Browser, pool: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = admin.post("roster/new", ENTRY, username="neu-1")
    found = re.search(r"<code>([\w-]{19})</code>", answer.body)
    assert found
    assert entry(admin.storage, "neu-1") == agent(
        "neu-1", role="agent", further_roles=("qa",), team="technical", capacity=4, level=1,
        display_name="客服-新", email="new@example.com", skills=("vip", "退款", "CRM"),
        languages=("en",), online=False,
        shift={
            **{day: [["09:00", "12:00"], ["13:30", "18:00"]] for day in ("mon", "tue")},
            "sun": [["22:00", "06:00"]],
        },
    )  # fmt: skip
    assert acts(admin.storage) == [("admin-1", "person.add", "neu-1")]
    scanned = admin.storage.table.client.scan(TableName=admin.storage.table.name)
    assert found[1] not in str(scanned)
    said = capsys.readouterr()
    assert found[1] not in said.out + said.err
    again = texts(admin.post("roster/new", ENTRY, username="neu-1"))
    assert "keeps its password" in again


def test_what_is_wrong_is_said_and_kept(admin: Browser) -> None:
    wrong = {
        "role": "agent", "team": "", "capacity": "-1", "level": "x", "email": "nobody",
        "display_name": "<b>x</b>", "shift.mon": "morning", "skills_more": "a\u0000b",
    }  # fmt: skip
    for username in ("", "x", "a:b", "system", "Customer"):
        answer = admin.post("roster/new", wrong, username=username)
        assert answer.status == 400
        assert "such as agent-7" in texts(answer)
    said = texts(answer)
    for text in (
        "who handles tickets needs a team", "a whole number from 0 to 999",
        "a whole number from 0 to 9", "such as zhang@example.com", "“morning”: write hours",
    ):  # fmt: skip
        assert text in said
    assert 'value="&lt;b&gt;x&lt;/b&gt;"' in answer.body
    assert "<b>x</b>" not in answer.body
    assert 'value="morning"' in answer.body
    assert not acts(admin.storage)
    unknown = admin.post("roster/new", {**ENTRY, "team": "nowhere", "role": "king"}, username="n-1")
    assert texts(unknown).count("choose one of the list") == 4


def test_an_administrator_changes_an_entry(admin: Browser) -> None:
    shown = admin.get("roster/people/agent-1").body
    assert 'name="capacity" value="2"' in shown
    for _ in range(2):
        answer = admin.post("roster/people/agent-1", ENTRY)
        assert answer.status == 303
    assert "agent-1 is saved" in texts(admin.get(below(answer.headers["Location"])))
    assert entry(admin.storage, "agent-1").display_name == "客服-新"
    assert acts(admin.storage) == [("admin-1", "person.change", "agent-1")]
    with pytest.raises(NotFound):
        admin.get("roster/people/nobody")
    with pytest.raises(NotFound):
        admin.post("roster/people/nobody", ENTRY)


def test_what_is_refused_stays_typed(admin: Browser) -> None:
    taken = admin.post("roster/new", ENTRY, username="agent-1")
    assert (taken.status, 'value="客服-新"' in taken.body) == (409, True)
    assert "works at testdesk already" in texts(taken)


def test_a_form_from_before_a_colleague_s_change_asks_first(admin: Browser) -> None:
    """Otherwise it would undo the change without a word."""

    def seen(body: str) -> str:
        return str(re.findall(r'name="seen" value="(\w+)"', body)[0])

    address = "roster/people/agent-1"
    old = seen(admin.get(address).body)
    for _ in range(2):  # sent twice, it is no colleague's
        assert admin.post(address, ENTRY, seen=old).status == 303
    late = admin.post(address, {**ENTRY, "capacity": "9"}, seen=old)
    assert (late.status, 'name="capacity" value="9"' in late.body) == (409, True)
    assert "Somebody has changed this entry" in texts(late)
    assert entry(admin.storage, "agent-1").capacity == 4
    admin.storage.roster.set_presence("testdesk", "agent-1", True)
    assert admin.post(address, {**ENTRY, "capacity": "9"}, seen=seen(late.body)).status == 303
    assert entry(admin.storage, "agent-1").capacity == 9


def test_a_supervisor_changes_what_agents_cover_and_nothing_else(supervisor: Browser) -> None:
    form = supervisor.get("roster/people/agent-1").body
    for name in ("role", "team", "email", "further_roles", "level", "display_name"):
        assert f'name="{name}"' not in form
    given: Fields = {
        "capacity": "7",
        "skills": ["vip"],
        "role": "admin",
        "shift.fri": "09:00-17:00",
    }
    assert supervisor.post("roster/people/agent-1", given).status == 303
    found = entry(supervisor.storage, "agent-1")
    assert (found.capacity, found.skills, found.role, found.team) == (
        7, ("vip",), "agent", "technical",
    )  # fmt: skip
    refused: tuple[tuple[str, Fields], ...] = (
        ("roster/people/admin-1", given),
        ("roster/people/supervisor-1", given),
        ("roster/people/qa-1", given),
        ("roster/new", {**ENTRY, "username": "neu-1"}),
        ("roster/people/agent-1/remove", {}),
        ("roster/people/agent-1/reset", {"what": "password"}),
    )
    for address, fields in refused:
        with pytest.raises(Forbidden):
            supervisor.post(address, fields)
        if not address.endswith("reset"):  # nor is a form shown that only leads to a refusal
            with pytest.raises(Forbidden):
                supervisor.get(address)


def test_a_supervisor_s_call_of_the_act_is_checked_too(supervisor: Browser) -> None:
    with pytest.raises(Forbidden, match="alone"):
        call_of_change("supervisor-1", username="agent-1", entry={"role": "admin"})
    assert entry(supervisor.storage, "agent-1").role == "agent"


def test_nobody_removes_themselves_or_the_last_administrator(admin: Browser) -> None:
    assert "remove" not in admin.get("roster/people/admin-1").body
    with pytest.raises(ActionNotAllowed, match="yourself"):
        admin.post("roster/people/admin-1/remove")
    admin.post("roster/people/admin-2/remove")
    last = admin.post("roster/people/admin-1", {**ENTRY, "role": "supervisor"})
    assert (last.status, 'value="客服-新"' in last.body) == (409, True)
    assert "needs an administrator" in texts(last)
    everywhere = agent("boss", desk="*", role="admin", team="")
    admin.storage.roster.put(everywhere)
    assert admin.post("roster/people/admin-1", {**ENTRY, "role": "supervisor"}).status == 303


def test_an_entry_of_the_desk_holds_beside_that_of_every_desk(admin: Browser) -> None:
    admin.post("roster/people/admin-2/remove")
    for desk in ("*", "testdesk"):
        admin.storage.roster.put(agent("boss", desk=desk, role="admin", team=""))
    admin.storage.roster.set_active("testdesk", "boss", False)
    with pytest.raises(ActionNotAllowed, match="needs an administrator"):
        call_of_change("admin-1", username="admin-1", entry={"role": "supervisor"})


def test_who_was_removed_a_moment_ago_does_not_remove_the_last_one(admin: Browser) -> None:
    """Functions know of a removal within half a minute."""
    storage = admin.storage
    before = CachedAgent(NOON, entry(storage, "admin-2"))
    admin.post("roster/people/admin-2/remove")
    storage.roster.cache["testdesk", "admin-2"] = before
    late = Browser(Person(storage, "admin-2", "testdesk:admin"), "en")
    with pytest.raises(ActionNotAllowed, match="needs an administrator"):
        late.post("roster/people/admin-1/remove")
    assert entry(storage, "admin-1").active


@pytest.mark.parametrize(("capacity", "status"), [("999", 303), ("1000", 400), ("٣", 400)])
def test_a_number_has_its_bounds(admin: Browser, capacity: str, status: int) -> None:
    answer = admin.post("roster/people/agent-1", {**ENTRY, "capacity": capacity})
    assert answer.status == status


def test_a_reset_is_in_the_audit_of_the_desk_and_ends_the_sessions(
    admin: Browser, pool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_out: list[str] = []
    monkeypatch.setattr(UserPool, "sign_out", lambda _, username: signed_out.append(username))
    admin.post("roster/people/agent-1/reset", what="password")
    (found,) = admin.storage.audit.list(NOON, NOON + timedelta(days=1), "testdesk")
    assert (found.act, found.target, found.after) == (
        "person.reset", "agent-1", {"password": True, "mfa": False},
    )  # fmt: skip
    assert signed_out == ["agent-1"]


def test_removing_says_where_the_tickets_go(
    admin: Browser, playbook: Playbook, ticket: Ticket
) -> None:
    storage = admin.storage
    storage.roster.set_presence("testdesk", "agent-1", True)
    given = c.Assign("technical", "agent-1", by_person=True)
    change(storage, "testdesk", ticket.number, given, playbook, NOON, actor="supervisor-1")
    asked = texts(admin.get("roster/people/agent-1/remove"))
    assert "Remove agent-1?" in asked
    assert "The tickets in hand (1) wait for the team again" in asked
    moved = admin.post("roster/people/agent-1/remove")
    assert f"Wait for their team again {ticket.number}" in texts(moved)
    assert not entry(storage, "agent-1").active
    again = texts(admin.post("roster/people/agent-1/remove"))
    assert "There were no tickets or call-backs" in again
    listed = texts(admin.get("roster"))
    assert listed.index("Removed") < listed.index("agent-1")
    assert acts(storage) == [("admin-1", "person.remove", "agent-1")]


def test_who_was_removed_is_let_in_again(admin: Browser) -> None:
    admin.post("roster/people/agent-1/remove")
    assert "Let in again" in texts(admin.get("roster/people/agent-1"))
    with pytest.raises(ActionNotAllowed, match="in again first"):
        admin.post("roster/people/agent-1/reset", what="password")
    back = admin.post("roster/people/agent-1", ENTRY)
    assert "agent-1 is let in again" in texts(admin.get(below(back.headers["Location"])))
    assert entry(admin.storage, "agent-1").active


def test_who_works_at_other_desks_too_is_not_reset_here(admin: Browser, pool: str) -> None:
    """Otherwise an administrator could sign in at another desk as somebody invited here."""
    cognito = boto3.client("cognito-idp", region_name=DEPLOYMENT.region)
    cognito.create_group(UserPoolId=pool, GroupName="*:admin")
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="agent-1", GroupName="*:admin")
    admin.storage.roster.put(agent("agent-1", desk="*", role="admin", team=""))
    with pytest.raises(Forbidden, match="other desks"):
        admin.post("roster/people/agent-1/reset", what="password")
    with pytest.raises(Refused):
        admin.post("roster/people/agent-2/reset", what="everything")


def test_hours_are_read_as_people_write_them() -> None:
    assert read_shift({"mon": " 8:30 - 12:00 、13：30～24:00"}) == {
        "mon": [["08:30", "12:00"], ["13:30", "24:00"]]
    }
    for wrong in ("9-18", "09:00", "25:00-26:00", "09:00-12:00 x", "09:60-10:00"):
        with pytest.raises(ValueError, match="write hours"):
            read_shift({"tue": wrong})


# The whole way, through the user pool and with the function's policy


@pytest.fixture
def simulator(playbook: Playbook, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    monkeypatch.setattr(sessions, "_read_at", {})
    with deployed(playbook, PEOPLE) as running:
        yield running
        require_permitted(running)


@pytest.mark.requirement("G4")
def test_who_is_invited_signs_in_and_chooses_a_password(simulator: Simulator) -> None:
    boss, newcomer = Visitor(simulator), Visitor(simulator)
    boss.sign_in("admin-1")
    boss.get("/workbench/testdesk/roster/new")
    fields = {name: value for name, value in ENTRY.items() if isinstance(value, str)}
    shown = boss.submit("/workbench/testdesk/roster/new", **fields, username="neu-1").text
    first = re.findall(r"<code>([\w-]+)</code>", shown)[0]
    assert 'name="new_password"' in newcomer.sign_in("neu-1", first).text
    opened = newcomer.submit(new_password="My-Own-Password-7")
    assert (opened.status, opened.headers["location"]) == (303, "/workbench/testdesk")
    boss.get("/workbench/testdesk/roster/people/neu-1")
    path = "/workbench/testdesk/roster/people/neu-1"
    reset = boss.submit(f"{path}/reset", what="password").text
    second = re.findall(r"<code>([\w-]+)</code>", reset)[0]
    other = Visitor(simulator)
    assert other.sign_in("neu-1", "My-Own-Password-7").status == 401
    assert 'name="new_password"' in other.sign_in("neu-1", second).text
    boss.get(path)
    removed = boss.submit(f"{path}/reset", what="authenticator").text
    assert "takes the password alone" in removed
    boss.get(f"{path}/remove")
    assert "There were no tickets" in boss.submit(f"{path}/remove").text
    simulator.forget_roster()
    assert other.sign_in("neu-1", second).status == 401
    called = {call.operation for call in simulator.calls if call.function == "administration"}
    assert {"AdminCreateUser", "AdminDisableUser", "AdminUserGlobalSignOut"} <= called
    written = [call.request for call in simulator.calls if call.service == "dynamodb"]
    assert first not in str(written)
