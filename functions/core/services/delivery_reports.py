"""Reports of providers about messages that they had accepted: exactly once, in any order.

A failure counts whenever it comes: it turns the delivery from `sent` to `dead_lettered`, with the
cause on the message. That something was delivered is no news, since agents read it as sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import TryAgain
from functions.core.storage.database import Storage
from functions.core.text.masking import mask

if TYPE_CHECKING:
    from functions.core.channels.base import DeliveryReport

REPORTED = "reported: "
"""The beginning of the cause of a delivery that failed after its provider had accepted it."""

_CAUSE_LIMIT = 200


def expect_report(storage: Storage, sent: Delivery, provider: str, now: datetime) -> Delivery:
    """Let reports find a delivery that `provider` accepted, before it is recorded as sent.

    Returns the outcome to record: the delivery as it is, or failed if the report came first.
    """
    if not sent.provider_id:
        return sent
    key = f"DELIVERY#{sent.id}"
    known = storage.expected_reports.expect(
        sent.desk, provider, sent.provider_id, sent.number, key, now
    )
    return _failed(sent, known.failure, now) if known.failure else sent


def record_report(
    storage: Storage, desk: str, provider: str, report: DeliveryReport, now: datetime
) -> bool:
    """Record a report on its message; return whether this changed anything.

    The report of a message that is unknown yet is kept for its sender (`expect_report`).

    Raises:
        TryAgain: the message's outcome is just being recorded; the provider has to repeat.
    """
    if report.state != "failed" or not report.id:
        return False
    # Providers may quote the number or the message.
    cause = f"{REPORTED}{mask(report.cause)[:_CAUSE_LIMIT]}"
    known = storage.expected_reports.fail(desk, provider, report.id, cause, now)
    if not known.delivery:
        return False
    delivery = storage.deliveries.get(desk, known.number, known.delivery)
    if delivery is None or delivery.state == "claimed":
        raise TryAgain("the message's outcome is not recorded yet")
    if delivery.state != "sent" or delivery.provider_id != report.id:
        return False  # reported before, or sent once more since
    return storage.deliveries.move(_failed(delivery, cause, now), "sent")


def _failed(delivery: Delivery, cause: str, now: datetime) -> Delivery:
    return delivery.model_copy(update={"state": "dead_lettered", "cause": cause, "at": now})
