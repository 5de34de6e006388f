"""Post webhooks over HTTPS: to public addresses only, within a time limit, without redirects (G5).

The URL comes from a playbook, so it is not trusted. The name is resolved once, every address is
checked, and the connection goes to one of those addresses; a second lookup could give others (DNS
rebinding). Host, SNI and certificate use the name. A redirect is a failure like any other status
that is not 2xx.

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
from functions.notify.deliver.failures import Passing, Permanent, classified_failures

if TYPE_CHECKING:
    import socket
    import ssl

    from mypy_boto3_ssm import SSMClient

TIMEOUT = timedelta(seconds=5)
"""The limit of resolving, connecting, sending and reading the response together."""

CONNECT_TIMEOUT = timedelta(seconds=2)
"""The limit for one address, so that the name's next address is tried in time."""

RESPONSE_LIMIT = 16 * 1024
"""Bytes of a response's body that are read; they are discarded."""

SECRET_TTL = timedelta(minutes=5)
"""The time for which a container caches secrets."""

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

Resolve = Callable[[str, int], list[str]]
"""Returns the addresses of a host and port. Raises `Passing`."""


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
        Permanent: an address of the name is not public.
    """
    for address in addresses:
        if local and address == THIS_MACHINE:
            continue
        if endpoint.scheme != "https" or not is_public(address):
            raise Permanent(f"refused: {endpoint.host} is {address}, not a public address")
    return sorted(addresses, key=lambda address: ":" in address)


def resolve(host: str, port: int) -> list[str]:
    """Resolve a name with the system's resolver, within `TIMEOUT`."""
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
    thread.join(TIMEOUT.total_seconds())
    if not outcome or isinstance(outcome[0], Exception):
        reason = type(outcome[0]).__name__ if outcome else "no answer"
        raise Passing(f"{host} cannot be resolved: {reason}")
    return list(dict.fromkeys(str(info[4][0]) for info in outcome[0]))


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    local: bool = False,
    resolver: Resolve = resolve,
    trust: ssl.SSLContext | None = None,
) -> str:
    """Post one message and return the status of the response, such as `HTTP 204`.

    Args:
        trust: the certificate authorities to trust; the system's by default.

    Raises:
        Passing: the endpoint did not accept the message (2xx) in time; it may do so later.
        Permanent: the endpoint answered 410, or no webhook may go to its address.
    """
    from http.client import HTTPException

    try:
        endpoint = Endpoint.of(url)
    except ValueError as error:
        raise Permanent(f"refused: {error}") from None
    deadline = time.monotonic() + TIMEOUT.total_seconds()
    addresses = checked(endpoint, resolver(endpoint.host, endpoint.port), local=local)
    try:
        connection = _connect(endpoint, addresses, deadline, trust)
        try:
            status = _exchange(connection, endpoint, body, headers)
        finally:
            connection.close()
    except TimeoutError:
        raise Passing(f"{endpoint.host} did not answer in time") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "verify_message", "") or type(error).__name__
        raise Passing(f"{endpoint.host} cannot be reached: {reason}") from None
    if status == 410:
        raise Permanent(f"{endpoint.host} answered 410: remove its webhook from the playbook")
    if not 200 <= status < 300:
        raise Passing(f"{endpoint.host} answered {status}")
    return f"HTTP {status}"


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
    connection: _DeadlineSocket, endpoint: Endpoint, body: bytes, headers: Mapping[str, str]
) -> int:
    """Send the request and return the status of the response."""
    from http.client import HTTPConnection

    http = HTTPConnection(endpoint.host, endpoint.port)
    http.sock = connection
    common = {
        "Host": endpoint.authority,
        "Content-Type": "application/json",
        "User-Agent": "Deskbell-Webhooks/1",
        "Connection": "close",
    }
    http.request("POST", endpoint.target, body, {**common, **headers})
    response = http.getresponse()
    try:
        response.read(RESPONSE_LIMIT)
    except (OSError, ValueError):
        pass  # the status is known, and the body is discarded
    finally:
        response.close()
    return response.status


class SecretCache:
    """The endpoints' secrets, read by `read(parameter)` and cached for `SECRET_TTL`."""

    def __init__(
        self, read: Callable[[str], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._cached: dict[str, tuple[float, str]] = {}

    def valid(self, parameter: str, now: datetime) -> tuple[str, ...]:
        """Return the valid secrets of a parameter, newest first.

        Raises:
            SendFailure: the parameter cannot be read or contains no valid secret.
        """
        clock = self._clock()
        read_at, document = self._cached.get(parameter, (0.0, ""))
        if not document or clock - read_at >= SECRET_TTL.total_seconds():
            document = self._read(parameter)
            self._cached[parameter] = (clock, document)
        secrets = tuple(filter(_can_sign, valid_secrets(document, now)))
        if not secrets:
            raise Passing("there is no valid secret: deskbell webhooks rotate")
        return secrets


def _can_sign(secret: object) -> bool:
    """Return whether a secret can sign; one written by hand may contain anything."""
    try:
        return isinstance(secret, str) and bool(sign_standard_webhook(secret, "", 0, b""))
    except ValueError:
        return False


def read_secret(client: SSMClient, parameter: str) -> str:
    """Read the parameter with an endpoint's secrets. Raises `SendFailure`."""
    with classified_failures("SSM"):
        try:
            response = client.get_parameter(Name=parameter, WithDecryption=True)
        except client.exceptions.ParameterNotFound:
            raise Passing("there is no secret: deskbell webhooks rotate") from None
    return response["Parameter"]["Value"]
