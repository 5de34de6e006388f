"""Requests to systems whose URL a playbook names: to public addresses only, within a time limit.

Such a URL is not trusted. The name is resolved once, every address is checked, and the connection
goes to one of those addresses; a second lookup could give others (DNS rebinding). Host, SNI and
certificate use the name. Redirects are not followed.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 6598, 6052, 3056, 4380; Standard
Webhooks specification 1.0, "Server side request forgery"; OWASP SSRF Prevention Cheat Sheet.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Literal

from functions.core.domain.errors import DeskbellError
from functions.core.domain.webhooks import THIS_MACHINE, Endpoint

if TYPE_CHECKING:
    import socket
    import ssl

CONNECT_TIMEOUT = timedelta(seconds=2)
"""The limit for one address, so that the name's next address is tried in time."""

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
"""Global unicast addresses. Outside this range are loopback, IPv4-mapped addresses, NAT64
(64:ff9b::/96), unique-local (fd00:ec2::254 among them), link-local and multicast addresses."""

REFUSED_V6 = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
"""Refused within that range: Teredo and other protocol assignments, documentation, 6to4."""

Resolve = Callable[[str, int, float], list[str]]
"""Returns the addresses of a host and port within a number of seconds. Raises `Unreachable`."""


class OutgoingFailure(DeskbellError):
    """A request without a response. The error's text has no more of the URL than the host."""


class AddressRefused(OutgoingFailure):
    """No request may go to this URL, or to an address of its name."""


class Unreachable(OutgoingFailure):
    """The system did not answer in time, or not by HTTP; it may do so later."""


class NotConnected(Unreachable):
    """The system's name or address was out of reach: nothing was sent."""


@dataclass(frozen=True)
class OutgoingResponse:
    """A response. `body` is None if it is longer than the limit (`too_long`), or was not there in
    time. Header names are in lower case.
    """

    status: int
    body: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)
    too_long: bool = field(default=False, compare=False)


def is_public(address: str) -> bool:
    """Return whether an IP address, as `getaddrinfo` formats it, is on the public internet."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in REFUSED_V4)
    return ip in GLOBAL_V6 and not any(ip in network for network in REFUSED_V6)


def checked(endpoint: Endpoint, addresses: list[str], *, local: bool) -> list[str]:
    """Return the addresses to connect to, IPv4 first (Lambda has no IPv6 route by default).

    A single address that is not public refuses the name: a mixture of public and internal addresses
    is an attack.

    Args:
        local: this deployment may send to 127.0.0.1, without TLS.

    Raises:
        AddressRefused: an address of the name is not public.
    """
    for address in addresses:
        if local and address == THIS_MACHINE:
            continue
        if endpoint.scheme != "https" or not is_public(address):
            raise AddressRefused(f"refused: {endpoint.host} is {address}, not a public address")
    return sorted(addresses, key=lambda address: ":" in address)


def resolve(host: str, port: int, within: float) -> list[str]:
    """Resolve a name with the system's resolver, within a number of seconds."""
    import socket
    import threading

    outcome: list[Any] = []

    def look_up() -> None:
        try:
            outcome.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            outcome.append(error)

    # getaddrinfo takes no timeout.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(within)
    if not outcome or isinstance(outcome[0], Exception):
        reason = type(outcome[0]).__name__ if outcome else "no answer"
        raise NotConnected(f"{host} cannot be resolved: {reason}")
    return list(dict.fromkeys(str(info[4][0]) for info in outcome[0]))


def request(
    method: Literal["GET", "POST"],
    url: str,
    headers: Mapping[str, str],
    *,
    timeout: timedelta,
    limit: int,
    body: bytes | None = None,
    local: bool = False,
    resolver: Resolve = resolve,
    trust: ssl.SSLContext | None = None,
) -> OutgoingResponse:
    """Make one request and return the response, whatever its status.

    Args:
        timeout: the limit of resolving, connecting, sending and reading the response together.
        limit: the bytes of the response's body that are read.
        local: this deployment may send to 127.0.0.1, without TLS.
        trust: the certificate authorities to trust; the system's by default.

    Raises:
        OutgoingFailure: there is no response.
    """
    from http.client import HTTPException

    try:
        endpoint = Endpoint.of(url)
    except ValueError as error:
        raise AddressRefused(f"refused: {error}") from None
    deadline = time.monotonic() + timeout.total_seconds()
    found = resolver(endpoint.host, endpoint.port, timeout.total_seconds())
    addresses = checked(endpoint, found, local=local)
    failure: type[Unreachable] = NotConnected
    try:
        connection = _connect(endpoint, addresses, deadline, trust)
        failure = Unreachable
        try:
            return _exchange(connection, endpoint, method, body, headers, limit)
        finally:
            connection.end()
    except TimeoutError:
        raise failure(f"{endpoint.host} did not answer in time") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "verify_message", "") or type(error).__name__
        raise failure(f"{endpoint.host} cannot be reached: {reason}") from None


class _DeadlineSocket:
    """A socket whose operations share one deadline, with the methods that `http.client` needs."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(_left(self._deadline))
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._connection, self._deadline))

    def close(self) -> None:
        """Keep the connection: `http.client` closes it before the body is read (RFC 9112, 9.6)."""

    def end(self) -> None:
        self._connection.close()


class _DeadlineReader(io.RawIOBase):
    """The response. A socket's own timeout restarts with each byte of a slow response."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._deadline))
        return self._connection.recv_into(buffer)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connect(
    endpoint: Endpoint, addresses: list[str], deadline: float, trust: ssl.SSLContext | None
) -> _DeadlineSocket:
    """Connect to the first address that accepts, with TLS for the endpoint's name."""
    import socket

    failure: OSError = OSError("no address")
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(min(_left(deadline), CONNECT_TIMEOUT.total_seconds()))
            connection.connect((address, endpoint.port))
            if endpoint.scheme == "https":
                connection.settimeout(_left(deadline))
                connection = (trust or _system_trust()).wrap_socket(
                    connection, server_hostname=endpoint.host
                )
        except OSError as error:
            connection.close()
            failure = error
        else:
            return _DeadlineSocket(connection, deadline)
    raise failure


@lru_cache(maxsize=1)
def _system_trust() -> ssl.SSLContext:
    """The system's certificate authorities, loaded once."""
    import ssl

    return ssl.create_default_context()


def _exchange(
    connection: _DeadlineSocket,
    endpoint: Endpoint,
    method: str,
    body: bytes | None,
    headers: Mapping[str, str],
    limit: int,
) -> OutgoingResponse:
    from http.client import HTTPConnection, HTTPException

    http = HTTPConnection(endpoint.host, endpoint.port)
    http.sock = connection
    common = {"Host": endpoint.authority, "Connection": "close"}
    http.request(method, endpoint.target, body, {**common, **headers})
    response = http.getresponse()
    try:
        content = response.read(limit + 1)
    except (OSError, ValueError, HTTPException):
        content = None
    finally:
        response.close()
    too_long = content is not None and len(content) > limit
    received = {name.lower(): value for name, value in response.getheaders()}
    return OutgoingResponse(response.status, None if too_long else content, received, too_long)
