"""Put webhook messages on an event bus of EventBridge: the second way out of a desk (G5).

The message is the same as a request's, with its id in it. It is not signed: only this deployment
may put events on the bus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.deliver.failures import Passing, Permanent, classified_failures
from functions.core.text.masking import mask

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "deskbell"
"""The `source` of every event, which a rule of the bus can match."""

SIZE_LIMIT = 256 * 1024
"""An entry has less bytes: EventBridge user guide, "Calculating PutEvents event entry size"."""


def put(client: EventBridgeClient, bus: str, kind: str, message: bytes) -> str:
    """Put one message on a bus and return the event's id, as `event <id>`.

    Args:
        bus: the bus's name in EventBridge.
        kind: the message's type, the event's `detail-type`.

    Raises:
        Passing: EventBridge did not take it: the bus may be missing, or not permitted yet.
        Permanent: the message is too large.
    """
    size = len(SOURCE) + len(kind.encode()) + len(message)
    if size >= SIZE_LIMIT:
        raise Permanent(f"{size:,} bytes are too many for an event bus, which takes {SIZE_LIMIT:,}")
    try:
        with classified_failures("EventBridge"):
            response = client.put_events(
                Entries=[
                    {
                        "EventBusName": bus,
                        "Source": SOURCE,
                        "DetailType": kind,
                        "Detail": message.decode(),
                    }
                ]
            )
    except Permanent as error:
        raise Passing(str(error)) from None
    # The call succeeds even if its entry does not.
    entry = response["Entries"][0]
    if response["FailedEntryCount"]:
        explanation = mask(entry.get("ErrorMessage", ""))[:200]
        raise Passing(f"EventBridge {entry.get('ErrorCode', 'Unknown')}: {explanation}")
    return f"event {entry['EventId']}"
