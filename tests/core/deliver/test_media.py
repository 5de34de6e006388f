"""Files of chat providers: which calls are made at all."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from functions.core.channels.base import Adapter, adapter
from functions.core.deliver import media
from functions.core.deliver.failures import Passing, Permanent
from functions.core.deliver.media import NotTheProvider, TooLong
from functions.core.platform import outgoing
from functions.core.platform.outgoing import OutgoingResponse
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import as_json

pytestmark = pytest.mark.requirement("D10", "G3")
JSON = {"content-type": "application/json"}
Answer = Callable[[str], OutgoingResponse]


def provider_of(name: str) -> tuple[Adapter, Mapping[str, Any]]:
    found = adapter(name)
    assert found is not None
    return found, FAKE_PROVIDERS[name].secret


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The addresses that were called, with the token; each answers with its own address."""
    calls: list[tuple[str, str]] = []

    def request(_method: str, url: str, headers: Any, **_: Any) -> OutgoingResponse:
        calls.append((url, headers.get("Authorization", "")))
        if "graph.facebook.com" in url:
            leads = {"messaging_product": "whatsapp", "url": "https://lookaside.fbsbx.com/f?mid=1"}
            return OutgoingResponse(200, as_json(leads), JSON)
        return OutgoingResponse(200, b"\xff\xd8\xff", {"content-type": "image/jpeg"})

    monkeypatch.setattr(media, "request", request)
    return calls


def test_a_file_of_whatsapp_takes_two_calls_with_the_token(called: list[tuple[str, str]]) -> None:
    found = media.fetch(*provider_of("whatsapp"), "1001", limit=100)
    assert (found.content, found.content_type) == (b"\xff\xd8\xff", "image/jpeg")
    token = "Bearer an access token for tests"
    assert called == [
        ("https://graph.facebook.com/v23.0/1001?phone_number_id=200000000000001", token),
        ("https://lookaside.fbsbx.com/f?mid=1", token),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://media.example.com/1.jpg", "https://fbcdn.net.example.com/1.jpg",
        "https://notfbcdn.net/1.jpg", "http://scontent.fbcdn.net/1.jpg",
        "https://scontent.fbcdn.net@10.0.0.1/1.jpg", "http://127.0.0.1/1.jpg",
        "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "fbcdn.net", "",
    ],
)  # fmt: skip
def test_no_other_host_is_called(called: list[tuple[str, str]], url: str) -> None:
    with pytest.raises(NotTheProvider):
        media.fetch(*provider_of("messenger"), url, limit=100)
    assert called == []


def test_a_name_of_the_provider_s_that_leads_inside_is_refused() -> None:
    """The name is resolved by the test, and nothing is connected to."""
    for address in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "::1"):
        with pytest.raises(NotTheProvider, match="not a public address"):
            media.fetch(
                *provider_of("messenger"),
                "https://scontent.xx.fbcdn.net/1.jpg",
                limit=100,
                resolver=lambda *_, found=address: [found],
            )


@pytest.mark.parametrize(
    ("response", "failure"),
    [
        (OutgoingResponse(200, None, {"content-length": "900"}, too_long=True), TooLong),
        (OutgoingResponse(200, None), Passing),
        (OutgoingResponse(302, b"", {"location": "https://example.com/"}), Permanent),
        (OutgoingResponse(404, b"gone"), Permanent),
        (OutgoingResponse(503, b""), Passing),
        (outgoing.Unreachable("cdn did not answer in time"), Passing),
    ],
)
def test_what_is_no_file_has_a_reason(
    monkeypatch: pytest.MonkeyPatch, response: Any, failure: type[Exception]
) -> None:
    def request(*_: Any, **__: Any) -> OutgoingResponse:
        if isinstance(response, Exception):
            raise response
        assert isinstance(response, OutgoingResponse)
        return response

    monkeypatch.setattr(media, "request", request)
    with pytest.raises(failure) as caught:
        media.fetch(*provider_of("messenger"), "https://cdn.fbsbx.com/1.pdf", limit=100)
    assert isinstance(caught.value, TooLong) is (failure is TooLong)
    assert getattr(caught.value, "size", 900) == 900


def test_addresses_that_lead_in_circles_end(
    called: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def request(_method: str, url: str, _headers: Any, **_: Any) -> OutgoingResponse:
        calls.append(url)
        leads = {"messaging_product": "whatsapp", "url": "https://lookaside.fbsbx.com/f"}
        return OutgoingResponse(200, as_json(leads), JSON)

    monkeypatch.setattr(media, "request", request)
    with pytest.raises(Permanent, match="from address to address"):
        media.fetch(*provider_of("whatsapp"), "1001", limit=100)
    assert len(calls) == media.MAX_CALLS
