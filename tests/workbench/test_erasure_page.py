"""Holds and erasures in the workbench, and how an erased ticket reads there."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from functions.administration import retention
from functions.administration.erasure import LONGEST_REASON
from functions.core.domain import commands as c
from functions.core.domain.errors import Forbidden, NotFound, TryAgain
from functions.core.domain.events import Attachment
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from tests.core.sample_desk import NOON, agent, file_ticket
from tests.workbench import administering
from tests.workbench.administering import administer_here
from tests.workbench.conftest import DEPLOYMENT, NUMBER, Agent as Person, SignedIn
from tests.workbench.pages import Browser, below, texts

pytestmark = pytest.mark.requirement("H7", "B10")
PRIVATE = "李样本的发票-99"


@pytest.fixture
def admin(storage: Storage, ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """An administrator of a desk with a ticket on which its customer has written."""
    s3 = boto3.client("s3", region_name=DEPLOYMENT.region)
    for bucket in (DEPLOYMENT.mail_bucket, DEPLOYMENT.archive_bucket):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setattr(aws, "client", lambda name: boto3.client(name, DEPLOYMENT.region))
    monkeypatch.setattr(aws, "root_key", lambda _: bytes(range(32)))
    storage.roster.put(agent("admin-1", role="admin", team="leads"))
    write(storage, PRIVATE)
    administer_here(monkeypatch, storage)
    return Browser(Person(storage, "admin-1", "testdesk:admin"), "en")


def write(storage: Storage, text: str, number: str = NUMBER) -> None:
    stored = f"files/testdesk/{number}"
    file = Attachment(name="a.png", content_type="image/png", size=9, key=stored)
    said = c.CustomerMessage(text, "web", attachments=(file,))
    playbook = storage.playbooks.get("testdesk", NOON)
    change(storage, "testdesk", number, said, playbook, NOON, actor="customer")


def acts(storage: Storage) -> list[tuple[str, str, str]]:
    entries = storage.audit.list(NOON - timedelta(days=1), NOON + timedelta(days=1))
    return [(each.actor, each.act, each.target) for each in entries]


@pytest.mark.parametrize("who", ["agent-1", "supervisor-1", "qa-1", "finance-1"])
def test_administrators_alone_hold_and_erase(admin: Browser, signed_in: SignedIn, who: str) -> None:
    browser = Browser(signed_in(who))
    for address in ("erasure", f"erasure/tickets/{NUMBER}"):
        with pytest.raises(Forbidden):
            browser.get(address)
    with pytest.raises(Forbidden):
        browser.post(f"erasure/tickets/{NUMBER}", confirm=NUMBER, reason="x")


def test_a_hold_is_set_listed_and_released(admin: Browser) -> None:
    assert "No ticket is held" in texts(admin.get("erasure"))
    for _ in range(2):
        held = admin.post("erasure/hold", number=f" {NUMBER} ", reason="<b>诉讼</b>")
        assert held.status == 303
    page = admin.get(below(held.headers["Location"]))
    assert f"{NUMBER} is held." in texts(page)
    assert "&lt;b&gt;诉讼&lt;/b&gt;" in page.body
    assert "<b>诉讼" not in page.body
    assert "The record is held" in texts(admin.get(f"tickets/{NUMBER}"))
    released = admin.post("erasure/release", number=NUMBER, reason="撤诉")
    page = admin.get(below(released.headers["Location"]))
    assert "No ticket is held" in texts(page)
    assert sorted(acts(admin.storage)) == [
        ("admin-1", "ticket.hold", NUMBER), ("admin-1", "ticket.release", NUMBER),
    ]  # fmt: skip


def test_the_last_act_on_a_hold_names_it(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (("hold", "旧诉讼"), ("release", "撤诉"), ("hold", "新诉讼"))
    for minutes, (act, reason) in enumerate(steps, -3):
        monkeypatch.setattr(administering, "NOON", NOON + timedelta(minutes=minutes))
        assert admin.post(f"erasure/{act}", number=NUMBER, reason=reason).status == 303
    for address in ("erasure", f"erasure/tickets/{NUMBER}"):
        said = texts(admin.get(address))
        assert ("新诉讼" in said, "旧诉讼" in said) == (True, False), address


def test_a_reason_has_a_length(admin: Browser) -> None:
    long = "x" * (LONGEST_REASON + 1)
    refused = admin.post("erasure/hold", number=NUMBER, reason=long)
    assert (refused.status, str(LONGEST_REASON) in texts(refused)) == (400, True)
    assert admin.post("erasure/hold", number=NUMBER, reason=long[1:]).status == 303


def test_wrong_input_is_said_beside_its_field_and_kept(admin: Browser) -> None:
    answer = admin.post("erasure/hold", number="CS9", reason="why")
    assert (answer.status, 'value="CS9"' in answer.body, 'value="why"' in answer.body) == (
        400, True, True,
    )  # fmt: skip
    assert "there is no such ticket" in texts(answer)
    answer = admin.post("erasure/release", number=NUMBER, reason=" ")
    assert (answer.status, "this field is required" in texts(answer)) == (400, True)
    assert "<details open>" in answer.body
    answer = admin.get("erasure/tickets?number=CS9")
    assert (answer.status, "there is no such ticket" in texts(answer)) == (400, True)
    assert admin.get(f"erasure/tickets?number={NUMBER}").status == 303
    with pytest.raises(NotFound):
        admin.get("erasure/tickets/CS9")


def test_an_erasure_shows_first_what_goes_and_wants_the_number(admin: Browser) -> None:
    page = admin.get(f"erasure/tickets/{NUMBER}")
    said = texts(page)
    assert PRIVATE not in said
    assert f"Type the number {NUMBER} once more" in said
    assert "is forgotten too" in said
    assert said.split("Files and mails ", 1)[1].split(" What goes")[0].endswith(" 1")
    for fields in ({"confirm": "CS1", "reason": "asked"}, {"confirm": NUMBER, "reason": " "}):
        refused = admin.post(f"erasure/tickets/{NUMBER}", fields)
        assert refused.status == 400
    assert PRIVATE in texts(admin.get(f"tickets/{NUMBER}"))
    assert not acts(admin.storage)
    done = admin.post(f"erasure/tickets/{NUMBER}", confirm=NUMBER, reason="asked by letter")
    assert "The personal data is erased" in texts(done)
    assert [act for _, act, _ in acts(admin.storage)] == ["ticket.erase"] * 2
    assert "run it again to complete it" in texts(admin.get(f"erasure/tickets/{NUMBER}"))
    assert admin.post(f"erasure/tickets/{NUMBER}", confirm=NUMBER, reason="again").status == 200


@pytest.mark.parametrize(
    ("locale", "banner", "instead"),
    [("zh-CN", "已按要求删除", "内容已删除"), ("en", "was erased on demand", " erased ")],
)
def test_an_erased_ticket_reads_well(
    admin: Browser, locale: Any, banner: str, instead: str
) -> None:
    before = admin.get(f"tickets/{NUMBER}").body
    assert 'id="composer"' in before
    assert f"contacts/{NUMBER}" in before
    admin.post(f"erasure/tickets/{NUMBER}", confirm=NUMBER, reason="asked by letter")
    browser = Browser(admin.agent, locale)
    page = browser.get(f"tickets/{NUMBER}")
    said = texts(page)
    assert f"contacts/{NUMBER}" not in page.body
    assert 'id="composer"' not in page.body  # nothing can be written to nobody, nor a draft kept
    assert PRIVATE not in page.body
    assert banner in said
    assert instead in said.replace(banner, "")
    assert f'title="{NUMBER}">{NUMBER}</h1>' in page.body
    assert "asked by letter" in texts(browser.get(f"tickets/{NUMBER}?tab=timeline"))


def test_a_held_ticket_is_refused_with_the_reason(admin: Browser) -> None:
    admin.post("erasure/hold", number=NUMBER, reason="诉讼")
    page = admin.get(f"erasure/tickets/{NUMBER}")
    assert f"{NUMBER} is held and cannot be erased" in texts(page)
    assert "诉讼" in texts(page)
    assert 'name="confirm"' not in page.body
    # The form was open before a colleague set the hold.
    late = admin.post(f"erasure/tickets/{NUMBER}", confirm=NUMBER, reason="asked")
    assert late.status == 409
    assert f"{NUMBER} is held and cannot be erased" in texts(late)


def test_other_tickets_of_the_contact_are_said_to_stay(admin: Browser, playbook: Playbook) -> None:
    file_ticket(admin.storage, playbook, "CS2")
    file_ticket(admin.storage, playbook, "CS3")
    said = texts(admin.get(f"erasure/tickets/{NUMBER}"))
    assert "further tickets of the contact, which stay: 2" in said
    assert "is forgotten too" not in said


def test_merged_tickets_of_the_same_customer_are_erased_together(
    admin: Browser, playbook: Playbook
) -> None:
    file_ticket(admin.storage, playbook, "CS2")
    admin.agent.act("merge", "CS2", into=NUMBER)
    page = admin.get(f"erasure/tickets/{NUMBER}")
    assert 'href="/workbench/testdesk/tickets/CS2"' in page.body
    assert "is forgotten too" in texts(page)
    admin.post("erasure/hold", number="CS2", reason="诉讼")
    assert "诉讼" in texts(admin.get(f"erasure/tickets/{NUMBER}"))
    admin.post("erasure/release", number=NUMBER, reason="撤诉")
    done = admin.post(f"erasure/tickets/{NUMBER}", confirm=NUMBER, reason="asked")
    assert f"CS2 {NUMBER}" in texts(done) or f"{NUMBER} CS2" in texts(done)


@pytest.mark.parametrize("where", ["act", "call"])
def test_a_long_erasure_says_how_to_go_on(
    admin: Browser, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def late(*_: Any, **__: Any) -> Any:
        raise TryAgain("not yet")

    with monkeypatch.context() as patched:
        if where == "act":
            patched.setattr(retention, "erase", late)
        else:
            patched.setattr("functions.workbench.administration_client._invoke", late)
        page = admin.post(f"erasure/tickets/{NUMBER}", confirm=NUMBER, reason="asked")
    assert "not complete yet" in texts(page)
    assert f'name="confirm" value="{NUMBER}"' in page.body
    assert 'name="reason" value="asked"' in page.body


def test_who_waits_too_long_for_the_function_may_try_again(monkeypatch: Any) -> None:
    from botocore.exceptions import ReadTimeoutError

    from functions.core.deliver import once
    from functions.core.domain.acts import ActRequest
    from functions.workbench.administration_client import administer

    def invoke(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="https://lambda")

    monkeypatch.setattr(once, "client", lambda *_: SimpleNamespace(invoke=invoke))
    deployment = Deployment("aws", "us-east-1", "123456789012", "test")
    asked = ActRequest(act="erasure.erase", desk="d", username="u", locale="en")
    with pytest.raises(TryAgain):
        administer(deployment, asked)
