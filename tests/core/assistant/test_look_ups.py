"""Look-ups of the assistant: what is asked of a company's own system, and what comes of it (C4)."""

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler

import pytest
from standardwebhooks import Webhook as Verifier

from functions.core.assistant import look_ups
from functions.core.assistant.look_ups import LookUps, fetch
from functions.core.deliver.webhook import new_secret
from functions.core.domain.errors import DeskbellError
from functions.core.domain.playbook_assistant import Assistant
from functions.core.platform import outgoing
from infra.local.sample_source import asking_here, member, order
from tests.inprocess.conftest import ROOT, shipped
from tests.notify.webhook_receiver import Answer, Receiver

pytestmark = pytest.mark.requirement("C4", "G5")
KNOWN = {"order_number": "20261130001"}
SECRET = new_secret()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(look_ups, "_cache", {})
    with Receiver().listening() as found:
        yield found


def answer(status: int, body: bytes) -> Answer:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def state(name: str) -> Answer:
    return answer(200, json.dumps({"order": {"state": name}}).encode())


def look_up(
    receiver: Receiver,
    *,
    after: float = 0,
    secret: str | None = SECRET,
    known: Mapping[str, str] = KNOWN,
) -> dict[str, str]:
    playbook = shipped(ROOT / "playbooks" / "assisted.yaml")
    assert playbook.assistant is not None
    (name, source), *_ = playbook.assistant.sources.items()
    url = f"http://127.0.0.1:{receiver.port}/o/{{order_number}}"
    sources = {name: source.model_copy(update={"url": url})}
    assistant: Assistant = playbook.assistant.model_copy(update={"sources": sources})
    sources_of = LookUps(
        playbook.model_copy(update={"assistant": assistant}),
        {"orders": secret}.get,
        partial(fetch, local=True),
        datetime.now(UTC) + timedelta(seconds=after),
    )
    return sources_of.values(["order_state"], known, "en")


def test_a_value_is_looked_up_with_a_signature_over_path_and_query(receiver: Receiver) -> None:
    receiver.answers = [state("shipped")]
    assert look_up(receiver, known={"order_number": "A 1"}) == {"order_state": "shipped"}
    [got] = receiver.got
    assert got.path == "/o/A%201"
    Verifier(SECRET).verify(got.path, got.headers, json_parse=False)


def test_a_response_is_used_again_until_it_is_old(receiver: Receiver) -> None:
    receiver.answers = [state("shipped"), state("received")]
    assert look_up(receiver) == look_up(receiver, after=30) == {"order_state": "shipped"}
    assert len(receiver.got) == 1
    assert look_up(receiver, after=90) == {"order_state": "received"}


@pytest.mark.parametrize(
    "response",
    [
        404,
        204,
        500,
        answer(302, b"{}"),
        answer(200, b"shipped"),
        answer(200, b'{"order": {}}'),
        answer(200, b"[" * 60_000),
        answer(200, b'{"order": {"state": "shipped", "more": "' + b"x" * 65_536 + b'"}}'),
        answer(200, json.dumps({"order": {"state": "x" * 301}}).encode()),
    ],
)  # fmt: skip
def test_what_a_source_does_not_say_is_not_known(receiver: Receiver, response: Answer) -> None:
    receiver.answers = [response, state("shipped")]
    assert look_up(receiver) == {}
    assert look_up(receiver, after=1) == ({"order_state": "shipped"} if receiver.got[1:] else {})


def test_personal_data_in_a_value_is_masked(receiver: Receiver) -> None:
    receiver.answers = [state("快递员13812345678正在派送")]
    assert "13812345678" not in look_up(receiver)["order_state"]


@pytest.mark.parametrize("secret", [None, "", "whsec_", "not base64!"])
def test_no_request_goes_out_unsigned(receiver: Receiver, secret: str | None) -> None:
    assert look_up(receiver, secret=secret) == {}
    assert receiver.got == []


def test_without_the_number_nothing_is_asked(receiver: Receiver) -> None:
    assert look_up(receiver, known={}) == look_up(receiver, known={"order_number": ".."}) == {}
    assert receiver.got == []


def test_a_slow_source_is_not_waited_for(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(seconds=2) == look_ups.TIMEOUT
    monkeypatch.setattr(look_ups, "TIMEOUT", timedelta(seconds=0.2))

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(20):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            threading.Event().wait(0.05)

    receiver.answers = [drip]
    assert look_up(receiver) == {}


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "127.0.0.1", "fd00:ec2::254"])
def test_only_public_addresses_are_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(outgoing, "_connect", connect)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (address, 443))])
    with pytest.raises(DeskbellError, match="not a public address"):
        fetch("https://orders.example.com/1", {}, local=False)
    with pytest.raises(DeskbellError, match="refused"):
        fetch("http://orders.example.com/1", {}, local=True)


def test_a_local_desk_asks_the_sample_source_unless_it_has_its_own() -> None:
    shipped_desk = shipped(ROOT / "playbooks" / "assisted.yaml")
    first = asking_here(shipped_desk, "http://127.0.0.1:8700")
    here = asking_here(first, "http://127.0.0.1:8800")
    assert here.assistant is not None
    orders = here.assistant.sources["orders"]
    assert orders.url == "http://127.0.0.1:8800/_deskbell/sample/orders/{order_number}"
    elsewhere = orders.model_copy(update={"url": "https://shop.example.com/{order_number}"})
    own = here.assistant.model_copy(update={"sources": {"orders": elsewhere}})
    desk = here.model_copy(update={"assistant": own})
    assert asking_here(desk, "http://127.0.0.1:8700") == desk


def test_the_sample_source_says_the_same_of_an_order_each_time() -> None:
    """Each of its states has a label in the shipped playbook."""
    assistant = shipped(ROOT / "playbooks" / "assisted.yaml").assistant
    assert assistant is not None
    source = assistant.sources["orders"]
    said = set()
    for number in range(20261130001, 20261130013):
        found = order(str(number))
        assert found == order(str(number))
        for variable in source.values:
            value = source.value(found, variable, "zh-CN")
            assert value in {label["zh-CN"] for label in source.labels.values()}
            said.add(value)
    assert len(said) == len(source.labels)
    assert order("20261130000") is None
    assert order("我的订单") is None
    points = assistant.sources["members"]
    assert points.value(member("880012"), "points_balance", "en") == str(880012 % 5000)
