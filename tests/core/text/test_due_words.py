"""Deadlines in words: near ones count down, others are absolute."""

from datetime import timedelta

import pytest

from functions.core.domain.events.request import TITLE_WIDTH, first_words
from functions.core.domain.rules import Locale
from functions.core.text.due_words import PATTERNS, clock_words, due_words, haste
from functions.core.text.masking import mask
from tests.core.sample_desk import NOON, SHANGHAI

pytestmark = pytest.mark.requirement("H3")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("left", "chinese", "english"),
    [
        (18 * MINUTE, "18 分钟", "18 min"),
        (timedelta(seconds=1), "1 分钟", "1 min"),
        (timedelta(0), "逾期 1 分", "1 min late"),
        (-4 * MINUTE, "逾期 4 分", "4 min late"),
        (-3 * HOUR, "逾期 3 小时", "3 h late"),
        (-49 * HOUR, "逾期 2 天", "2 d late"),
        (72 * MINUTE, "1 小时 12 分", "1 h 12 min"),
        (5 * HOUR + 30 * MINUTE, "今天 17:30", "today 17:30"),
        (22 * HOUR, "明天 10:00", "tomorrow 10:00"),
        (6 * DAY + 6 * HOUR, "周一 18:00", "Mon 18:00"),
        (9 * DAY, "3月19日", "19 Mar"),
    ],
)
def test_a_deadline_is_said_as_people_say_it(left: timedelta, chinese: str, english: str) -> None:
    said = [due_words(NOON + left, NOON, SHANGHAI, locale) for locale in ("zh-CN", "en")]
    assert said == [chinese, english]


def test_a_time_is_said_by_the_clock_even_if_it_is_near() -> None:
    assert clock_words(NOON + 5 * MINUTE, NOON, SHANGHAI, "zh-CN") == "今天 12:05"
    assert clock_words(NOON - DAY, NOON, SHANGHAI, "zh-CN") == "3月9日"


def test_what_is_near_is_marked() -> None:
    assert [haste(NOON + left, NOON) for left in (-MINUTE, 59 * MINUTE, HOUR)] == [
        "late",
        "soon",
        "",
    ]


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_both_languages_have_the_same_patterns(locale: Locale) -> None:
    assert PATTERNS[locale].keys() == PATTERNS["en"].keys()
    assert len(PATTERNS[locale]["weekdays"].split()) == 7
    assert len(PATTERNS[locale]["months"].split()) == 12


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("\n  无法登录 \n请尽快", "无法登录"),
        (
            "我在你们App下单，扣了款没有订单，页面提示支付失败",
            "我在你们App下单，扣了款没有订单，页面提示支…",
        ),
        (
            "Where is my parcel, please tell me right now or else",
            "Where is my parcel, please tell me right…",
        ),
        ("a" * 80, ""),
        ("", ""),
        ("请回电138 0013 8000 13800138000 1380013800013800", "请回电…"),
        (
            "电话 138 0013 8000 abc1 def，我在你们App下单，扣了款",
            "电话 138 0013 8000 abc1 def，我在你们App下单…",
        ),
        # A pattern that tries all partitions of these digits does not end.
        ("1" * (TITLE_WIDTH - 2) + "！" * 9, "1" * (TITLE_WIDTH - 2) + "！…"),
    ],
)
def test_a_title_is_the_first_words(text: str, title: str) -> None:
    assert first_words(text) == title


@pytest.mark.requirement("G4")
@pytest.mark.parametrize("shift", range(TITLE_WIDTH))
def test_no_cut_makes_personal_data_of_a_number(shift: int) -> None:
    """A cut number may look like a phone's, which is hidden; a whole one is an order's."""
    title = first_words(
        "x" * shift + " 2138001380001234567890 1380013800012345678 6222021234567890"
    )
    assert mask(title) == title
