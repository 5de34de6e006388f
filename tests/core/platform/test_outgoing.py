"""One request to a system outside: permitted addresses, time limits, certificates."""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.webhooks import Endpoint
from functions.core.platform import outgoing
from functions.core.platform.outgoing import (
    AddressRefused,
    OutgoingResponse,
    Unreachable,
    checked,
    is_public,
    resolve,
)
from tests.notify.webhook_receiver import Authority, Receiver, authority

pytestmark = pytest.mark.requirement("G5")
NAME = "crm.example.com"
PUBLIC = "93.184.216.34"
INNER_NETWORKS = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "::1/128", "::/128",
    "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2002::/16",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32",
)  # fmt: skip


def post(url: str, *, timeout: float = 5.0, limit: int = 16, **more: Any) -> OutgoingResponse:
    within = timedelta(seconds=timeout)
    return outgoing.request("POST", url, {}, body=b"{}", timeout=within, limit=limit, **more)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.127.255.255",
        "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1",
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1",
        "::", "::1", "fd00:ec2::254", "fc00::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.216.34", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::5db8:d822", "64:ff9b:1::1", "2002:7f00:1::",
        "2002:5db8:d822::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
        "100::1", "3fff::1", "5f00::1",
        "", "localhost", "1.2.3", "0x7f.0.0.1", "2130706433",
    ],
)  # fmt: skip
def test_an_internal_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        PUBLIC, "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0",
        "169.253.0.1", "169.255.0.1", "192.167.255.255", "223.255.255.255", "2606:4700::1111",
        "2a00:1450::1", "2001:4860:4860::8888", "2400:3200::1",
    ],
)  # fmt: skip
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@st.composite
def _inner(draw: st.DrawFn) -> str:
    network = ipaddress.ip_network(draw(st.sampled_from(INNER_NETWORKS)))
    offset = draw(st.integers(0, network.num_addresses - 1))
    return str(network.network_address + offset)


@given(_inner())
def test_no_address_of_an_internal_network_is_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_a_public_address_is_global_for_the_standard_library(
    address: ipaddress.IPv4Address,
) -> None:
    """Its table is a second opinion; ours may be stricter, never laxer."""
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast


def test_a_name_with_one_internal_address_is_refused() -> None:
    endpoint = Endpoint.of(f"https://{NAME}/")
    for addresses in ([PUBLIC, "10.0.0.1"], ["fd00:ec2::254", PUBLIC]):
        with pytest.raises(AddressRefused, match="not a public address"):
            checked(endpoint, addresses, local=False)


def test_ipv4_is_tried_first() -> None:
    endpoint = Endpoint.of(f"https://{NAME}/")
    found = checked(endpoint, ["2606:4700::1111", PUBLIC], local=False)
    assert found == [PUBLIC, "2606:4700::1111"]


def test_only_local_deployments_may_send_to_this_machine() -> None:
    endpoint = Endpoint.of("http://127.0.0.1:9000/hooks")
    assert checked(endpoint, ["127.0.0.1"], local=True) == ["127.0.0.1"]
    with pytest.raises(AddressRefused):
        checked(endpoint, ["127.0.0.1"], local=False)
    for inner in ("127.0.0.2", "10.0.0.1", "169.254.169.254", "::1"):
        with pytest.raises(AddressRefused):
            checked(Endpoint.of(f"https://{NAME}/"), [inner], local=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "017700000001", "127.1", "localhost"])
def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    """The result of the system's resolver counts."""
    with pytest.raises((AddressRefused, Unreachable)):
        post(f"https://{host}/")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as found:
        yield found


def send(receiver: Receiver, **more: Any) -> OutgoingResponse:
    return post(receiver.url, local=True, **more)


class Slow:
    """An endpoint that has not answered before the test has gone on."""

    def __init__(self, drip: bytes) -> None:
        self.drip = drip
        self.gone_on = threading.Event()
        self.answered = False

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        if self.drip:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(1200):
            if self.gone_on.wait(0.05):
                return
            handler.wfile.write(self.drip)
        self.answered = True


