"""Answer a chat provider's webhook requests. Imported with the first one (cold start)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from functions.core.channels.base import ProviderRequest
from functions.core.domain.errors import DeadLetter, NotFound, Phrase, Unauthorised
from functions.core.platform import container
from functions.core.platform.settings import Deployment
from functions.core.platform.web import HttpResponse, Request
from functions.core.receive.chat import chat_channel, connected_channel
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
        chat = chat_channel(chat_adapter, secret, desk, request.deployment, request.now)
        response = chat.receive(provider_request)
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
    chat = chat_channel(*connected, desk, deployment, now)
    body = chat.bucket.get(str(call["key"]))
    query = {str(name): str(value) for name, value in dict(call["query"]).items()}
    chat.receive(ProviderRequest("POST", now, query=query, body=body))
