"""One webhook request, and the meaning of responses."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from functions.core.deliver import webhook
from functions.core.deliver.failures import Passing, Permanent
from functions.core.deliver.webhook import post
from tests.notify.webhook_receiver import Receiver

pytestmark = pytest.mark.requirement("G5")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as found:
        yield found


def send(receiver: Receiver, path: str = "/hooks", **more: Any) -> str:
    url = f"http://127.0.0.1:{receiver.port}{path}"
    return post(url, b'{"a":1}', {"webhook-id": "msg_1"}, local=True, **more)


def test_a_message_arrives_as_it_was_sent(receiver: Receiver) -> None:
    assert send(receiver, "/hooks?team=%E4%B8%80") == "HTTP 204"
    [got] = receiver.got
    assert got.path == "/hooks?team=%E4%B8%80"
    assert got.body == b'{"a":1}'
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize("status", [400, 401, 404, 405, 408, 409, 422, 429, 500, 502, 503, 504])
def test_a_refusal_is_a_passing_failure(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    with pytest.raises(Passing, match=f"answered {status}"):
        send(receiver)


def test_410_is_a_permanent_failure(receiver: Receiver) -> None:
    receiver.answers = [410]
    with pytest.raises(Permanent, match="answered 410"):
        send(receiver)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Location", receiver.url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    receiver.answers = [elsewhere]
    with pytest.raises(Passing, match=f"answered {status}"):
        send(receiver)
    assert len(receiver.got) == 1


def test_a_slow_endpoint_is_a_passing_failure(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", webhook.TIMEOUT / 10)
    gone_on = threading.Event()

    def silent(_handler: BaseHTTPRequestHandler) -> None:
        gone_on.wait(30)

    receiver.answers = [silent]
    with pytest.raises(Passing, match="did not answer in time"):
        send(receiver)
    gone_on.set()


def test_a_long_response_is_not_read(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", webhook.TIMEOUT / 10)
    gone_on = threading.Event()

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            handler.wfile.write(b"x" * 65536)

    def dripping(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        gone_on.wait(30)

    receiver.answers = [endless, dripping]
    assert send(receiver) == "HTTP 200"
    assert send(receiver) == "HTTP 200"
    gone_on.set()


@pytest.mark.parametrize("url", ["http://example.com/", "https://a@b/", "https://crm.example.com/"])
def test_an_url_that_no_request_may_go_to_is_a_permanent_failure(url: str) -> None:
    with pytest.raises(Permanent, match="refused"):
        post(url, b"{}", {}, local=True, resolver=lambda *_: ["10.0.0.1"])
