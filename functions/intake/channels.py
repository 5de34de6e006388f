"""Answer a chat provider's webhook requests. Imported with the first one (cold start)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from functions.core.channels.base import (
    Adapter,
    ProviderRequest,
    ProviderResponse,
    Secret,
    Unreadable,
)
from functions.core.channels.pulled import PulledAdapter
from functions.core.domain.errors import DeadLetter, NotFound, Phrase, Unauthorised
from functions.core.domain.fetching import PullTask
from functions.core.platform import aws, container
from functions.core.platform.settings import Deployment
from functions.core.platform.web import HttpResponse, Request
from functions.core.receive.chat import PAGE, chat_channel, connected_channel
from functions.core.receive.fetching import fetch_later
from functions.core.storage.raw_messages import RawMessages
from functions.intake.signatures import verify


def receive(request: Request, desk: str, channel: str) -> HttpResponse:
    """Answer a provider's webhook request: its URL verification, or the messages in it.

    Raises:
        NotFound: there is no such channel, or the desk does not use it.
        Unauthorised: the signature is invalid.
    """
    # The desk first: a call for an invented one must not read a secret.
    container.storage(request.deployment).playbooks.get(desk, request.now)
    connected = connected_channel(request.deployment, desk, channel, request.now)
    if connected is None:
        raise NotFound("There is no such desk, or it does not use this channel.")
    chat_adapter, secret = connected
    provider_request = ProviderRequest(
        request.method, request.now, request.query, request.headers, request.body
    )
    scheme, parts = chat_adapter.signed(provider_request, secret)
    if not verify(scheme, **parts):
        raise Unauthorised(
            Phrase("Invalid signature for this desk's {channel} channel.", channel=channel)
        )
    response = chat_adapter.challenge(provider_request, secret)
    if response is None:
        if request.method != "POST":
            raise NotFound("There is nothing to read here; the provider posts to this address.")
        response = _take(connected, desk, request.deployment, provider_request)
    return HttpResponse(response.body, content_type=response.content_type)


def receive_released(call: Mapping[str, Any], deployment: Deployment, now: datetime) -> None:
    """Process a quarantined request again; its signature was valid when it came.

    Raises:
        DeadLetter: its body is gone, or the desk does not use the channel any more.
    """
    desk, channel = str(call["desk"]), str(call["channel"])
    connected = connected_channel(deployment, desk, channel, now)
    if connected is None:
        raise DeadLetter(f"the desk {desk} does not use {channel} any more")
    body = RawMessages(aws.client("s3"), deployment.mail_bucket).get(str(call["key"]))
    query = {str(name): str(value) for name, value in dict(call["query"]).items()}
    request = ProviderRequest("POST", now, query=query, body=body)
    if PAGE.items() <= query.items():
        chat_channel(*connected, desk, deployment, now).receive(request)
    else:
        _take(connected, desk, deployment, request)


def _take(
    connected: tuple[Adapter, Secret], desk: str, deployment: Deployment, request: ProviderRequest
) -> ProviderResponse:
    """Take a request whose signature is valid: its messages, or an announcement of some."""
    chat_adapter, secret = connected
    chat = chat_channel(chat_adapter, secret, desk, deployment, request.now)
    if not isinstance(chat_adapter, PulledAdapter):
        return chat.receive(request)
    try:
        announced = chat_adapter.announcement(request, secret)
    except Unreadable as error:
        chat.quarantine(request.body, str(error), request.query)
        announced = None
    if announced is not None:
        account, token = announced.account, announced.token
        task = PullTask(desk=desk, channel=chat_adapter.name, account=account, token=token)
        fetch_later(deployment, task)
    return chat_adapter.answer(request, secret)
