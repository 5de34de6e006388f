"""Claim, send and record each webhook without delaying notifications to people (G5).

The states are those of `functions.core.domain.delivery`, with one delivery for each event and
endpoint. Unlike a message to a person, a webhook may be sent again if nobody knows whether it went
out: its id stays the same, so the receiver recognises a repetition (E11). The differences:

- A batch notifies people first; `EndpointBudget` limits the time spent waiting for endpoints.
- A claim that a dead run left behind is retried instead of dead-lettered.
- Any answer but 2xx and 410 is retried for a day, since receivers are misconfigured and repaired.
  After that, or if no webhook may go to the address, the delivery is dead-lettered (G3).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from functions.core.deliver.failures import Permanent, SendFailure
from functions.core.domain.delivery import WEBHOOK_RETRY_AFTER, Delivery
from functions.core.domain.erasure import without_person
from functions.core.domain.errors import DeadLetter, TryAgain
from functions.core.domain.events import Commit
from functions.core.domain.rules import Playbook
from functions.core.domain.webhook_message import (
    draft_webhook,
    is_webhook,
    jitter,
    message_body,
    message_id,
    retry_waits,
    webhook_name,
)
from functions.core.domain.webhooks import signed_headers, wanted
from functions.core.platform.logging import logger
from functions.core.services.preparing import EVENT_GONE
from functions.core.storage.items import read_commit
from functions.core.text.masking import mask
from functions.notify.base_dispatch import BaseDispatcher, is_due, log_fields

TIME_PER_MINUTE = timedelta(seconds=15)
"""The time that a container waits for endpoints per minute; the rest is for people's messages."""

FAILURE_LIMIT = 3
"""After this many failures in a row an endpoint is suspended."""

SUSPENSION = timedelta(minutes=1)

ABANDONED = "a run claimed it and ended"

Postponement = Literal["suspended", "busy"]

_POSTPONED_CAUSES: dict[Postponement, str] = {
    "suspended": f"not tried: {FAILURE_LIMIT} attempts in a row failed just before",
    "busy": "not tried: no time was left for webhooks",
}
_SHORTEST_POSTPONEMENT = timedelta(minutes=1)

log = logger("notify")


