"""Agents search their desk's tickets, before and after what was written is in segments."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest

from functions.core.platform import clock
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


def test_a_corrected_contact_is_found_by_its_new_digits(
    journey: StandardJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = journey.file("我的快递丢了", contact="13900136655")
    index(journey)
    afterwards = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: afterwards)
    journey.act("zg-1", "correct-contact", contact="13900138642")
    for _ in range(2):
        assert list(found(journey, q="8642")) == [number]
        index(journey, LATER)
        forget_segments()
    assert found(journey, q="6655") == {}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-W49-1"}, "from"),
        ({"to": "20261130"}, "to"),
        ({"from": "2026-12-01", "to": "2026-11-30"}, "to"),
        ({"q": "退", "queue": "mine"}, "queue"),
    ],
)
def test_a_search_that_cannot_be_read_says_so(
    journey: StandardJourney, query: dict[str, str], field: str
) -> None:
    answer = journey.as_agent("li-2", "GET", f"/tickets?{urlencode(query)}")
    assert (answer.status, answer.json["errors"][0]["field"]) == (400, field)


def test_the_last_day_that_there_is_may_be_asked_for(journey: StandardJourney) -> None:
    assert journey.as_agent("li-2", "GET", "/tickets?to=9999-12-31").status in {200, 400}


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
