"""The time until a deadline in the reader's words: near ones count down, others are absolute.

The workbench's script says them by the same patterns, so that a page that stays open stays right.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from functions.core.domain.rules import Locale

Haste = Literal["late", "soon", ""]
"""`late`: the deadline has passed; `soon`: it passes within `SOON`."""

SOON = timedelta(hours=1)

PATTERNS: Mapping[Locale, Mapping[str, str]] = {
    "zh-CN": {
        "late.minutes": "逾期 {m} 分",
        "late.hours": "逾期 {h} 小时",
        "late.days": "逾期 {d} 天",
        "minutes": "{m} 分钟",
        "hours": "{h} 小时 {m} 分",
        "today": "今天 {clock}",
        "tomorrow": "明天 {clock}",
        "week": "周{weekday} {clock}",
        "date": "{month}月{day}日",
        "weekdays": "一 二 三 四 五 六 日",
        "months": "1 2 3 4 5 6 7 8 9 10 11 12",
    },
    "en": {
        "late.minutes": "{m} min late",
        "late.hours": "{h} h late",
        "late.days": "{d} d late",
        "minutes": "{m} min",
        "hours": "{h} h {m} min",
        "today": "today {clock}",
        "tomorrow": "tomorrow {clock}",
        "week": "{weekday} {clock}",
        "date": "{day} {month}",
        "weekdays": "Mon Tue Wed Thu Fri Sat Sun",
        "months": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    },
}
"""The patterns by language; names of weekdays and months are separated by spaces."""

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def due_words(due: datetime, now: datetime, zone: tzinfo, locale: Locale) -> str:
    """Say when something is due: `18 分钟`, `逾期 4 分`, `今天 17:30`, `周一 18:00`."""
    patterns, left = PATTERNS[locale], due - now
    if left <= timedelta():
        over = -left
        name = "minutes" if over < _HOUR else "hours" if over < _DAY else "days"
        return patterns[f"late.{name}"].format(
            m=max(1, over // _MINUTE), h=over // _HOUR, d=over // _DAY
        )
    minutes = -(-left // _MINUTE)
    if minutes < 60:
        return patterns["minutes"].format(m=minutes)
    if minutes < 120:
        return patterns["hours"].format(h=1, m=minutes - 60)
    return clock_words(due, now, zone, locale)


def clock_words(at: datetime, now: datetime, zone: tzinfo, locale: Locale) -> str:
    """Say a time by the clock and, if it is not today, its day."""
    patterns, local = PATTERNS[locale], at.astimezone(zone)
    days = (local.date() - now.astimezone(zone).date()).days
    name = "date"
    if 0 <= days < 7:
        name = ("today", "tomorrow", "week")[min(days, 2)]
    return patterns[name].format(
        clock=f"{local:%H:%M}",
        weekday=patterns["weekdays"].split()[local.weekday()],
        month=patterns["months"].split()[local.month - 1],
        day=local.day,
    )


def haste(due: datetime, now: datetime) -> Haste:
    """Return how near a deadline is."""
    return "late" if due <= now else "soon" if due - now < SOON else ""
