"""The outgoing webhooks of the desks: secrets, test messages, messages sent again (G5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from functions.core.deliver import event_bus, once
from functions.core.deliver.webhook import new_secret, post, read_secret
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import ActionNotAllowed, NotFound, Phrase, StaleVersion
from functions.core.domain.events import Commit
from functions.core.domain.rules import Playbook, Webhook
from functions.core.domain.webhook_message import draft_webhook, encode, message_id as message_id_of
from functions.core.domain.webhooks import (
    TEST,
    MessageId,
    rotated,
    signed_headers,
    valid_secrets,
    wanted,
)
from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.services.trail import Trail
from functions.core.storage.database import Storage
from functions.core.storage.items import read_commit, ticket_key
from functions.core.storage.table import stamp

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


@dataclass(frozen=True)
class EndpointStatus:
    """One endpoint; `url` is `bus:<bus>` of an event bus, which has no secrets.

    `secrets` counts the valid ones, `version` those that there have been.
    """

    desk: str
    name: str
    url: str
    events: tuple[str, ...]
    secrets: int
    version: int


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


class Webhooks:
    """The outgoing webhooks of a deployment's desks."""

    def __init__(self, deployment: Deployment, storage: Storage) -> None:
        self._deployment, self._storage = deployment, storage
        self._ssm: SSMClient = aws.client("ssm")

    def endpoints(self, desk: str, now: datetime) -> Iterator[EndpointStatus]:
        """List every endpoint of a desk."""
        for name, webhook in self._storage.playbooks.get(desk, now).webhooks.items():
            document, version = self._document(desk, name) if webhook.url else ("", 0)
            count = len(valid_secrets(document, now))
            yield EndpointStatus(desk, name, webhook.address, webhook.events, count, version)

    def secrets(self, desk: str, name: str, now: datetime) -> tuple[str, ...]:
        """Read an endpoint's valid secrets, the newest first.

        Raises:
            NotFound: the desk has no such endpoint.
            ActionNotAllowed: it is an event bus.
        """
        _require_signed(self._storage.playbooks.get(desk, now), name)
        return valid_secrets(self._document(desk, name)[0], now)

    def rotate(
        self,
        trail: Trail,
        desk: str,
        name: str,
        overlap: timedelta,
        now: datetime,
        seen: int | None = None,
    ) -> str:
        """Create a new secret and return it; messages are signed with the old one too for a while.

        Running functions read it within five minutes.

        Args:
            seen: the `version` that the person has seen, so that a repeated request does nothing.

        Raises:
            NotFound: the desk has no such endpoint.
            ActionNotAllowed: it is an event bus.
            StaleVersion: the secret is another one than the person has seen.
        """
        _require_signed(self._storage.playbooks.get(desk, now), name)
        document, version = self._document(desk, name)
        if seen not in {None, version}:
            raise StaleVersion("The secret has been changed meanwhile. Change it again if need be.")
        hours = overlap / timedelta(hours=1)
        trail.record("webhooks.rotate", desk, name, after={"secret": "new", "keep_hours": hours})
        secret = new_secret()
        document = rotated(document, secret, now, overlap)
        self._ssm.put_parameter(
            Name=self._parameter(desk, name), Value=document, Type="SecureString", Overwrite=True
        )
        return secret

    def send_test(self, trail: Trail, desk: str, name: str, now: datetime) -> str:
        """Send a message of the type `webhook.test` and return the response status.

        Raises:
            NotFound: the desk has no such endpoint.
            SendFailure: the endpoint did not accept it.
        """
        webhook = webhook_of(self._storage.playbooks.get(desk, now), name)
        trail.record("webhooks.send-test", desk, name)
        data, webhook_id = {"desk": desk, "webhook": name}, f"msg_test_{uuid4().hex}"
        if webhook.bus:
            body, bus = encode(TEST, now, data, webhook_id), self._deployment.bus(webhook.bus)
            return event_bus.put(once.client("events"), bus, TEST, body)
        signing = valid_secrets(read_secret(self._ssm, self._parameter(desk, name)), now)
        local = aws.settings(self._deployment).get("local_webhooks") == "on"
        body = encode(TEST, now, data)
        signed = signed_headers(webhook_id, body, signing, now)
        return post(webhook.url, body, signed, local=local)

    def replay_id(self, message_id: str, now: datetime) -> str:
        """Send one message again and return a line about the outcome.

        Raises:
            NotFound: there is no such event or endpoint.
            ActionNotAllowed: the message is being sent.
        """
        unknown = NotFound(Phrase("There is no message {id}.", id=message_id))
        message = MessageId.read(message_id)
        if message is None:
            raise unknown
        commit = self._storage.tickets.commit_at(message.desk, message.number, message.version)
        if commit is None or message.position >= len(commit.events):
            raise unknown
        playbook = self._storage.playbooks.get(message.desk, now)
        webhook_of(playbook, message.webhook)
        event = commit.events[message.position]
        delivery = draft_webhook(commit, playbook, message.webhook, message.position, event, now)
        if _send_again(self._storage, delivery, {"state": "due", "next_at": None}) is None:
            raise ActionNotAllowed("The message is being sent. Try again in a minute.")
        return "it is sent now"

    def send_failed_again(self, trail: Trail, message_id: str, now: datetime) -> bool:
        """Send one message again that has not arrived; False if it has, or is being sent.

        Raises:
            NotFound: there is no such event or endpoint.
        """
        message = MessageId.read(message_id)
        if message is None:
            raise NotFound(Phrase("There is no message {id}.", id=message_id))
        commit = message.version, message.version
        deliveries = self._storage.deliveries.of_commits(message.desk, message.number, *commit)
        failed = {
            message_id_of(each) for each in deliveries if each.channel == "webhook" and each.failed
        }
        if message_id not in failed:
            return False
        trail.record("webhooks.replay", message.desk, message_id)
        self.replay_id(message_id, now)
        return True

    def replay_span(self, span: Span, per_minute: int, now: datetime) -> Replayed:
        """Send the messages of a span again, spread over time to protect the endpoints.

        This scans the whole table, because events are indexed only by ticket. The current playbook
        decides which events an endpoint receives, so a new endpoint can receive past events.

        Raises:
            NotFound: the desk has no such endpoint.
        """
        playbook = self._storage.playbooks.get(span.desk, now)
        endpoints = dict(playbook.webhooks)
        if span.name:
            endpoints = {span.name: webhook_of(playbook, span.name)}
        counts = {True: 0, False: 0, None: 0}
        last = now
        for commit in _commits(self._storage, span):
            for name, position, event in wanted(commit.events, endpoints):
                next_at = now + (counts[True] + counts[False]) // per_minute * timedelta(minutes=1)
                delivery = draft_webhook(commit, playbook, name, position, event, now)
                sent_before = _send_again(
                    self._storage, delivery, {"state": "retrying", "next_at": next_at}
                )
                counts[sent_before] += 1
                last = next_at if sent_before is not None else last
        return Replayed(counts[True], counts[False], counts[None], last)

    def _document(self, desk: str, name: str) -> tuple[str, int]:
        """The stored secrets of an endpoint and their version; "" and 0 if there are none."""
        try:
            found = self._ssm.get_parameter(Name=self._parameter(desk, name), WithDecryption=True)
        except self._ssm.exceptions.ParameterNotFound:
            return "", 0
        return found["Parameter"]["Value"], found["Parameter"]["Version"]

    def _parameter(self, desk: str, name: str) -> str:
        return self._deployment.parameter(f"desks/{desk}/webhooks/{name}")


def webhook_of(playbook: Playbook, name: str) -> Webhook:
    """Return a desk's endpoint.

    Raises:
        NotFound: the desk has none of this name.
    """
    webhook = playbook.webhooks.get(name)
    if webhook is None:
        known = list(playbook.webhooks)
        raise NotFound(
            Phrase(
                "The desk {desk} has no webhook {name}; it has: {known}.",
                desk=playbook.desk,
                name=name,
                known=known or "-",
            )
        )
    return webhook


def _require_signed(playbook: Playbook, name: str) -> None:
    """Refuse what concerns the secrets of an endpoint that has none."""
    if webhook_of(playbook, name).bus:
        raise ActionNotAllowed(
            Phrase("{name} goes to an event bus, which needs no secret.", name=name)
        )


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
