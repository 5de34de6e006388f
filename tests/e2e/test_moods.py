"""A customer who is upset without a word of any rule, on the running system with its encoder."""

import pytest

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System, wait_until

UPSET = "一拖再拖，每回都换个人来问我一遍，这就是你们的承诺？"
COMFORT = "您好，遇到这样的事，您的心情我理解。"


@pytest.mark.requirement("B13", "E9")
def test_an_upset_customer_is_recognised_by_examples_and_comforted(system: System) -> None:
    journey = SystemJourney(system, "omnichannel")
    journey.file("请问你们周末上门安装吗")

    def recognised() -> bool:
        """Write again if the message had no answer of the engine, which may still be starting."""
        upset: bool = journey.view("supervisors-1")["mood"] == "upset"
        if not upset:
            journey.act_as_customer("messages", text=UPSET)
        return upset

    wait_until(recognised, "upset by a message", 100, every=8)
    journey.await_message("customer", "comfort")

    journey.file(UPSET, contact="moods@example.com")
    view = journey.until(
        "upset by its request",
        lambda: seen if (seen := journey.view("supervisors-1"))["mood"] else None,
    )
    assert "mood_by_examples" in view["rules"]
    assert "upset-customer" not in view["rules"]
    assert view["suggestion"]["text"].startswith(COMFORT)
