"""Claim, retry and dead-letter deliveries: the base of dispatching to people and to webhooks.

Every step is a conditional write on the delivery's state before it. A run whose write is refused
leaves the delivery as the other run wrote it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import sleep
from typing import Any, Self
from uuid import uuid4

from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import TryAgain
from functions.core.platform.logging import logger
from functions.core.services.delivery_reports import expect_report
from functions.core.storage.database import Storage

CLAIM_TIMEOUT = timedelta(seconds=65)
"""The time in which a claim's run may still be working: the function's timeout in
`.chalice/config.json` and a margin for whole seconds and clocks that differ."""

OUTCOME_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between the attempts to record that a message was sent; within the time that each record
has (`handler.TIME_FOR_RECORD`)."""

log = logger("notify")


class ClaimedElsewhere(TryAgain):
    """Another run claimed the delivery less than `CLAIM_TIMEOUT` ago."""


@dataclass(frozen=True)
class BaseDispatcher(ABC):
    """The dependencies of a dispatcher for one record.

    Attributes:
        enqueue_dead_letter: called with the keys of a delivery and the cause; sends them to the
            dead-letter queue for an operator.
    """

    storage: Storage
    enqueue_dead_letter: Callable[[dict[str, str], str], None]
    now: datetime

    @abstractmethod
    def resolve_abandoned_claim(self, delivery: Delivery, expected: str | None) -> None:
        """Settle a delivery whose run ended between claiming it and writing its outcome."""

    def at(self, now: datetime) -> Self:
        return replace(self, now=now)

    def claim(self, delivery: Delivery) -> bool:
        """Claim a new delivery; False if another run has claimed or finished it."""
        return self.storage.deliveries.claim(delivery) or self._is_own_claim(delivery)

    def reclaim(self, due: Delivery) -> Delivery | None:
        """Claim a delivery that is due; None if another run has claimed or finished it."""
        update = {"state": "claimed", "claimed_at": self.now, "at": self.now, "claim": uuid4().hex}
        claimed = due.model_copy(update=update)
        claims = self.storage.deliveries.move(claimed, "due") or self._is_own_claim(claimed)
        return claimed if claims else None

    def load_due(self, desk: str, number: str, delivery_id: str) -> Delivery | None:
        """Load a delivery whose next attempt is due; None if it is no longer due."""
        delivery = self.storage.deliveries.get(desk, number, f"DELIVERY#{delivery_id}")
        if delivery is not None and delivery.state == "claimed":
            self.check_claim(delivery)
        return delivery if delivery is not None and delivery.state == "due" else None

    def load_claimed(self, claimed: Delivery) -> Delivery:
        """Load the delivery that refused a claim.

        Raises:
            TryAgain: it is gone.
        """
        stored = self.storage.deliveries.get(claimed.desk, claimed.number, f"DELIVERY#{claimed.id}")
        if stored is None:
            raise TryAgain("a delivery refused its claim and is gone")
        return stored

    def check_claim(self, delivery: Delivery, expected: str | None = "claimed") -> None:
        """Settle another run's claim if that run must have ended by now.

        Raises:
            ClaimedElsewhere: it may still be sending.
        """
        if self.now - delivery.claimed_at < CLAIM_TIMEOUT:
            raise ClaimedElsewhere(f"{delivery.number}: another run is sending {delivery.id}")
        self.resolve_abandoned_claim(delivery, expected)

    def next_attempt(self, delivery: Delivery) -> Delivery:
        update = {"attempts": delivery.attempts + 1, "at": self.now, "next_at": None, "cause": None}
        return delivery.model_copy(update=update)

    def record_sent(
        self,
        attempt: Delivery,
        provider_id: str,
        expected: str | None = "claimed",
        reporter: str = "",
    ) -> None:
        """Record that the provider or the endpoint accepted the message.

        A busy table gets some time: without the record nobody can tell whether it was sent.

        Args:
            reporter: the provider whose reports about the message may come, "" if none may.

        Raises:
            TryAgain: the table stays busy.
        """
        sent = attempt.model_copy(update={"state": "sent", "provider_id": provider_id})

        def record() -> None:
            outcome = expect_report(self.storage, sent, reporter, self.now) if reporter else sent
            self.write_outcome(outcome, expected)

        for pause in OUTCOME_PAUSES:
            try:
                record()
                break
            except TryAgain:
                sleep(pause)
        else:
            record()
        log.info("delivery.sent", extra=log_fields(sent))

    def retry_later(
        self,
        attempt: Delivery,
        cause: str,
        waits: Sequence[timedelta],
        expected: str | None = "claimed",
    ) -> None:
        if attempt.attempts > len(waits):
            self.dead_letter(
                attempt, f"gave up after {attempt.attempts} attempts: {cause}", expected
            )
            return
        next_at = self.now + waits[attempt.attempts - 1]
        retrying = attempt.model_copy(
            update={"state": "retrying", "cause": cause, "next_at": next_at}
        )
        self.write_outcome(retrying, expected)
        log.warning("delivery.retrying", extra={**log_fields(retrying), "cause": cause})

    def dead_letter(self, delivery: Delivery, cause: str, expected: str | None = "claimed") -> None:
        """Dead-letter a delivery; the queue comes first, so that no crash can hide it (G3)."""
        keys = {"pk": f"TICKET#{delivery.desk}#{delivery.number}", "sk": f"DELIVERY#{delivery.id}"}
        self.enqueue_dead_letter(keys, cause)
        self.write_outcome(self.dead_lettered(delivery, cause), expected)

    def dead_lettered(self, delivery: Delivery, cause: str) -> Delivery:
        return delivery.model_copy(
            update={"state": "dead_lettered", "cause": cause, "at": self.now, "next_at": None}
        )

    def write_outcome(self, delivery: Delivery, expected: str | None) -> None:
        """Write a delivery's new state.

        Args:
            expected: the state before it, None if the delivery has no item yet.
        """
        if not self.storage.deliveries.move(delivery, expected):
            # Another run found this claim expired and settled the delivery; its outcome stays.
            log.warning(
                "delivery.overtaken", extra={**log_fields(delivery), "outcome": delivery.state}
            )

    def _is_own_claim(self, claimed: Delivery) -> bool:
        """Return whether a refused claim is this run's own, written by a repeated request."""
        stored = self.load_claimed(claimed)
        if is_same_claim(stored, claimed):
            return True
        if stored.state == "claimed":
            self.check_claim(stored)
        return False


def is_due(image: Any) -> bool:
    """Return whether the stream's image of a delivery says that its next attempt is due."""
    return bool(image.get("state", {}).get("S") == "due")


def is_same_claim(stored: Delivery, claimed: Delivery) -> bool:
    """Return whether a stored delivery is claimed, and by the same run."""
    return stored.state == "claimed" and stored.claim == claimed.claim


def log_fields(delivery: Delivery) -> dict[str, Any]:
    return {
        "desk": delivery.desk,
        "number": delivery.number,
        "delivery": delivery.id,
        "channel": delivery.channel,
        "attempts": delivery.attempts,
    }
