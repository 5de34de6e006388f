"""Implausible input is refused with a reason, on the whole system over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System


@pytest.mark.requirement("D2")
def test_nothing_was_bought_in_the_future(system: System) -> None:
    journey = SystemJourney(system, "aftersales")
    ahead = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    body = {
        "contact": "tomorrow@example.com",
        "description": "冰箱不制冷",
        "product": {"name": "冰箱", "purchased_on": ahead},
    }
    refused = journey.http("POST", "/desks/aftersales/tickets", body)
    assert refused.status == 400
    assert [error["field"] for error in refused.json["errors"]] == ["product.purchased_on"]
    body["product"] = {"name": "冰箱", "purchased_on": "2026-03-10"}
    assert journey.http("POST", "/desks/aftersales/tickets", body).status == 201
