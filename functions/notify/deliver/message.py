"""Messages on chat channels: one HTTP call of the channel's provider, once.

The adapter (`functions.core.channels.base`) writes the call and reads the answer; here are the
network, its time limits, and the access token that some providers want, kept until shortly before
its end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
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
from functions.core.platform import aws, clock
from functions.core.platform.settings import Deployment
from functions.core.text.masking import mask
from functions.notify.deliver.failures import Passing, Permanent, Unclear

CONNECT = timedelta(seconds=3)
READ = timedelta(seconds=10)
ANSWER_LIMIT = 64 * 1024
"""Bytes of a provider's answer that are read."""

SPARE = timedelta(minutes=5)
"""How long before its end a token is fetched anew."""


def send(deployment: Deployment, desk: str, channel: str, message: OutgoingMessage) -> str:
    """Send one message; the provider's own id of it, "" where it gives none.

    Raises:
        SendFailure: it is not known to have gone out.
    """
    found = adapter(channel)
    secret = aws.channel_secret(deployment, desk, channel, clock.now()) if found else None
    if found is None or secret is None:
        raise Permanent(f"the desk has no {channel} channel any more")
    outcome = _attempt(found, secret, message, renew=False)
    if outcome.state == "renew":
        outcome = _attempt(found, secret, message, renew=True)
    if outcome.state == "sent":
        return outcome.id
    # Providers may quote what they were sent.
    raise (Permanent if outcome.state == "permanent" else Passing)(mask(outcome.cause))


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


@dataclass
class _Kept:
    """The access tokens of this container, by the account that they belong to."""

    tokens: dict[str, tuple[str, float]]


@lru_cache(maxsize=1)
def kept() -> _Kept:
    return _Kept({})


def _token(channel: Adapter, secret: Secret, *, renew: bool) -> str | ProviderResult:
    call = channel.token_call(secret, renew=renew)
    if call is None:
        return ""
    account = f"{channel.name}:{call.url}:{secret.get('app_id')}"
    known, until = kept().tokens.get(account, ("", 0.0))
    if known and not renew and time.monotonic() < until:
        return known
    found = channel.token(*_call(channel.name, call))
    if not isinstance(found, Token):
        return found
    left = max(found.seconds - SPARE.total_seconds(), 0.0)
    kept().tokens[account] = (found.value, time.monotonic() + left)
    return found.value


def _call(channel: str, call: HttpCall) -> tuple[int, bytes]:
    """The status and the body that a provider answers with.

    Raises:
        Passing: it cannot be reached, or may be asked again without harm.
        Unclear: the connection broke after the call had left.
    """
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
    from urllib3.util import Timeout

    try:
        answer = _pool().request(
            call.method,
            call.url,
            body=call.body,
            headers=dict(call.headers),
            timeout=Timeout(connect=CONNECT.total_seconds(), read=READ.total_seconds()),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            return answer.status, answer.read(ANSWER_LIMIT)
        finally:
            answer.release_conn()
    except (ConnectTimeoutError, NewConnectionError) as error:
        raise Passing(f"{channel} cannot be reached: {type(error).__name__}") from None
    except HTTPError as error:
        # The call's address may hold a token: only the kind of failure is told.
        kind = Passing if call.repeatable else Unclear
        raise kind(f"{channel} did not answer: {type(error).__name__}") from None


@lru_cache(maxsize=1)
def _pool() -> Any:
    from urllib3 import PoolManager

    return PoolManager(num_pools=4)
