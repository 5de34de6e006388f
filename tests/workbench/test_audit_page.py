"""The page of administrative acts: who opened what, filters, pages, CSV."""

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, cast

import pytest

from functions.core.domain import commands as c
from functions.core.domain.audit import ACTS, AuditEntry
from functions.core.domain.errors import Forbidden
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.workbench.pages.audit import act_label
from tests.core.sample_desk import NOON, agent, file_ticket
from tests.workbench.conftest import NUMBER, Agent as Person, Counting, SignedIn
from tests.workbench.pages import Browser, texts

pytestmark = pytest.mark.requirement("H7", "G4")


@pytest.fixture
def admin(storage: Storage) -> Browser:
    storage.roster.put(agent("admin-1", role="admin", team="leads"))
    return Browser(Person(storage, "admin-1", "testdesk:admin"), "en")


def record(storage: Storage, act: str, *, days: float = 0, **fields: object) -> None:
    entry = {"at": NOON - timedelta(days=days), "actor": "admin-1", "act": act, "target": "agent-1"}
    storage.audit.record(AuditEntry.model_validate({**entry, "desk": "testdesk", **fields}))


@pytest.mark.parametrize("who", ["agent-1", "supervisor-1", "qa-1", "finance-1"])
def test_administrators_alone_read_it(signed_in: SignedIn, who: str) -> None:
    with pytest.raises(Forbidden):
        Browser(signed_in(who)).get("audit?format=csv")


def test_first_of_all_it_says_who_opened_what_and_why(
    admin: Browser, ticket: Ticket, playbook: Playbook
) -> None:
    opened = c.Hold(True, "<i>诉讼</i>")
    change(admin.storage, "testdesk", NUMBER, opened, playbook, NOON, actor="admin-1")
    record(admin.storage, "ticket.open-contact", actor="agent-1", target=NUMBER)
    record(admin.storage, "person.add")
    said = texts(admin.get("audit"))
    assert "Acts: 1" in said
    assert "2026-03-10 12:00 agent-1 opened a customer's contact in order to call" in said
    held = admin.get("audit?act=ticket.hold")
    assert "&lt;i&gt;诉讼&lt;/i&gt;" in held.body
    assert "<i>" not in held.body
    assert f'href="/workbench/testdesk/tickets/{NUMBER}"' in held.body


@pytest.mark.requirement("H8")
def test_the_reasons_of_a_page_are_read_together(
    admin: Browser, playbook: Playbook, dynamodb: Any
) -> None:
    """Also those of the holds that the page of erasures lists."""
    client = Counting(dynamodb)
    storage = Storage.on(cast("Any", client), "deskbell-test")
    browser = Browser(Person(storage, "admin-1", "testdesk:admin"), "en")
    for n in range(5):
        file_ticket(admin.storage, playbook, f"CS{n}")
        hold = c.Hold(True, f"reason {n}")
        change(admin.storage, "testdesk", f"CS{n}", hold, playbook, NOON, actor="admin-1")
    for address in ("audit?act=ticket.hold", "erasure"):
        browser.get(address)  # sign-in and playbook are kept by the container
        client.calls.clear()
        said = texts(browser.get(address))
        assert all(f"reason {n}" in said for n in range(5))
        assert "get_item" not in client.calls
        assert client.calls.count("batch_get_item") <= 2


def test_it_is_filtered_by_act_person_and_days(admin: Browser) -> None:
    storage = admin.storage
    record(storage, "person.change", before={"role": "agent"}, after={"role": "qa"})
    record(storage, "person.add", actor="console:me", target="neu-1")
    record(storage, "playbook.apply", days=40)
    record(storage, "person.add", desk="elsewhere", target="secret-1")
    every = texts(admin.get("audit?act=all"))
    assert ("Acts: 2" in every, "secret-1" in every) == (True, False)
    assert "Role: agent → qa" in every
    assert "Acts: 1" in texts(admin.get("audit?act=all&person=NEU"))
    assert "Acts: 1" in texts(admin.get("audit?act=all&person=console"))
    assert "Acts: 3" in texts(admin.get("audit?act=all&from=2026-01-01&to=2026-03-10"))
    assert "no such acts" in texts(
        admin.get("audit?act=all&from=2026-01-01&person=agent-1&to=2026-02-01")
    )
    assert "no such acts" in texts(admin.get("audit?act=all&to=2026-03-09&from=2026-03-09"))


@pytest.mark.parametrize(
    "query", ["from=x", "to=2026-13-01", "from=2026-03-10&to=2026-03-09", "from=2020-01-01",
              "from=0001-01-01&to=0001-01-02", "from=2025-03-10&to=2026-03-11"],
)  # fmt: skip
def test_wrong_days_are_said_and_kept(admin: Browser, query: str) -> None:
    answer = admin.get(f"audit?{query}")
    assert (answer.status, 'aria-invalid="true"' in answer.body) == (400, True)
    for given in query.split("&"):
        name, _, value = given.partition("=")
        assert re.search(f'name="{name}"[^>]* value="{value}"', answer.body), given


def test_many_acts_have_pages(admin: Browser) -> None:
    for number in range(51):
        record(admin.storage, "person.add", days=number / 100, target=f"neu-{number}")
    first = admin.get("audit?act=all")
    assert "Page 1 of 2" in texts(first)
    assert "page=2" in first.body
    second = texts(admin.get("audit?act=all&page=2"))
    assert "neu-50" in second
    assert "neu-49 " not in second
    assert "Page 1 of 2" in texts(admin.get(f"audit?act=all&page={'9' * 5000}"))
    assert admin.get("audit?act=all&page=9").status == 200
    assert admin.get("audit?act=all&format=csv&page=2").body.count("neu-") == 51
    assert admin.get("audit?from=2025-03-10&to=2026-03-10").status == 200, "a leap year's days"


def test_the_file_has_all_acts_and_no_formula_and_no_reason(
    admin: Browser, ticket: Ticket, playbook: Playbook
) -> None:
    opened = c.Hold(True, "诉讼")
    change(admin.storage, "testdesk", NUMBER, opened, playbook, NOON, actor="admin-1")
    record(admin.storage, "person.add", target="=1+1")
    answer = admin.get("audit?act=all&format=csv")
    assert answer.content_type == "text/csv"
    assert "audit-testdesk-" in answer.headers["Content-Disposition"]
    lines = list(csv.reader(StringIO(answer.body.removeprefix("\ufeff"))))
    assert [line[0] for line in lines[1:]] == ["2026-03-10T12:00:00+08:00"] * 2
    assert {line[4] for line in lines[1:]} == {NUMBER, "'=1+1"}
    assert "诉讼" not in answer.body


def test_every_act_has_a_name_in_both_languages() -> None:
    for act in ACTS:
        assert act_label(act, "zh-CN") != act
        assert act_label(act, "en") == ACTS[act]


def test_the_time_is_that_of_the_desk(admin: Browser) -> None:
    record(admin.storage, "person.add", at=datetime(2026, 3, 9, 16, 30, tzinfo=UTC))
    assert "2026-03-10 00:30" in texts(admin.get("audit?act=all&from=2026-03-10"))
