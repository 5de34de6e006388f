"""The client calls again where that is harmless, follows pages, and renews its token."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from deskbell.client import TRIES, ApiError, Deskbell, NoAnswer
from infra.deploy.steps import ROOT

pytestmark = pytest.mark.requirement("G14")
OPEN = {"token": "t1", "expires_at": "2099-01-01T00:00:00+00:00", "refresh_token": "r", "agent": {}}


class Api:
    """A server with prepared answers: status, JSON and headers; it records the calls."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any, dict[str, str]]] = []
        self.calls: list[tuple[str, str, Any, dict[str, str]]] = []
        self.waited: list[float] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                api.calls.append((self.command, self.path, json.loads(body or "null"), headers))
                status, found, more = api.answers.pop(0)
                raw = json.dumps(found).encode()
                self.send_response(status)
                for name, value in {**more, "Content-Length": str(len(raw))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PUT = answer  # noqa: N815 - the library's names

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def client(self) -> Deskbell:
        port = self.server.server_address[1]
        return Deskbell(f"http://127.0.0.1:{port}", language="en", sleep=self.waited.append)

    def will(self, status: int, found: Any = None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, found or {}, named))

    def signed_in(self, **session: Any) -> Deskbell:
        self.will(200, {**OPEN, **session})
        return self.client.sign_in("a", "b")


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_request_is_filed_again_under_its_key_until_it_is_answered(api: Api) -> None:
    api.will(503, Retry_After="7")
    api.will(504)
    api.will(201, {"number": "CS1"})
    filed = api.client.file("standard", contact="a@example.com", description="x")
    assert filed == {"number": "CS1"}
    assert len({headers["idempotency-key"] for *_, headers in api.calls}) == 1
    assert api.calls[0][3]["accept-language"] == "en"
    assert api.waited[0] == 7
    assert 1 <= api.waited[1] <= 2


def test_a_spent_budget_is_not_waited_for(api: Api) -> None:
    desk = api.signed_in().desk("standard")
    api.will(429, {"title": "", "status": 429, "detail": "spent until tomorrow"})
    with pytest.raises(ApiError, match="spent until tomorrow"):
        desk.act("CS1", "draft")
    assert api.waited == []


@pytest.mark.parametrize(("status", "calls"), [(503, 2), (429, 2), (504, 1), (409, 1)])
def test_a_call_without_a_key_is_repeated_only_if_nothing_was_changed(
    api: Api, status: int, calls: int
) -> None:
    desk = api.signed_in().desk("standard")
    api.will(status, {"title": "", "status": status, "detail": "why", "allowed": ["note"]})
    api.will(200, {"number": "CS1"})
    if calls == 2:
        assert desk.act("CS1", "open-contact", reason="x")["number"] == "CS1"
    else:
        with pytest.raises(ApiError, match=f"{status} why") as refused:
            desk.act("CS1", "open-contact", reason="x")
        assert refused.value.problem["allowed"] == ["note"]
    assert len(api.calls) == 1 + calls
    assert api.calls[1][3]["authorization"] == "Bearer t1"


def test_it_gives_up_after_some_tries(api: Api) -> None:
    for _ in range(TRIES):
        api.will(503)
    with pytest.raises(ApiError):
        api.client.ticket(f"{api.client.url}/desks/a/tickets/1?key=k").status()
    assert len(api.calls) == TRIES
    with pytest.raises(NoAnswer):
        Deskbell("http://127.0.0.1:1", sleep=api.waited.append).desk("a").ticket("1")
    assert len(api.waited) == 2 * (TRIES - 1)


def test_pages_are_followed(api: Api) -> None:
    desk = api.signed_in().desk("standard")
    api.will(200, {"tickets": [{"number": "1"}], "cursor": "c d"})
    api.will(200, {"tickets": [{"number": "2"}], "cursor": None})
    assert [ticket["number"] for ticket in desk.tickets("team")] == ["1", "2"]
    assert api.calls[-1][1].endswith("?queue=team&cursor=c+d")


def test_a_token_that_ends_soon_is_renewed(api: Api) -> None:
    desk = api.signed_in(expires_at="2020-01-01T00:00:00+00:00").desk("standard")
    api.will(200, {"token": "t2", "expires_at": OPEN["expires_at"]})
    api.will(200, {"online": True})
    desk.set_online(True)
    assert api.calls[1][1:3] == ("/session/refresh", {"refresh_token": "r"})
    assert api.calls[2][3]["authorization"] == "Bearer t2"


def test_an_authenticator_s_code_is_asked_for(api: Api) -> None:
    api.will(200, {"challenge": "SOFTWARE_TOKEN_MFA", "session": "s"})
    api.will(200, OPEN)
    assert api.client.sign_in("a", "b", lambda: "123456").session == OPEN
    assert api.calls[1][2] == {"session": "s", "code": "123456"}


def test_a_customer_writes_confirms_and_rates_by_the_link(api: Api) -> None:
    ticket = api.client.ticket(f"{api.client.url}/desks/a/tickets/1?key=k")
    for _ in range(3):
        api.will(200)
    ticket.write("x")
    ticket.confirm(solved=True)
    ticket.rate(5)
    calls = ("messages", "confirmation", "survey")
    assert [path for _, path, *_ in api.calls] == [f"/desks/a/tickets/1/{c}?key=k" for c in calls]
    assert "idempotency-key" in api.calls[0][3]


def test_it_needs_the_standard_library_only() -> None:
    code = f"import sys; sys.path = [{str(ROOT)!r}, *[p for p in sys.path if 'site-' not in p]]; "
    loaded = "import deskbell.client; print([m for m in sys.modules if m.startswith('functions')])"
    command = [sys.executable, "-I", "-S", "-c", code + loaded]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
