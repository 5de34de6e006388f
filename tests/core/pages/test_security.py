"""Headers of pages, and the proof that a form is our own."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from functions.core.domain.errors import Forbidden, InvalidInput
from functions.core.pages.forms import MAX_FIELDS, read_form
from functions.core.pages.security import (
    form_token,
    page_headers,
    require_form_token,
    require_own_page,
)
from functions.core.platform.settings import Deployment
from functions.core.platform.web import Request

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)


def request(body: bytes = b"", headers: Mapping[str, str] | None = None) -> Request:
    named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    deployment = Deployment("aws", "eu-west-1", "123456789012", "test")
    return Request("POST", deployment, NOW, headers=named, body=body)


@pytest.mark.requirement("H8")
def test_a_page_runs_only_our_own_scripts_and_styles() -> None:
    policy = page_headers()["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == directives["frame-ancestors"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert "unsafe" not in policy
    assert page_headers()["Referrer-Policy"] == "no-referrer"


def test_uploads_may_go_to_a_further_origin() -> None:
    policy = page_headers(connect=["https://files.example"])["Content-Security-Policy"]
    assert "connect-src 'self' https://files.example;" in policy


@pytest.mark.requirement("H8")
@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://evil.example", "host": "desk.example"},
        {"origin": "null", "host": "desk.example"},
    ],
)
def test_a_form_of_another_site_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        require_own_page(request(headers=headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-origin", "origin": "https://desk.example"},
        {"origin": "https://desk.example", "host": "desk.example"},
        {"origin": "https://desk.example", "host": "other", "x_forwarded_host": "desk.example"},
        {},  # no browser
    ],
)
def test_a_form_of_our_own_page_is_taken(headers: dict[str, str]) -> None:
    require_own_page(request(headers=headers))


def test_a_form_token_is_bound_to_its_session_and_purpose() -> None:
    token = form_token(b"session", "workbench")
    require_form_token(b"session", "workbench", token)
    for secret, purpose, sent in (
        (b"another", "workbench", token),
        (b"session", "other", token),
        (b"session", "workbench", ""),
    ):
        with pytest.raises(Forbidden):
            require_form_token(secret, purpose, sent)


def test_a_form_is_read_as_browsers_send_it() -> None:
    form = read_form(request(b"text=a%0D%0Ab&tag=x&tag=y&empty="))
    assert form == {"text": ["a\nb"], "tag": ["x", "y"], "empty": [""]}


@pytest.mark.parametrize("body", [b"\xff=1", b"&".join([b"a=1"] * (MAX_FIELDS + 1))])
def test_a_form_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_form(request(body))
