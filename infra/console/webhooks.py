"""The desks' outgoing webhooks: list, secrets, test messages, replay (G5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3

from functions.core.deliver.webhook import post, read_secret
from functions.core.domain.delivery import Delivery
from functions.core.domain.events import Commit
from functions.core.domain.rules import Playbook, Webhook
from functions.core.domain.webhooks import (
    TEST,
    MessageId,
    rotated,
    signed_headers,
    valid_secrets,
    wanted,
)
from functions.core.storage.database import Storage
from functions.core.storage.items import read_commit, ticket_key
from functions.core.storage.table import stamp
from functions.notify.webhook_message import draft_webhook, encode
from infra.console.errors import ConsoleError
from infra.deploy import stage_secrets
from infra.deploy.desks import storage_of, versions
from infra.deploy.stage_secrets import endpoint_secret_name
from infra.deploy.trail import OperatorTrail


class WebhookError(ConsoleError):
    """An unknown endpoint or message, or one that is being sent."""


@dataclass(frozen=True)
class EndpointStatus:
    """One endpoint; `secrets` counts the valid ones."""

    desk: str
    name: str
    url: str
    events: tuple[str, ...]
    secrets: int


@dataclass(frozen=True)
class Span:
    """The events of a desk from `start` to before `end`; an empty `name` means every endpoint."""

    desk: str
    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Replayed:
    """The counts of messages sent again, sent for the first time, and skipped because they are
    being sent; and the time at which the last one is due."""

    again: int
    first: int
    skipped: int
    last: datetime


def endpoints(stage: str, now: datetime) -> Iterator[EndpointStatus]:
    """List every endpoint of every desk."""
    storage = storage_of(stage)
    for desk, _version in versions(stage):
        for name, webhook in storage.playbooks.get(desk, now).webhooks.items():
            count = len(secrets(stage, desk, name, now))
            yield EndpointStatus(desk, name, webhook.url, webhook.events, count)


def secrets(stage: str, desk: str, name: str, now: datetime) -> tuple[str, ...]:
    """Read an endpoint's valid secrets, the newest first.

    Raises:
        WebhookError: the desk has no such endpoint.
    """
    _webhook(storage_of(stage).playbooks.get(desk, now), name)
    return valid_secrets(_document(stage, desk, name), now)


def rotate(trail: OperatorTrail, desk: str, name: str, overlap: timedelta, now: datetime) -> str:
    """Create a new secret and return it; messages are signed with the old one too for `overlap`.

    Running functions read it within five minutes.
    """
    stage = trail.stage
    _webhook(storage_of(stage).playbooks.get(desk, now), name)
    hours = overlap / timedelta(hours=1)
    trail.record("webhooks.rotate", desk, name, after={"secret": "new", "keep_hours": hours})
    secret = stage_secrets.new_secret()
    document = rotated(_document(stage, desk, name), secret, now, overlap)
    stage_secrets.replace_secret(endpoint_secret_name(stage, desk, name), document)
    return secret


def send_test(stage: str, desk: str, name: str, now: datetime) -> str:
    """Send a message of the type `webhook.test` and return the response status.

    Raises:
        WebhookError: the desk has no such endpoint.
        SendFailure: the endpoint did not accept it.
    """
    webhook = _webhook(storage_of(stage).playbooks.get(desk, now), name)
    document = read_secret(boto3.client("ssm"), endpoint_secret_name(stage, desk, name))
    signing = valid_secrets(document, now)
    local = stage_secrets.settings(stage).get("local_webhooks") == "on"
    body = encode(TEST, now, {"desk": desk, "webhook": name})
    signed = signed_headers(f"msg_test_{uuid4().hex}", body, signing, now)
    return post(webhook.url, body, signed, local=local)


def replay_id(stage: str, message_id: str, now: datetime) -> str:
    """Send one message again and return a line about the outcome.

    Raises:
        WebhookError: there is no such event or endpoint, or the message is being sent.
    """
    unknown = WebhookError(f"there is no message {message_id}")
    message = MessageId.read(message_id)
    if message is None:
        raise unknown
    storage = storage_of(stage)
    commit = storage.tickets.commit_at(message.desk, message.number, message.version)
    if commit is None or message.position >= len(commit.events):
        raise unknown
    playbook = storage.playbooks.get(message.desk, now)
    _webhook(playbook, message.webhook)
    event = commit.events[message.position]
    delivery = draft_webhook(commit, playbook, message.webhook, message.position, event, now)
    if _send_again(storage, delivery, {"state": "due", "next_at": None}) is None:
        raise WebhookError("the message is being sent: try again in a minute")
    return "it is sent now"


def replay_span(stage: str, span: Span, per_minute: int, now: datetime) -> Replayed:
    """Send the messages of a span again, spread over time to protect the endpoints.

    This scans the whole table, because events are indexed only by ticket. The current playbook
    decides which events an endpoint receives, so a new endpoint can receive past events.

    Raises:
        WebhookError: the desk has no such endpoint.
    """
    storage = storage_of(stage)
    playbook = storage.playbooks.get(span.desk, now)
    endpoints = dict(playbook.webhooks)
    if span.name:
        endpoints = {span.name: _webhook(playbook, span.name)}
    counts = {True: 0, False: 0, None: 0}
    last = now
    for commit in _commits(storage, span):
        for name, position, event in wanted(commit.events, endpoints):
            next_at = now + (counts[True] + counts[False]) // per_minute * timedelta(minutes=1)
            delivery = draft_webhook(commit, playbook, name, position, event, now)
            sent_before = _send_again(storage, delivery, {"state": "retrying", "next_at": next_at})
            counts[sent_before] += 1
            last = next_at if sent_before is not None else last
    return Replayed(counts[True], counts[False], counts[None], last)


def _send_again(storage: Storage, delivery: Delivery, update: dict[str, Any]) -> bool | None:
    """Schedule a delivery with a full set of attempts.

    Returns True if it had been tried before, False if it is new, None if it is being sent.
    """
    before = storage.deliveries.get(delivery.desk, delivery.number, f"DELIVERY#{delivery.id}")
    scheduled = {"attempts": 0, "cause": "replayed", **update}
    if before is None:
        return False if storage.deliveries.claim(delivery.model_copy(update=scheduled)) else None
    if before.state in {"claimed", "due"}:
        return None
    moved = storage.deliveries.move(before.model_copy(update=scheduled), before.state)
    return True if moved else None


def _commits(storage: Storage, span: Span) -> Iterator[Commit]:
    """Scan the commits of a span, in no particular order."""
    pages = storage.table.client.get_paginator(operation_name="scan").paginate(
        TableName=storage.table.name,
        FilterExpression=(
            "begins_with(pk, :ticket) AND begins_with(sk, :event) AND #at >= :start AND #at < :end"
        ),
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={
            ":ticket": {"S": ticket_key(span.desk, "")},
            ":event": {"S": "EVENT#"},
            ":start": {"S": stamp(span.start)},
            ":end": {"S": stamp(span.end)},
        },
    )
    for page in pages:
        yield from (read_commit(item) for item in page["Items"])


def _webhook(playbook: Playbook, name: str) -> Webhook:
    webhook = playbook.webhooks.get(name)
    if webhook is None:
        known = ", ".join(playbook.webhooks) or "none"
        raise WebhookError(f"desk {playbook.desk} has no webhook {name}; it has {known}")
    return webhook


def _document(stage: str, desk: str, name: str) -> str:
    return stage_secrets.read_secret(endpoint_secret_name(stage, desk, name)) or ""
