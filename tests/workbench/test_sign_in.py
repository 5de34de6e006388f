"""Signing in to the pages: passwords, codes, first passwords, cookies, and the end of a session."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import boto3
import pytest

from deskbell.client import ApiResponse
from functions.core.domain.rules import Playbook
from functions.core.platform import clock
from functions.core.storage.database import Storage
from functions.workbench.pages import sessions
from infra.simulator.simulator import Simulator
from tests.portal.deployment import DEPLOYMENT, PASSWORD, deployed
from tests.workbench.conftest import ROSTER

pytestmark = pytest.mark.requirement("G4", "H8")

FORM = "application/x-www-form-urlencoded"


@dataclass
class Visitor:
    """A browser: it keeps its cookies, and sends what is in a form's hidden fields."""

    simulator: Simulator
    headers: dict[str, str] = field(
        default_factory=lambda: {"Accept": "text/html", "Accept-Language": "en"}
    )
    cookies: dict[str, str] = field(default_factory=dict)
    shown: str = ""

    def get(self, path: str, **headers: str) -> ApiResponse:
        return self._keep(self.simulator.http("GET", path, headers=self._headers(headers)))

    def post(self, path: str, fields: dict[str, str], **headers: str) -> ApiResponse:
        sent = self._headers({"Content-Type": FORM, "Sec-Fetch-Site": "same-origin", **headers})
        body = urlencode(fields).encode()
        return self._keep(self.simulator.http("POST", path, body, headers=sent))

    def submit(self, path: str = "/workbench", **fields: str) -> ApiResponse:
        return self.post(path, self.hidden() | fields)

    def sign_in(self, username: str = "agent-1", password: str = PASSWORD) -> ApiResponse:
        self.get("/workbench")
        return self.submit(username=username, password=password)

    def hidden(self) -> dict[str, str]:
        found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.shown)
        return {name: unescape(value) for name, value in found}

    @property
    def session(self) -> str:
        return self.cookies.get(sessions.COOKIE, "")

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return self.headers | ({"Cookie": cookie} if cookie else {}) | named

    def _keep(self, answer: ApiResponse) -> ApiResponse:
        set_cookie = answer.headers.get("set-cookie", "")
        if set_cookie:
            name, _, value = set_cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.shown = answer.text
        return answer


