"""The sentence that comes first on a request's page."""

from datetime import timedelta
from typing import Any, cast

import pytest

from functions.core.domain.rules import Locale, Playbook
from functions.portal.sentences import first_sentence, spoken_time
from functions.portal.shapes import StatusView
from tests.core.sample_desk import NOON

pytestmark = pytest.mark.requirement("H1", "A14", "A8")


def view(**changes: Any) -> StatusView:
    shown = {
        "status": "in_progress",
        "question": None,
        "team_label": "技术支持组",
        "handler": "客服-张",
        "first_response_at": None,
        "expected_response_by": (NOON + timedelta(hours=2)).isoformat(),
        "expected_resolution_by": (NOON + timedelta(days=2, hours=2)).isoformat(),
    }
    return cast("StatusView", {**shown, **changes})


def said(
    playbook: Playbook, locale: Locale = "zh-CN", calls: tuple[str, ...] = (), **changes: Any
) -> str:
    found = first_sentence(view(**changes), calls, playbook, locale, NOON)
    return f"{found.fact}|{found.act}"


LATER = {"expected_response_by": (NOON - timedelta(hours=1)).isoformat()}
LUNCH = {"expected_response_by": (NOON + timedelta(minutes=30)).isoformat()}
ANSWERED = {"first_response_at": NOON.isoformat()}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "技术支持组的客服-张正在处理，预计今天14:00前回复。|您现在不用做什么。"),
        ({"handler": "技术支持组"}, "技术支持组正在处理，预计今天14:00前回复。|您现在不用做什么。"),
        (
            {"handler": None, "team_label": None},
            "我们正在处理您的请求，预计今天14:00前回复。|您现在不用做什么。",
        ),
        ({"status": "queued"}, "我们已收到您的请求，预计今天14:00前回复。|您现在不用做什么。"),
        (
            ANSWERED,
            "技术支持组的客服-张正在处理，预计3月12日（周四）14:00前处理完成。|您现在不用做什么。",
        ),
        (LUNCH, "技术支持组的客服-张正在处理，最迟在今天13:30开始服务后回复。|您现在不用做什么。"),
        (
            LATER,
            "技术支持组的客服-张正在处理。已超过预计时间，很抱歉，有进展会立即告诉您。|您现在不用做什么。",
        ),
        (
            {"status": "awaiting_department"},
            "技术支持组的客服-张正在与同事一起处理，预计今天14:00前回复。|您现在不用做什么。",
        ),
        (
            {"status": "awaiting_customer"},
            "我们需要您补充一点信息，才能继续处理。|问题已发送到您的联系方式，请在那里回答。",
        ),
        (
            {"status": "awaiting_customer", "calls": ("messages",)},
            "我们需要您补充一点信息，才能继续处理。|请在下面回答。",
        ),
        (
            {"status": "awaiting_confirmation", "calls": ("confirmation",)},
            "我们已处理完成，请确认问题是否解决。|请在下面选择。",
        ),
        (
            {"status": "resolved", "calls": ("survey",)},
            "您的请求已处理完成。|如果方便，请在下面评价。",
        ),
        ({"status": "resolved"}, "您的请求已处理完成。|您现在不用做什么。"),
        ({"status": "closed"}, "此请求已关闭。|如果仍需要帮助，可以提交新的请求。"),
        ({"status": "merged"}, "此请求已与另一个请求合并，将一并处理。|您现在不用做什么。"),
    ],
)
def test_the_sentence_says_who_by_when_and_what_to_do(
    playbook: Playbook, changes: dict[str, Any], text: str
) -> None:
    assert said(playbook, **changes) == text


def test_english_names_the_zone_of_a_promise(playbook: Playbook) -> None:
    assert said(playbook, "en", team_label="Support", handler="Zhang") == (
        "Zhang of Support is working on your request. You will hear from us by 14:00 today "
        "(GMT+8).|There is nothing for you to do."
    )


@pytest.mark.parametrize(
    ("days", "text", "english"),
    [
        (-1, "昨天12:00", "12:00 yesterday"),
        (0, "今天12:00", "12:00 today"),
        (1, "明天12:00", "12:00 tomorrow"),
        (2, "3月12日（周四）12:00", "Thu 12 Mar, 12:00"),
    ],
)
def test_a_near_day_is_named(playbook: Playbook, days: int, text: str, english: str) -> None:
    at = NOON + timedelta(days=days)
    assert spoken_time(at, NOON, playbook, "zh-CN") == text
    assert spoken_time(at, NOON, playbook, "en") == f"{english} (GMT+8)"
    assert spoken_time(at, NOON, playbook, "en", zoned=False) == english
