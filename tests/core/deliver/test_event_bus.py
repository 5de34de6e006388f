"""Entries of an event bus: what is put, what is too large, and what EventBridge refuses."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.deliver.event_bus import SIZE_LIMIT, put
from functions.core.deliver.failures import Passing, Permanent

pytestmark = pytest.mark.requirement("G5")


class Bus:
    """A client of EventBridge with one prepared answer."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer or {"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}
        self.entries: list[dict[str, str]] = []

    def put_events(self, *, Entries: list[dict[str, str]]) -> Any:  # noqa: N803 - AWS's name
        self.entries += Entries
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def sent(bus: Any, message: bytes) -> str:
    return put(bus, "deskbell-test-orders", "ticket.received", message)


def test_a_message_is_one_entry_with_its_type() -> None:
    bus = Bus()
    assert sent(bus, '{"id":"msg_1","name":"工单"}'.encode()) == "event e-1"
    [entry] = bus.entries
    assert json.loads(entry.pop("Detail"))["name"] == "工单"
    assert entry == {
        "EventBusName": "deskbell-test-orders",
        "Source": "deskbell",
        "DetailType": "ticket.received",
    }


def test_the_size_is_checked_in_bytes_with_source_and_type() -> None:
    bus, room = Bus(), SIZE_LIMIT - len("deskbell" + "ticket.received") - 1
    sent(bus, b"x" * room)
    with pytest.raises(Permanent, match="262,144"):
        sent(bus, b"x" * (room + 1))
    assert len(bus.entries) == 1


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (
            {
                "FailedEntryCount": 1,
                "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "13800138000"}],
            },
            "EventBridge ThrottlingException",
        ),
        (
            ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutEvents"),
            "EventBridge AccessDeniedException",
        ),
    ],
)
def test_what_eventbridge_refuses_is_retried(answer: Any, cause: str) -> None:
    """Also a missing permission, which somebody may repair; no cause quotes a contact."""
    with pytest.raises(Passing, match=cause) as caught:
        sent(Bus(answer), b"{}")
    assert "13800138000" not in str(caught.value)
