"""Record what a provider reports about a message that it had accepted (E11, G3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from functions.core.channels.base import Adapter, DeliveryReport
from functions.core.domain.errors import TryAgain
from functions.core.platform.logging import logger
from functions.core.storage.database import Storage
from functions.core.text.masking import mask

RECORDED_WITHIN = timedelta(minutes=2)
"""The time in which `notify` records that a message was sent, or never does."""

log = logger("intake")


def record_report(
    storage: Storage, desk: str, adapter: Adapter, report: DeliveryReport, now: datetime
) -> None:
    """Mark the delivery of a message that failed, once, with the cause.

    A report that comes before its delivery is known waits for it, for as long as ids are kept.

    Raises:
        TryAgain: the delivery is being recorded; the provider reports again.
    """
    if report.state != "failed" or not report.id:
        return
    cause = mask(report.cause) or f"{adapter.name} reported a failure"
    about = {"desk": desk, "channel": adapter.name}
    sent = storage.sent_messages.report_failed(desk, adapter.name, report.id, cause, now)
    if sent is None:
        log.info("chat.failure_kept", extra=about)
        return
    delivery = storage.deliveries.get(desk, sent.number, f"DELIVERY#{sent.delivery_id}")
    if delivery is None or delivery.state == "claimed":
        if now - sent.at < RECORDED_WITHIN:
            raise TryAgain(f"{sent.number}: the delivery is being recorded")
        return
    if delivery.state != "sent" or delivery.provider_id != report.id:
        return  # it was marked before, or sent again since
    failed = delivery.model_copy(update={"state": "dead_lettered", "cause": cause, "at": now})
    if storage.deliveries.move(failed, "sent"):
        storage.channel_healths.note_failure(desk, adapter.name, cause)
        log.warning("delivery.failed_later", extra={**about, "number": sent.number, "cause": cause})