class EndpointBudget:
    """A container's limits on calling endpoints: time per minute, and failures in a row."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minute = clock()
        self._spent = 0.0
        self._failures: dict[str, int] = {}
        self._suspended_until: dict[str, float] = {}

    def postponement(self, endpoint: str) -> Postponement | None:
        """Return the reason not to call an endpoint now, None if it may be called."""
        now = self._clock()
        if now - self._minute >= 60:
            self._minute, self._spent = now, 0.0
        if now < self._suspended_until.get(endpoint, now):
            return "suspended"
        return "busy" if self._spent >= TIME_PER_MINUTE.total_seconds() else None

    @contextmanager
    def attempt(self, endpoint: str) -> Iterator[None]:
        """Count the time that a call takes, and its failure."""
        began = self._clock()
        try:
            yield
        except SendFailure:
            failures = self._failures[endpoint] = self._failures.get(endpoint, 0) + 1
            if failures >= FAILURE_LIMIT:
                self._suspended_until[endpoint] = self._clock() + SUSPENSION.total_seconds()
            raise
        else:
            self._failures.pop(endpoint, None)
        finally:
            self._spent += self._clock() - began


@dataclass(frozen=True)
class WebhookDispatcher(BaseDispatcher):
    """Deliver events to the endpoints of a desk's playbook.

    Attributes:
        secrets: `secrets(desk, name, now)` returns an endpoint's valid secrets.
        post: `post(url, body, headers)` returns the answer's status.
        put: `put(bus, type, body)` returns what an event bus answered. All three raise a
            `SendFailure`.
        in_time: returns whether the function has time left to wait for an endpoint.
    """

    secrets: Callable[[str, str, datetime], tuple[str, ...]]
    post: Callable[[str, bytes, Mapping[str, str]], str]
    put: Callable[[str, str, bytes], str]
    budget: EndpointBudget
    in_time: Callable[[], bool]

    def process(self, record: Any) -> None:
        """Process one record of the table's stream.

        A record that cannot be read is ignored: `Dispatcher` has dead-lettered it.

        Raises:
            TryAgain: the record has to come again.
        """
        try:
            image: Any = record["dynamodb"].get("NewImage", {})
            _, desk, number = image["pk"]["S"].split("#", 2)
            kind, _, delivery_id = image["sk"]["S"].partition("#")
        except (AttributeError, KeyError, TypeError, ValueError):
            return
        if kind == "EVENT" and record.get("eventName") == "INSERT":
            playbook = self.storage.playbooks.get(desk, self.now)
            if not playbook.webhooks:
                return
            try:
                commit = read_commit(image)
            except DeadLetter:
                return
            self.notify(commit, playbook)
        elif kind == "DELIVERY" and is_due(image) and is_webhook(delivery_id):
            self.retry(desk, number, delivery_id)

    def notify(self, commit: Commit, playbook: Playbook) -> None:
        """Send each event of a commit to the endpoints that subscribe to it."""
        retry: TryAgain | None = None
        for name, position, event in wanted(commit.events, playbook.webhooks):
            delivery = draft_webhook(commit, playbook, name, position, event, self.now)
            try:
                if postponement := self._postponement(delivery):
                    self.storage.deliveries.claim(self._postponed(delivery, postponement))
                elif self.claim(delivery):
                    self._send(delivery, commit, playbook)
            except TryAgain as error:
                retry = error  # after the other endpoints
        if retry is not None:
            raise retry

    def retry(self, desk: str, number: str, delivery_id: str) -> None:
        """Make the next attempt at a delivery that is due."""
        due = self.load_due(desk, number, delivery_id)
        if due is None:
            return
        playbook = self.storage.playbooks.get(desk, self.now)
        commit = self.storage.tickets.commit_at(desk, number, due.version)
        if webhook_name(due) not in playbook.webhooks:
            self.dead_letter(due, "the playbook has no such webhook any more", "due")
        elif commit is None or int(due.about) >= len(commit.events):
            self.dead_letter(due, EVENT_GONE, "due")
        elif postponement := self._postponement(due):
            if postponement == "suspended" and due.attempts >= len(WEBHOOK_RETRY_AFTER):
                cause = _POSTPONED_CAUSES[postponement]
                self.dead_letter(due, f"gave up after {due.attempts} attempts: {cause}", "due")
            else:
                self.write_outcome(self._postponed(due, postponement), "due")
        elif claimed := self.reclaim(due):
            self._send(claimed, commit, playbook)

    def resolve_abandoned_claim(self, delivery: Delivery, expected: str | None) -> None:
        """Retry a delivery that a dead run may or may not have sent."""
        update = {"state": "retrying", "next_at": self.now, "at": self.now, "cause": ABANDONED}
        self.write_outcome(delivery.model_copy(update=update), expected)

    def _postponement(self, delivery: Delivery) -> Postponement | None:
        return self.budget.postponement(_endpoint(delivery)) if self.in_time() else "busy"

    def _postponed(self, delivery: Delivery, reason: Postponement) -> Delivery:
        """Return the delivery, untried, with a later time for its next attempt.

        A suspension is the endpoint's failure and counts as an attempt; a lack of time does not.
        """
        attempts = delivery.attempts
        wait = _SHORTEST_POSTPONEMENT * (1 + 4 * jitter(delivery.id))
        if reason == "suspended":
            attempts, wait = attempts + 1, retry_waits(delivery.id)[attempts]
        cause = _POSTPONED_CAUSES[reason]
        postponed = delivery.model_copy(
            update={
                "state": "retrying",
                "attempts": attempts,
                "next_at": self.now + wait,
                "at": self.now,
                "cause": cause,
            }
        )
        log.warning("delivery.postponed", extra={**log_fields(postponed), "cause": cause})
        return postponed

    def _send(self, delivery: Delivery, commit: Commit, playbook: Playbook) -> None:
        """Send a claimed delivery and record the outcome."""
        attempt = self.next_attempt(delivery)
        try:
            status = self._transmit(delivery, commit, playbook)
        except Permanent as error:
            self.dead_letter(attempt, str(error))
        except (SendFailure, TryAgain) as error:
            self.retry_later(attempt, str(error), retry_waits(delivery.id))
        else:
            self.record_sent(attempt, status)

    def _transmit(self, delivery: Delivery, commit: Commit, playbook: Playbook) -> str:
        ticket = self.storage.tickets.load_since(delivery.desk, delivery.number, delivery.version)
        if ticket.erased:  # the stored event may not be blanked yet (B10)
            commit = without_person(commit, playbook, mask)
        event, webhook_id = commit.events[int(delivery.about)], message_id(delivery)
        name = webhook_name(delivery)
        webhook = playbook.webhooks[name]
        if webhook.bus:
            body = message_body(event, commit, ticket, webhook_id)
            send = partial(self.put, webhook.bus, str(event.webhook), body)
        else:
            body = message_body(event, commit, ticket)
            secrets = self.secrets(delivery.desk, name, self.now)
            signed = signed_headers(webhook_id, body, secrets, self.now)
            send = partial(self.post, webhook.url, body, signed)
        with self.budget.attempt(_endpoint(delivery)):
            return send()


def _endpoint(delivery: Delivery) -> str:
    return f"{delivery.desk}#{webhook_name(delivery)}"
