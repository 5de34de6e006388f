"""Webhooks by HTTPS: to public addresses only, in bounded time, never further than asked (G5).

Whoever edits a playbook chooses the URL, so it is treated as a stranger's. The name is resolved
once, every address that it stands for is looked at, and the connection is made to one of those very
addresses; nothing is resolved again, so a name cannot answer differently the second time (DNS
rebinding). Host, SNI and certificate are the name's. Redirects are an answer like any other that is
not 2xx.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 6598, 6052, 3056, 4380; Standard
Webhooks specification 1.0, "Server side request forgery"; OWASP SSRF Prevention Cheat Sheet.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from functions.core.domain.webhooks import (
    THIS_MACHINE,
    Endpoint,
    sign_standard_webhook,
    valid_secrets,
)
from functions.notify.deliver.failures import Passing, Permanent, sorted_failures

if TYPE_CHECKING:
    import socket
    import ssl

    from mypy_boto3_ssm import SSMClient

TIMEOUT = timedelta(seconds=5)
"""Resolving, connecting, sending and the answer, all together."""

CONNECT_TIMEOUT = timedelta(seconds=2)
"""For one address, so that a name's next one gets its turn."""

ANSWER_LIMIT = 16 * 1024
"""Bytes that are read of an answer's body at most; they are not kept."""

SECRET_TTL = timedelta(minutes=5)
"""How long a container trusts the secrets that it has read."""

REFUSED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
"""Private, shared (CGNAT), loopback, link-local with the metadata services, documentation,
benchmarking, multicast, reserved and broadcast."""

GLOBAL_V6 = IPv6Network("2000::/3")
"""All that is given out for use on the internet. Outside lie loopback, IPv4-mapped addresses, NAT64
(64:ff9b::/96), unique-local (fd00:ec2::254 among them), link-local and multicast addresses."""

REFUSED_V6 = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
"""Within it: Teredo and other protocol assignments, documentation, 6to4."""

Resolve = Callable[[str, int], list[str]]
"""The addresses that a name stands for, as texts. Raises `Passing`."""


def is_public(address: str) -> bool:
    """Whether an IP address (as `getaddrinfo` writes it) belongs to the public internet."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in REFUSED_V4)
    return ip in GLOBAL_V6 and not any(ip in network for network in REFUSED_V6)


def checked(endpoint: Endpoint, addresses: list[str], *, local: bool) -> list[str]:
    """The addresses that may be connected to, IPv4 first (Lambda has no way to others by itself).

    One that may not refuses the name: a name that stands for public and for inner addresses is an
    attempt to get in.

    Args:
        local: this deployment may send to 127.0.0.1, and there without TLS.

    Raises:
        Permanent: the name stands for an address that no webhook goes to.
    """
    for address in addresses:
        if local and address == THIS_MACHINE:
            continue
        if endpoint.scheme != "https" or not is_public(address):
            raise Permanent(f"refused: {endpoint.host} is {address}, no public address")
    return sorted(addresses, key=lambda address: ":" in address)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, by the system's resolver, within `TIMEOUT`."""
    import socket
    import threading

    found: list[Any] = []

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    # The call cannot be given an end of its own.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(TIMEOUT.total_seconds())
    if not found or isinstance(found[0], Exception):
        why = type(found[0]).__name__ if found else "no answer"
        raise Passing(f"{host} cannot be resolved: {why}")
    return list(dict.fromkeys(str(info[4][0]) for info in found[0]))


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    local: bool = False,
    resolver: Resolve = resolve,
    trust: ssl.SSLContext | None = None,
) -> str:
    """Post one message; the answer's status, `HTTP 204`, where it was accepted (2xx).

    Args:
        trust: the authorities whose certificates count; the system's without it.

    Raises:
        Passing: not accepted, or not heard of in time; it may be accepted later.
        Permanent: 410, or the address is none that a webhook may go to.
    """
    from http.client import HTTPException

    try:
        endpoint = Endpoint.of(url)
    except ValueError as error:
        raise Permanent(f"refused: {error}") from None
    end = time.monotonic() + TIMEOUT.total_seconds()
    addresses = checked(endpoint, resolver(endpoint.host, endpoint.port), local=local)
    try:
        wire = _connected(endpoint, addresses, end, trust)
        try:
            status = _exchange(wire, endpoint, body, headers)
        finally:
            wire.close()
    except TimeoutError:
        raise Passing(f"{endpoint.host} did not answer in time") from None
    except (OSError, HTTPException) as error:
        why = getattr(error, "verify_message", "") or type(error).__name__
        raise Passing(f"{endpoint.host} cannot be reached: {why}") from None
    if status == 410:
        raise Permanent(f"{endpoint.host} answered 410: it wants no more; see the playbook")
    if not 200 <= status < 300:
        raise Passing(f"{endpoint.host} answered {status}")
    return f"HTTP {status}"


