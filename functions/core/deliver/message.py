"""Call the providers of chat channels, above all to send: one HTTP call each, without retries.

The adapter (`functions.core.channels.base`) builds the call and parses the response. This module
makes the call within time limits and caches the access token that some providers require until
shortly before it expires.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID, uuid5

from functions.core.channels.base import (
    Adapter,
    HttpCall,
    OutgoingMessage,
    ProviderResult,
    Secret,
    Token,
    adapter,
)
from functions.core.deliver.failures import Closed, Passing, Permanent, SendFailure, Unclear
from functions.core.platform import aws, clock
from functions.core.platform.settings import Deployment
from functions.core.text.masking import mask

CONNECT_TIMEOUT = timedelta(seconds=3)
READ_TIMEOUT = timedelta(seconds=10)
RESPONSE_LIMIT = 64 * 1024
"""Bytes of a provider's response to a message that are read."""

Read = TypeVar("Read")

TOKEN_MARGIN = timedelta(minutes=5)
"""The time before its expiry at which a token is renewed."""


def send(deployment: Deployment, desk: str, channel: str, message: OutgoingMessage) -> str:
    """Send a message, in parts if it is too long for one, and return the provider's id of the last,
    "" if it gives none. The choices are under the last part.

    Raises:
        SendFailure: the message is not known to have gone out; `Unclear` if a part of it has.
    """
    provider = adapter(channel)
    secret = aws.channel_secret(deployment, desk, channel, clock.now()) if provider else None
    if provider is None or secret is None:
        raise Permanent(f"the desk has no {channel} channel any more")
    *earlier, last = provider.parts(message.text)
    try:
        sent = 0
        for sent, text in enumerate(earlier):
            key = str(uuid5(UUID(message.key), str(sent))) if message.key else ""
            _send_one(provider, secret, replace(message, text=text, key=key, choices=()))
        sent = len(earlier)
        return _send_one(provider, secret, replace(message, text=last))
    except SendFailure as failure:
        if sent:
            raise Unclear(f"{sent} of {len(earlier) + 1} parts were sent; {failure}") from failure
        raise


def _send_one(channel: Adapter, secret: Secret, message: OutgoingMessage) -> str:
    result = _attempt(channel, secret, message)
    if result.state == "permanent" and (freed := _unblock(channel, secret, message, result)):
        result = _attempt(channel, secret, message) if freed.state == "sent" else freed
    if result.state == "sent":
        return result.id
    raise failure_of(result)


def failure_of(result: ProviderResult) -> SendFailure:
    """Return the failure that a provider's result means."""
    kind = Closed if result.closed else Permanent if result.state == "permanent" else Passing
    return kind(mask(result.cause))  # providers may quote the message


def check(channel: Adapter, secret: Secret) -> ProviderResult | None:
    """Ask the provider whether a secret is valid: `sent` if it is; None if nobody can be asked.

    Raises:
        SendFailure: the provider cannot be reached.
    """
    try:
        asked = channel.token_call(secret, renew=False)
        token = channel.token(*call_provider(channel.name, asked)) if asked else Token("", 0)
        if isinstance(token, ProviderResult):
            return token
        call = channel.check_call(secret, token.value)
    except KeyError:
        return None  # a secret that only receives
    if call is None:
        return ProviderResult("sent") if asked else None
    return channel.checked(*call_provider(channel.name, call))


def ask(
    channel: Adapter,
    secret: Secret,
    build: Callable[[str], HttpCall],
    read: Callable[[int, bytes], Read | ProviderResult],
    limit: int = RESPONSE_LIMIT,
) -> Read | ProviderResult:
    """Make a call with an access token, and again with a new one if the provider refuses it.

    Args:
        build: returns the call with a token, "" if the provider needs none.
        read: reads the response: status, and body up to `limit` bytes.

    Raises:
        SendFailure: the call was not made, or has no response.
    """
    for renew in (False, True):
        try:
            token = access_token(channel, secret, renew=renew)
            if isinstance(token, ProviderResult):
                return token
            call = build(token)
        except KeyError as error:
            cause = f"the desk's {channel.name} secret has no {error} to send with"
            raise Permanent(cause) from None
        result = read(*call_provider(channel.name, call, limit))
        if not (isinstance(result, ProviderResult) and result.state == "renew"):
            break
    return result


def _attempt(channel: Adapter, secret: Secret, message: OutgoingMessage) -> ProviderResult:
    return ask(channel, secret, lambda token: channel.send(message, secret, token), channel.outcome)


def _unblock(
    channel: Adapter, secret: Secret, message: OutgoingMessage, refused: ProviderResult
) -> ProviderResult | None:
    """Make the calls after which a refused message may be accepted; None if there are none."""
    token = access_token(channel, secret, renew=False)
    if isinstance(token, ProviderResult):
        return None
    step: HttpCall | ProviderResult | None = channel.unblock(message, refused, secret, token)
    while isinstance(step, HttpCall):
        step = channel.unblocked(*call_provider(channel.name, step), message, secret, token)
    return step


@lru_cache(maxsize=1)
def token_cache() -> dict[str, tuple[str, float]]:
    """The access tokens of this container, with their expiry, by account."""
    return {}


def access_token(channel: Adapter, secret: Secret, *, renew: bool) -> str | ProviderResult:
    """Return a channel's access token, "" if it needs none, or the reason why there is none.

    Raises:
        KeyError: the secret lacks a key.
        Passing, Unclear: the provider did not answer.
    """
    call = channel.token_call(secret, renew=renew)
    if call is None:
        return ""
    account = f"{channel.name}:{json.dumps(dict(secret), sort_keys=True)}"
    cached, expires = token_cache().get(account, ("", 0.0))
    if cached and not renew and time.monotonic() < expires:
        return cached
    token = channel.token(*call_provider(channel.name, call))
    if not isinstance(token, Token):
        return token
    lifetime = max(token.seconds - TOKEN_MARGIN.total_seconds(), 0.0)
    token_cache()[account] = (token.value, time.monotonic() + lifetime)
    return token.value


def call_provider(channel: str, call: HttpCall, limit: int = RESPONSE_LIMIT) -> tuple[int, bytes]:
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
            return response.status, response.read(limit)
        finally:
            response.release_conn()
    except (ConnectTimeoutError, NewConnectionError) as error:
        raise Passing(f"{channel} cannot be reached: {type(error).__name__}") from None
    except HTTPError as error:
        # The URL may contain a token, so only the type of the failure is reported.
        kind = Passing if call.repeatable else Unclear
        raise kind(f"{channel} did not answer: {type(error).__name__}") from None


@lru_cache(maxsize=1)
def _pool() -> Any:
    from urllib3 import PoolManager

    return PoolManager(num_pools=4)
