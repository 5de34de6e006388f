"""Agents search their desk's tickets, before and after what was written is in segments."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest

from functions.core.storage.database import Storage
from functions.core.storage.segments import forget_segments
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import erase_customer
from tests.inprocess.test_standard import PHONE, StandardJourney

SOON, LATER = timedelta(minutes=10), timedelta(days=2)


@pytest.fixture
def journey(simulator: Simulator, storage: Storage) -> StandardJourney:
    forget_segments()
    storage.manifests.start("standard", datetime.now(UTC))
    return StandardJourney(simulator, storage)


def found(journey: StandardJourney, who: str = "li-2", **query: str) -> dict[str, Any]:
    """Search and return number → the text shown."""
    answer = journey.as_agent(who, "GET", f"/tickets?{urlencode(query)}")
    assert answer.status == 200, answer.text
    return {ticket["number"]: ticket["found"] for ticket in answer.json["tickets"]}


def index(journey: StandardJourney, after: timedelta = SOON) -> None:
    journey.simulator.invoke("search_index", {"time": (datetime.now(UTC) + after).isoformat()})


@pytest.mark.requirement("H3")
def test_agents_find_tickets_at_once_and_after_indexing(journey: StandardJourney) -> None:
    journey.online("li-1")
    other = journey.file("打印机卡纸了，型号 LJ-2200", contact="13900139007")
    number = journey.file("ＡＰＰ登录不上，订单 SF-778899 的退款也没到")
    journey.act("zg-1", "note", text="疑似缓存问题")
    journey.act("zg-1", "assign", agent="li-1")
    journey.act("li-1", "reply", text="Please clear the cache.")
    today = datetime.now(UTC).date()
    for _ in range(2):
        assert list(found(journey, q="退")) == [number]
        assert list(found(journey, q="app 缓存 CLEAR")) == [number]
        assert found(journey, q="lear") == {}
        assert list(found(journey, q="sf-7788")) == [number]
        assert list(found(journey, q=number)) == [number]
        assert list(found(journey, q=PHONE[-4:])) == [number]
        assert list(found(journey, q="2200")) == [other]
        assert list(found(journey, tag="无法登录")) == [number]
        assert list(found(journey, q="打印机", status="queued")) == [other]
        assert found(journey, q="打印机", status="archived") == {}
        assert found(journey, q="退", to=str(today - timedelta(days=2))) == {}
        assert list(found(journey, **{"q": "退", "from": str(today - timedelta(days=1))})) == [
            number
        ]
        index(journey)
        forget_segments()
    assert "订单 sf-778899 的退款" in found(journey, q="退款")[number]


def test_an_erased_ticket_is_found_no_more(journey: StandardJourney) -> None:
    number = journey.file("我的快递丢了")
    index(journey)
    assert list(found(journey, q="快递")) == [number]
    erase_customer(journey.simulator, datetime.now(UTC), number=number)
    assert found(journey, q="快递") == {}
    index(journey, LATER)
    assert found(journey, q="快递") == {}
    s3, bucket = boto3.client("s3"), journey.simulator.deployment.mail_bucket
    assert s3.list_objects_v2(Bucket=bucket, Prefix="search/").get("Contents", []) == []