class _Wire:
    """A connection whose every operation ends by one common moment; what `http.client` needs."""

    def __init__(self, connection: socket.socket, end: float) -> None:
        self._connection = connection
        self._end = end

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(_left(self._end))
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._connection, self._end))

    def close(self) -> None:
        self._connection.close()


class _Incoming(io.RawIOBase):
    """What comes in. A socket's own timeout begins anew with each byte of a slow answer."""

    def __init__(self, connection: socket.socket, end: float) -> None:
        super().__init__()
        self._connection = connection
        self._end = end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._end))
        return self._connection.recv_into(buffer)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connected(
    endpoint: Endpoint, addresses: list[str], end: float, trust: ssl.SSLContext | None
) -> _Wire:
    """A connection to the first address that takes one, spoken to as the endpoint's name."""
    import socket

    trouble: OSError = OSError("no address")
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(min(_left(end), CONNECT_TIMEOUT.total_seconds()))
            connection.connect((address, endpoint.port))
            if endpoint.scheme == "https":
                connection.settimeout(_left(end))
                connection = (trust or _trust()).wrap_socket(
                    connection, server_hostname=endpoint.host
                )
        except OSError as error:
            connection.close()
            trouble = error
        else:
            return _Wire(connection, end)
    raise trouble


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The system's authorities, read once."""
    import ssl

    return ssl.create_default_context()


def _exchange(wire: _Wire, endpoint: Endpoint, body: bytes, headers: Mapping[str, str]) -> int:
    """Send the request and read its answer, as far as anything is read of it."""
    from http.client import HTTPConnection

    speaking = HTTPConnection(endpoint.host, endpoint.port)
    speaking.sock = wire
    known = {
        "Host": endpoint.authority,
        "Content-Type": "application/json",
        "User-Agent": "Deskbell-Webhooks/1",
        "Connection": "close",
    }
    speaking.request("POST", endpoint.target, body, {**known, **headers})
    answer = speaking.getresponse()
    try:
        answer.read(ANSWER_LIMIT)
    except (OSError, ValueError):
        pass  # the status has been heard; what else it says is not kept
    finally:
        answer.close()
    return answer.status


class Secrets:
    """The endpoints' secrets, read by `read(parameter)` and kept for `SECRET_TTL`."""

    def __init__(
        self, read: Callable[[str], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}

    def of(self, parameter: str, now: datetime) -> tuple[str, ...]:
        """Those that are valid, newest first.

        Raises:
            SendFailure: they cannot be read, or there are none.
        """
        at = self._clock()
        read, document = self._kept.get(parameter, (0.0, ""))
        if not document or at - read >= SECRET_TTL.total_seconds():
            document = self._read(parameter)
            self._kept[parameter] = (at, document)
        found = tuple(filter(_signs, valid_secrets(document, now)))
        if not found:
            raise Passing("there is no valid secret: deskbell webhooks rotate")
        return found


def _signs(secret: object) -> bool:
    """Whether a secret is one; whoever wrote it by hand may have written anything."""
    try:
        return isinstance(secret, str) and bool(sign_standard_webhook(secret, "", 0, b""))
    except ValueError:
        return False


def read_secret(client: SSMClient, parameter: str) -> str:
    """A parameter with an endpoint's secrets. Raises `SendFailure`."""
    with sorted_failures("SSM"):
        try:
            answer = client.get_parameter(Name=parameter, WithDecryption=True)
        except client.exceptions.ParameterNotFound:
            raise Passing("there is no secret: deskbell webhooks rotate") from None
    return answer["Parameter"]["Value"]
