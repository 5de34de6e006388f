"""The desks' outgoing webhooks: list, secrets, a test message, replay (G5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3

from functions.core.domain.delivery import Delivery
from functions.core.domain.events import Commit
from functions.core.domain.rules import Playbook, Webhook
from functions.core.domain.webhooks import TEST, MessageId, rotated, valid_secrets, wanted
from functions.core.storage.store import Store, read_commit, stamp, ticket_key
from functions.notify.deliver.webhook import post, read_secret
from functions.notify.webhook_message import draft_webhook, encode, headers
from infra.deploy.desks import store_of, versions
from infra.deploy.stage_secrets import endpoint_secret_name, new_secret


class WebhookError(RuntimeError):
    """It cannot be done as asked; the message tells why."""


@dataclass(frozen=True)
class Listed:
    """One endpoint. `secrets` counts those that are valid now."""

    desk: str
    name: str
    url: str
    events: tuple[str, ...]
    secrets: int


@dataclass(frozen=True)
class Span:
    """The events of a desk from `start` until before `end`, for one endpoint or (empty) for all."""

    desk: str
    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Replayed:
    """How many are sent again, how many for the first time, until when, and how many were left
    because they were under way."""

    again: int
    first: int
    left: int
    last: datetime


def endpoints(stage: str, now: datetime) -> Iterator[Listed]:
    """Every endpoint of every desk."""
    store = store_of(stage)
    for desk, _version in versions(stage):
        for name, webhook in store.playbook(desk, now).webhooks.items():
            count = len(secrets(stage, desk, name, now))
            yield Listed(desk, name, webhook.url, webhook.events, count)


def secrets(stage: str, desk: str, name: str, now: datetime) -> tuple[str, ...]:
    """An endpoint's valid secrets, the newest first.

    Raises:
        WebhookError: the desk has no such endpoint.
    """
    _webhook(store_of(stage).playbook(desk, now), name)
    return valid_secrets(_document(stage, desk, name), now)


def rotate(stage: str, desk: str, name: str, overlap: timedelta, now: datetime) -> str:
    """Make a new secret, which signs at once, and return it; the old one does for `overlap` more.

    Running functions read it within five minutes.
    """
    _webhook(store_of(stage).playbook(desk, now), name)
    secret = new_secret()
    boto3.client("ssm").put_parameter(
        Name=endpoint_secret_name(stage, desk, name),
        Value=rotated(_document(stage, desk, name), secret, now, overlap),
        Type="SecureString",
        Overwrite=True,
    )
    return secret


def send_test(stage: str, desk: str, name: str, now: datetime) -> str:
    """Send a message of the type `webhook.test`; the answer's status.

    Raises:
        SendFailure: it was not accepted.
    """
    webhook = _webhook(store_of(stage).playbook(desk, now), name)
    ssm = boto3.client("ssm")
    signing = valid_secrets(read_secret(ssm, endpoint_secret_name(stage, desk, name)), now)
    settings = json.loads(
        ssm.get_parameter(Name=f"/deskbell/{stage}/settings")["Parameter"]["Value"]
    )
    body = encode(TEST, now, {"desk": desk, "webhook": name})
    return post(
        webhook.url,
        body,
        headers(f"msg_test_{uuid4().hex}", body, signing, now),
        local=settings.get("local_webhooks") == "on",
    )


def replay_id(stage: str, written: str, now: datetime) -> str:
    """Send one message again, at once; what became of it.

    Raises:
        WebhookError: there is no such event or endpoint, or it is under way.
    """
    store = store_of(stage)
    asked = MessageId.read(written)
    commit = store.commit_at(asked.desk, asked.number, asked.version) if asked else None
    if asked is None or commit is None or asked.position >= len(commit.events):
        raise WebhookError(f"there is no message {written}")
    playbook = store.playbook(asked.desk, now)
    _webhook(playbook, asked.webhook)
    event = commit.events[asked.position]
    new = draft_webhook(commit, playbook, asked.webhook, asked.position, event, now)
    if _send_again(store, new, {"state": "due", "next_at": None}) is None:
        raise WebhookError("it is being sent at this very moment")
    return "it is sent now"


def replay_span(stage: str, span: Span, per_minute: int, now: datetime) -> Replayed:
    """Send again what happened in a time, spread so that the endpoints and the others keep up.

    It reads the whole table, since events are found by their ticket otherwise. What an endpoint
    wants by the playbook of today counts, so that a new one can be given the past, too.

    Raises:
        WebhookError: the desk has no such endpoint.
    """
    store = store_of(stage)
    playbook = store.playbook(span.desk, now)
    chosen = dict(playbook.webhooks)
    if span.name:
        chosen = {span.name: _webhook(playbook, span.name)}
    counts = {True: 0, False: 0, None: 0}
    last = now
    for commit in _commits(store, span):
        for name, position, event in wanted(commit.events, chosen):
            next_at = now + (counts[True] + counts[False]) // per_minute * timedelta(minutes=1)
            new = draft_webhook(commit, playbook, name, position, event, now)
            done = _send_again(store, new, {"state": "retrying", "next_at": next_at})
            counts[done] += 1
            last = next_at if done is not None else last
    return Replayed(counts[True], counts[False], counts[None], last)


def _send_again(store: Store, new: Delivery, update: dict[str, Any]) -> bool | None:
    """Put a delivery where it is sent, with all attempts before it.

    True where it had been tried before, False where it is new, None where it is under way.
    """
    before = store.delivery(new.desk, new.number, f"DELIVERY#{new.id}")
    fresh = {"attempts": 0, "cause": "replayed", **update}
    if before is None:
        return False if store.claim(new.model_copy(update=fresh)) else None
    if before.state in {"claimed", "due"}:
        return None
    return True if store.move(before.model_copy(update=fresh), before.state) else None


def _commits(store: Store, span: Span) -> Iterator[Commit]:
    """The commits of a time, in no order."""
    pages = store.client.get_paginator(operation_name="scan").paginate(
        TableName=store.table,
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
    found = playbook.webhooks.get(name)
    if found is None:
        known = ", ".join(playbook.webhooks) or "none"
        raise WebhookError(f"desk {playbook.desk} has no webhook {name}; there is {known}")
    return found


def _document(stage: str, desk: str, name: str) -> str:
    ssm = boto3.client("ssm")
    try:
        found = ssm.get_parameter(Name=endpoint_secret_name(stage, desk, name), WithDecryption=True)
    except ssm.exceptions.ParameterNotFound:
        return ""
    return found["Parameter"]["Value"]