@pytest.mark.parametrize("drip", [b"X-Drip: 1\r\n", b""])
def test_a_slow_endpoint_times_out(receiver: Receiver, drip: bytes) -> None:
    """A silent one and one that answers byte by byte."""
    slow = Slow(drip)
    receiver.answers = [slow]
    with pytest.raises(Unreachable, match="did not answer in time"):
        send(receiver, timeout=0.5)
    slow.gone_on.set()
    assert not slow.answered


@pytest.mark.parametrize(("size", "body"), [(16, b"x" * 16), (17, None), (0, b"")])
def test_a_body_is_read_up_to_the_limit(receiver: Receiver, size: int, body: bytes | None) -> None:
    receiver.answers = [
        lambda handler: _write(handler, f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n", size)
    ]
    assert send(receiver) == OutgoingResponse(200, body)


def _write(handler: BaseHTTPRequestHandler, head: str, size: int) -> None:
    handler.wfile.write(head.encode() + b"x" * size)


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_a_body_that_comes_after_its_head_is_read(receiver: Receiver, version: str) -> None:
    """The server closes the connection after it, as it was asked to."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        head = f"{version} 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n"
        for part in (head.encode(), b"he", b"llo"):
            handler.wfile.write(part)
            handler.wfile.flush()
            time.sleep(0.05)

    receiver.answers.append(answer)
    assert send(receiver) == OutgoingResponse(200, b"hello")


@pytest.mark.parametrize("response", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b""])
def test_a_response_that_is_not_http_is_unreachable(receiver: Receiver, response: bytes) -> None:
    def other(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(response)

    receiver.answers = [other]
    with pytest.raises(Unreachable, match="cannot be reached"):
        send(receiver)


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unreachable, match="cannot be reached"):
        post(f"http://127.0.0.1:{port}/", local=True)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls"), NAME)


def test_the_connection_goes_to_the_checked_address_under_the_name(signed: Authority) -> None:
    """Resolved once (no DNS rebinding); certificate, SNI and Host are the name's."""
    asked = []

    def rebinding(host: str, port: int, within: float) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    with Receiver().listening(signed.server) as receiver:
        url = f"https://{NAME}:{receiver.port}/hooks"
        response = post(url, local=True, resolver=rebinding, trust=signed.trust)
        assert response.status == 204
        assert asked == [NAME]
        assert receiver.names == [NAME]
        assert receiver.got[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_a_certificate_of_another_name_is_refused(signed: Authority) -> None:
    with Receiver().listening(signed.server) as receiver:
        url = f"https://other.example.com:{receiver.port}/"
        with pytest.raises(Unreachable, match="Hostname mismatch"):
            post(url, local=True, resolver=lambda *_: ["127.0.0.1"], trust=signed.trust)
        assert receiver.got == []


def test_a_certificate_of_an_unknown_authority_is_refused(signed: Authority) -> None:
    with Receiver().listening(signed.server) as receiver:
        url = f"https://{NAME}:{receiver.port}/"
        with pytest.raises(Unreachable, match="unable to get local issuer"):
            post(url, local=True, resolver=lambda *_: ["127.0.0.1"])


def test_a_refused_address_is_never_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:

    def connect(*_: Any) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(outgoing, "_connect", connect)
    for address in ("10.0.0.1", "169.254.169.254", "fd00:ec2::254", "::ffff:127.0.0.1"):
        with pytest.raises(AddressRefused, match="refused"):
            post(f"https://{NAME}/", resolver=lambda *_, a=address: [PUBLIC, a])


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://example.com/", "https://a@b/", "x"])
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused, match="refused"):
        post(url, local=True)


def test_the_systems_resolver_is_used() -> None:
    assert resolve("127.0.0.1", 443, 5.0) == ["127.0.0.1"]
    with pytest.raises(Unreachable, match="cannot be resolved"):
        resolve("nobody.invalid", 443, 5.0)
    with pytest.raises(Unreachable, match="cannot be resolved: UnicodeError"):
        resolve("a" * 64 + ".example.com", 443, 5.0)


def test_a_resolver_that_hangs_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(0.5))
    with pytest.raises(Unreachable, match="no answer"):
        resolve(NAME, 443, 0.1)
