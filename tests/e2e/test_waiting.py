"""Waits and promises on the whole system: over SMTP in, over HTTP and by mail out."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System, wait_until

SHANGHAI = ZoneInfo("Asia/Shanghai")


def mailed(system: System, address: str, text: str) -> SystemJourney:
    """Send a mail to the standard desk and wait for its ticket."""
    journey = SystemJourney(system, "standard")
    system.mail(address, "求助", text)

    def filed() -> str | None:
        found = (re.search(r"CS\d+", sent["Subject"]) for sent in system.sent(address))
        return next((match[0] for match in found if match), None)

    journey.number = wait_until(filed, "the mail is a ticket")
    return journey


@pytest.mark.requirement("A4", "A7")
def test_an_outage_by_mail_is_promised_the_time_of_its_priority(system: System) -> None:
    """The first mail tells the time that holds after the rules; no other mail contradicts it."""
    address = "lou@example.com"
    journey = mailed(system, address, "系统崩溃，核心业务中断")
    view = journey.view()
    assert view["priority"] == "高"
    due = journey.due("first_response").astimezone(SHANGHAI)
    assert due - datetime.fromisoformat(view["received_at"]) == timedelta(hours=2)
    told = journey.mail(address, "请求已接收")
    times = re.findall(r"(\d+)月(\d+)日（周.）(\d\d):(\d\d)", told)
    assert len(times) <= 1
    for month, day, hour, minute in times:
        assert (int(month), int(day)) >= (due.month, due.day)
        if (int(month), int(day)) == (due.month, due.day):
            assert (int(hour), int(minute)) >= (due.hour, due.minute)  # or when we open
