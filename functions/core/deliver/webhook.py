"""Post webhooks over HTTPS, with the checks of `core.platform.outgoing` (G5).

A redirect is a failure like any other status that is not 2xx.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from functions.core.deliver.failures import Passing, Permanent, classified_failures
from functions.core.domain.webhooks import sign_standard_webhook, valid_secrets
from functions.core.platform.outgoing import (
    AddressRefused,
    OutgoingFailure,
    Resolve,
    request,
    resolve,
)

if TYPE_CHECKING:
    import ssl

    from mypy_boto3_ssm import SSMClient

TIMEOUT = timedelta(seconds=5)
"""The limit of resolving, connecting, sending and reading the response together."""

RESPONSE_LIMIT = 16 * 1024
"""Bytes of a response's body that are read; they are discarded."""

SECRET_BYTES = 32

SECRET_TTL = timedelta(minutes=5)
"""The time for which a container caches secrets."""


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
    common = {"Content-Type": "application/json", "User-Agent": "Deskbell-Webhooks/1"}
    try:
        response = request(
            "POST",
            url,
            {**common, **headers},
            timeout=TIMEOUT,
            limit=RESPONSE_LIMIT,
            body=body,
            local=local,
            resolver=resolver,
            trust=trust,
        )
    except AddressRefused as error:
        raise Permanent(str(error)) from None
    except OutgoingFailure as error:
        raise Passing(str(error)) from None
    host = urlsplit(url).hostname
    if response.status == 410:
        raise Permanent(f"{host} answered 410: remove its webhook from the playbook")
    if not 200 <= response.status < 300:
        raise Passing(f"{host} answered {response.status}")
    return f"HTTP {response.status}"


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


def new_secret() -> str:
    """Return a new secret of the form that Standard Webhooks requires."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode('ascii')}"


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