@pytest.fixture
def simulator(playbook: Playbook, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A deployment; containers have read no session yet."""
    monkeypatch.setattr(sessions, "_read_at", {})
    with deployed(playbook, ROSTER) as running:
        yield running


@pytest.fixture
def visitor(simulator: Simulator) -> Visitor:
    return Visitor(simulator)


def _later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(clock, "now", lambda: now + by)


# Passwords and codes


def test_a_password_leads_to_the_desk(visitor: Visitor) -> None:
    answer = visitor.sign_in()
    assert (answer.status, answer.headers["location"]) == (303, "/workbench/testdesk")
    attributes = set(answer.headers["set-cookie"].split("; ")[1:])
    assert {"Path=/", "HttpOnly", "Secure", "SameSite=Lax"} <= attributes
    assert visitor.get("/workbench/testdesk").status == 200
    assert visitor.get("/workbench").headers["location"] == "/workbench/testdesk"


def test_a_wrong_password_says_neither_which_nor_more(visitor: Visitor) -> None:
    wrong = visitor.sign_in(password="wrong")
    assert wrong.status == 401
    assert "Username or password is wrong." in wrong.text
    assert not visitor.session
    unknown = visitor.sign_in("nobody", "wrong").text
    assert unknown.replace("nobody", "agent-1") == wrong.text
    assert visitor.submit(username="", password="").status == 401


def test_a_first_password_is_chosen_on_the_page(visitor: Visitor) -> None:
    asked = visitor.sign_in("new-1")
    assert asked.status == 200
    assert 'name="new_password"' in asked.text
    assert "At least 12 characters" in asked.text
    # The person is on no roster here; what counts is that the pool has the new password.
    chosen = visitor.submit(new_password="My-Own-Password-7")
    assert (chosen.status, "not on the roster" in chosen.text) == (401, True)
    assert "not on the roster" in visitor.sign_in("new-1", "My-Own-Password-7").text


def test_a_weak_first_password_is_refused_with_the_rules(visitor: Visitor) -> None:
    visitor.sign_in("new-1")
    refused = visitor.submit(new_password="short")
    assert refused.status == 400
    assert "At least 12 characters" in refused.text
    assert 'name="new_password"' in refused.text


def test_an_authenticator_is_set_up_and_asked_for(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.get("/workbench/testdesk/authenticator")
    wrong = visitor.submit("/workbench/testdesk/authenticator", password="wrong")
    assert (wrong.status, 'name="password"' in wrong.text) == (400, True)
    shown = visitor.submit("/workbench/testdesk/authenticator", password=PASSWORD)
    assert f"<code>{visitor.hidden()['secret']}</code>" in shown.text
    assert "otpauth://totp/Deskbell:agent-1" in shown.text
    assert visitor.submit("/workbench/testdesk/authenticator", code="12").status == 400
    done = visitor.submit("/workbench/testdesk/authenticator", code="123 456")
    assert "The authenticator is on." in done.text

    again = Visitor(visitor.simulator)
    assert 'name="code"' in again.sign_in().text
    assert again.submit(code="12").status == 401
    assert again.submit(code="123 456").status == 303
    assert again.session


# Sessions


def test_a_session_is_new_at_each_sign_in_and_the_former_ends(visitor: Visitor) -> None:
    visitor.cookies[sessions.COOKIE] = "chosen-by-somebody-else"
    visitor.sign_in()
    first = visitor.session
    assert first != "chosen-by-somebody-else"
    answer = visitor.submit(username="agent-2", password=PASSWORD)
    assert (answer.status, visitor.session != first) == (303, True)
    assert (
        Visitor(visitor.simulator, cookies={sessions.COOKIE: first})
        .get("/workbench/testdesk")
        .status
        == 303
    )


def test_signing_out_ends_the_session_on_the_server(visitor: Visitor) -> None:
    visitor.sign_in()
    stolen = Visitor(visitor.simulator, cookies=dict(visitor.cookies))
    out = visitor.post("/workbench/sign-out", {})
    assert (out.status, out.headers["location"]) == (303, "/workbench")
    assert visitor.session == ""
    assert stolen.get("/workbench/testdesk").headers["location"].startswith("/workbench?next=")
    found = boto3.client("dynamodb").scan(TableName=DEPLOYMENT.table)["Items"]
    assert all("body" not in i for i in found if i["pk"]["S"].startswith("SESSION#"))


def test_a_session_is_renewed_after_an_hour_and_ends_after_twelve(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.sign_in()
    storage = Storage.on(boto3.client("dynamodb"), DEPLOYMENT.table)
    before = storage.page_sessions.get(visitor.session, datetime.now(UTC))
    assert before is not None
    _later(monkeypatch, timedelta(hours=2))
    assert visitor.get("/workbench/testdesk").status == 200
    after = storage.page_sessions.get(visitor.session, datetime.now(UTC))
    assert after is not None
    assert (after.renew_at >= before.renew_at, after.ends_at) == (True, before.ends_at)
    _later(monkeypatch, timedelta(hours=13))
    assert visitor.get("/workbench/testdesk").status == 303


def test_who_leaves_the_roster_is_out(visitor: Visitor) -> None:
    visitor.sign_in()
    assert visitor.get("/workbench/testdesk").status == 200
    storage = Storage.on(boto3.client("dynamodb"), DEPLOYMENT.table)
    storage.roster.set_active("testdesk", "agent-1", False)
    visitor.simulator.forget_roster()
    led = visitor.get("/workbench/testdesk")
    assert led.headers["location"].startswith("/workbench?next=")
    page = visitor.get("/workbench?next=/workbench/testdesk")
    assert (page.status, "not on the roster" in page.text) == (401, True)


def test_a_sign_in_leads_only_to_the_persons_own_desks(visitor: Visitor) -> None:
    own = "/workbench/testdesk/tickets/CS1?tab=a"
    for wanted, led_to in (
        (own, own),
        ("https://evil.example/workbench/testdesk", "/workbench/testdesk"),
        ("//evil.example/workbench/testdesk", "/workbench/testdesk"),
        ("/workbench/otherdesk", "/workbench/testdesk"),
        ("javascript:alert(1)", "/workbench/testdesk"),
        ("/desks/testdesk", "/workbench/testdesk"),
    ):
        fields = {"username": "agent-1", "password": PASSWORD, "next": wanted}
        assert visitor.post("/workbench", fields).headers["location"] == led_to


def test_the_chosen_language_stays(visitor: Visitor) -> None:
    assert "<h1>登录</h1>" in visitor.get("/workbench?lang=zh-CN").text
    visitor.submit(username="agent-1", password=PASSWORD)
    page = visitor.get("/workbench/testdesk")
    assert '<html lang="en">' in page.text, "the simulator keeps the first cookie only"
    visitor.submit("/workbench/testdesk/me/language", language="zh-CN")
    assert '<html lang="zh-CN">' in visitor.get("/workbench/testdesk").text


# In place, for scripts


def test_a_script_gets_the_form_and_then_a_new_token(visitor: Visitor) -> None:
    script = {"HX_Request": "true"}
    assert visitor.get("/workbench/testdesk/tickets/CS1", **script).status == 401
    form = visitor.get("/workbench", **script)
    assert (form.status, "<html" in form.text, 'name="password"' in form.text) == (200, False, True)
    wrong = visitor.post("/workbench", {"username": "agent-1", "password": "wrong"}, **script)
    assert (wrong.status, "<html" in wrong.text, 'role="alert"' in wrong.text) == (401, False, True)
    done = visitor.post("/workbench", {"username": "agent-1", "password": PASSWORD}, **script)
    assert done.status == 200
    assert done.json["username"] == "agent-1"
    url = "/workbench/testdesk/me/presence"
    accepted = visitor.post(url, {"online": "true"}, X_Form=done.json["token"], **script)
    assert accepted.status == 200
    assert visitor.get("/workbench", **script).json == done.json


# Requests of others


def test_forms_of_another_site_change_nothing(visitor: Visitor) -> None:
    visitor.sign_in()
    session = visitor.session
    fields = {"username": "agent-2", "password": PASSWORD, "online": "false"}
    for path in ("/workbench", "/workbench/sign-out", "/workbench/testdesk/me/presence"):
        for site in ("cross-site", "same-site"):
            assert visitor.post(path, fields, Sec_Fetch_Site=site).status == 403
    assert visitor.session == session
    assert visitor.get("/workbench/testdesk").status == 200


def test_a_form_without_this_sessions_token_changes_nothing(visitor: Visitor) -> None:
    visitor.sign_in()
    other = Visitor(visitor.simulator)
    other.sign_in("agent-2")
    other.get("/workbench/testdesk")
    for form in (
        {},
        {"form_token": ""},
        {"form_token": "0" * 32},
        {"form_token": other.hidden()["form_token"]},
    ):
        fields = {"online": "false", **form}
        assert visitor.post("/workbench/testdesk/me/presence", fields).status == 403


def test_a_link_changes_nothing(visitor: Visitor) -> None:
    visitor.sign_in()
    session = visitor.session
    assert visitor.get("/workbench/sign-out").status == 404
    assert visitor.get("/workbench/testdesk/me/presence?online=false").status == 404
    assert visitor.get("/workbench/testdesk/me/language?language=zh-CN").status == 404
    assert visitor.session == session
    assert visitor.get("/workbench/testdesk").status == 200


def test_every_page_is_private_and_runs_only_our_own(visitor: Visitor) -> None:
    for signed_in in (False, True):
        if signed_in:
            visitor.sign_in()
        for path in ("", "/testdesk", "/testdesk/authenticator", "/testdesk/nothing", "/x/y"):
            headers = visitor.get(f"/workbench{path}").headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self'; style-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["cache-control"] == "no-store"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["x-content-type-options"] == "nosniff"


def test_what_somebody_types_is_escaped(visitor: Visitor) -> None:
    text = '"><script>alert(1)</script>'
    assert "<script>alert" not in visitor.sign_in(text).text
    answer = visitor.get("/workbench?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in answer.text
