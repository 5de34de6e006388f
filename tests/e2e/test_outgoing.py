"""Messages to a customer on the whole system: SMTP in, HTTP, and mail out."""

import re

import pytest

from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System, wait_until

COURIER = "13987654321"


@pytest.mark.requirement("A10", "D10", "G10")
def test_a_mail_is_answered_as_written_with_its_files_and_closed_with_the_reason(
    system: System,
) -> None:
    journey, address = SystemJourney(system, "standard"), "song@example.com"
    journey.system.mail(address, "无法登录", "APP无法登录，提示验证码错误")

    def filed() -> str | None:
        found = (re.search(r"CS\d+", sent["Subject"]) for sent in system.sent(address))
        return next((match[0] for match in found if match), None)

    journey.number = wait_until(filed, "the mail is a ticket")
    journey.act("supervisors-1", "take")
    manual = journey.upload("supervisors-1", "说明.pdf", b"%PDF-1.7\n%%EOF\n")
    text = f"请联系快递员 {COURIER}"
    journey.act("supervisors-1", "reply", text=text, attachments=[manual])
    answer = journey.mail(address, text)
    assert "附件：说明.pdf" in answer
    assert journey.view()["messages"][-1]["text"] == "请联系快递员 139****4321"
    journey.act("supervisors-1", "close", reason=f"请改拨 {COURIER}")
    assert f"请改拨 {COURIER}" in journey.mail(address, "已关闭")
