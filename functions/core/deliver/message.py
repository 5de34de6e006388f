"""Send messages on chat channels: one HTTP call to the channel's provider, without retries.

The adapter (`functions.core.channels.base`) builds the call and parses the response. This module
makes the call within time limits and caches the access token that some providers require until
shortly before it expires.
"""

import json
import time
from datetime import timedelta
from functools import lru_cache
from typing import Any

from functions.core.channels.base import (
    Adapter,
    HttpCall,
    OutgoingMessage,
    ProviderResult,
    Secret,
    Token,
    adapter,
)
from functions.core.deliver.failures import Passing, Permanent, Unclear
from functions.core.platform import aws, clock
from functions.core.platform.settings import Deployment
from functions.core.text.masking import mask

CONNECT_TIMEOUT = timedelta(seconds=3)
READ_TIMEOUT = timedelta(seconds=10)
RESPONSE_LIMIT = 64 * 1024
"""Bytes of a provider's response that are read."""

TOKEN_MARGIN = timedelta(minutes=5)
"""The time before its expiry at which a token is renewed."""


def send(deployment: Deployment, desk: str, channel: str, message: OutgoingMessage) -> str:
    """Send one message and return the provider's id of it, "" if it gives none.

    Raises:
        SendFailure: the message is not known to have gone out.
    """
    provider = adapter(channel)
    secret = aws.channel_secret(deployment, desk, channel, clock.now()) if provider else None
    if provider is None or secret is None:
        raise Permanent(f"the desk has no {channel} channel any more")
    result = _attempt(provider, secret, message, renew=False)
    if result.state == "renew":
        result = _attempt(provider, secret, message, renew=True)
    if result.state == "sent":
        return result.id
    # Providers may quote the message.
    raise (Permanent if result.state == "permanent" else Passing)(mask(result.cause))


def _attempt(
    channel: Adapter, secret: Secret, message: OutgoingMessage, *, renew: bool
) -> ProviderResult:
    try:
        token = _token(channel, secret, renew=renew)
        if isinstance(token, ProviderResult):
            return token
        call = channel.send(message, secret, token)
    except KeyError as error:
        raise Permanent(f"the desk's {channel.name} secret has no {error} to send with") from None
    return channel.outcome(*_call(channel.name, call))


@lru_cache(maxsize=1)
def token_cache() -> dict[str, tuple[str, float]]:
    """The access tokens of this container, with their expiry, by account."""
    return {}


def _token(channel: Adapter, secret: Secret, *, renew: bool) -> str | ProviderResult:
    call = channel.token_call(secret, renew=renew)
    if call is None:
        return ""
    account = f"{channel.name}:{json.dumps(dict(secret), sort_keys=True)}"
    cached, expires = token_cache().get(account, ("", 0.0))
    if cached and not renew and time.monotonic() < expires:
        return cached
    token = channel.token(*_call(channel.name, call))
    if not isinstance(token, Token):
        return token
    lifetime = max(token.seconds - TOKEN_MARGIN.total_seconds(), 0.0)
    token_cache()[account] = (token.value, time.monotonic() + lifetime)
    return token.value


def _call(channel: str, call: HttpCall) -> tuple[int, bytes]:
    """Call a provider and return the response's status and body.

    Raises:
        Passing: the provider cannot be reached, or the call may be repeated without harm.
        Unclear: the connection broke after the call was sent.
    """
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
    from urllib3.util import Timeout

    try:
        response = _pool().request(
            call.method,
            call.url,
            body=call.body,
            headers=dict(call.headers),
            timeout=Timeout(
                connect=CONNECT_TIMEOUT.total_seconds(), read=READ_TIMEOUT.total_seconds()
            ),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            return response.status, response.read(RESPONSE_LIMIT)
        finally:
            response.release_conn()
    except (ConnectTimeoutError, NewConnectionError) as error:
        raise Passing(f"{channel} cannot be reached: {type(error).__name__}") from None
    except HTTPError as error:
        # The URL may contain a token, so only the type of the failure is reported.
        kind = Passing if call.repeatable else Unclear
        raise kind(f"{channel} did not response: {type(error).__name__}") from None


@lru_cache(maxsize=1)
def _pool() -> Any:
    from urllib3 import PoolManager

    return PoolManager(num_pools=4)
