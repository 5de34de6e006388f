"""Reports about sent messages: a failure counts once, whichever of report and record is first."""

from datetime import timedelta

import pytest

from functions.core.channels.base import DeliveryReport
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import TryAgain
from functions.core.services.delivery_reports import expect_report, record_report
from functions.core.storage.database import Storage
from tests.core.sample_desk import NOON
from tests.core.storage.samples import delivery

pytestmark = pytest.mark.requirement("E11", "G1", "G3")

FAILED = DeliveryReport("id-1", "failed", "UNDELIV: 13800138000")
CAUSE = "reported: UNDELIV: 138****8000"


def claimed(storage: Storage) -> Delivery:
    """Claim a delivery; return it as sent, before that is recorded."""
    put = delivery()
    assert storage.deliveries.claim(put)
    return put.model_copy(update={"state": "sent", "provider_id": "id-1", "claim": ""})


def stored(storage: Storage) -> Delivery:
    [found] = storage.deliveries.list("testdesk", "CS1")
    return found


def report(storage: Storage, given: DeliveryReport = FAILED, provider: str = "aliyun") -> bool:
    return record_report(storage, "testdesk", provider, given, NOON + timedelta(minutes=1))


def test_a_failure_turns_a_sent_delivery_once(storage: Storage) -> None:
    sent = claimed(storage)
    assert expect_report(storage, sent, "aliyun", NOON) == sent
    assert storage.deliveries.move(sent, "claimed")
    assert not report(storage, DeliveryReport("id-1", "delivered"))
    assert not report(storage, provider="tencent"), "another provider's message"
    assert not report(storage, DeliveryReport("id-2", "failed"))
    assert stored(storage).state == "sent"
    assert [report(storage) for _ in range(2)] == [True, False]
    assert (stored(storage).state, stored(storage).cause) == ("dead_lettered", CAUSE)
    assert not report(storage, DeliveryReport("id-1", "delivered"))
    assert stored(storage).failed


def test_a_failure_that_comes_first_is_the_outcome(storage: Storage) -> None:
    sent = claimed(storage)
    assert not report(storage)
    outcome = expect_report(storage, sent, "aliyun", NOON)
    assert (outcome.state, outcome.cause, outcome.provider_id) == ("dead_lettered", CAUSE, "id-1")


def test_a_failure_between_both_has_to_come_again(storage: Storage) -> None:
    sent = claimed(storage)
    expect_report(storage, sent, "aliyun", NOON)
    with pytest.raises(TryAgain):
        report(storage)
    assert storage.deliveries.move(sent, "claimed")
    assert report(storage)


def test_a_message_sent_once_more_is_another_one(storage: Storage) -> None:
    sent = claimed(storage)
    expect_report(storage, sent, "aliyun", NOON)
    again = sent.model_copy(update={"provider_id": "id-2"})
    assert storage.deliveries.move(again, "claimed")
    assert not report(storage)
    assert stored(storage).state == "sent"
