"""The words of figures for people: measures, groups, durations, shares, sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from functions.core.domain.rules import LOCALES, Locale, Playbook
from functions.core.reports.figures import FIGURES
from functions.core.text.words import label

_Words = dict[str, tuple[str, str]]

_WORDS: _Words = {
    "daily": ("日报", "Daily report"),
    "weekly": ("周报", "Weekly report"),
    "monthly": ("月报", "Monthly report"),
    "type": ("类型", "Type"),
    "tag": ("标签", "Tag"),
    "team": ("团队", "Team"),
    "agent": ("坐席", "Agent"),
    "channel": ("渠道", "Channel"),
    "priority": ("优先级", "Priority"),
    "product": ("型号", "Product"),
    "top_problems": ("主要问题", "Top problems"),
    "questions": ("常见问题", "Frequent questions"),
    "overview": ("概览", "Overview"),
    "corrections": ("更正", "Corrections"),
    "jumps": ("异常增长", "Jumps"),
    "suggestions": ("建议", "Suggestions"),
    "tickets": ("工单", "Tickets"),
    "figure": ("指标", "Figure"),
    "measure": ("项目", "Measure"),
    "value": ("数值", "Value"),
    "result": ("结果（时长以秒计）", "Result (durations in seconds)"),
    "label": ("名称", "Name"),
    "table": ("表", "Table"),
    "definition": ("定义", "Definition"),
    "definitions": ("指标定义", "Definitions"),
    "period": ("周期", "Period"),
    "desk": ("服务台", "Desk"),
    "timezone": ("时区", "Time zone"),
    "generated_at": ("生成时间", "Written"),
    "from": ("原值", "From"),
    "to": ("更正为", "To"),
    "group": ("分组", "Group"),
    "expected": ("预期", "Expected"),
    "count": ("件数", "Count"),
    "number": ("工单号", "Number"),
    "version": ("版本", "Version"),
    "hit": ("达标", "Hit"),
    "item": ("明细", "Item"),
    "counted": ("计入", "Counted"),
    "reason": ("原因", "Reason"),
    "n": ("件数", "Count"),
    "of": ("总数", "Of"),
    "share": ("比例", "Share"),
    "mean": ("平均", "Mean"),
    "median": ("中位数", "Median"),
    "p90": ("P90", "P90"),
    "business": ("营业时间", "Opening hours"),
    "met": ("达成", "Met"),
    "breached": ("超时", "Breached"),
    "cancelled": ("取消", "Cancelled"),
    "running": ("进行中", "Running"),
    "good": ("满意", "Good"),
    "asked": ("已邀评", "Asked"),
    "answer_rate": ("回复率", "Answer rate"),
    "opening": ("期初", "Opening"),
    "received": ("收到", "Received"),
    "reopened": ("重新打开", "Reopened"),
    "unmerged": ("撤销合并", "Unmerged"),
    "resolved": ("解决", "Resolved"),
    "closed": ("关闭", "Closed"),
    "merged": ("合并", "Merged"),
    "closing": ("期末", "Closing"),
    "in_time": ("按时", "In time"),
    "confirmed": ("客户确认", "Confirmed"),
    "silent": ("未再回应", "Silent"),
    "handed_over": ("转人工", "Handed over"),
    "total": ("合计", "Total"),
    "by_kind": ("按时限", "By timer"),
    "by_age": ("按时长", "By age"),
    "by_team": ("按团队", "By team"),
    "top": ("前五", "Top"),
    "handled": ("处理工单", "Handled"),
    "handling": ("处理用时", "Handling"),
    "signed_in": ("在线时长", "Signed in"),
    "occupancy": ("忙碌率", "Occupancy"),
    "usd_units": ("云服务用量（USD）", "Metered units (USD)"),
    "compensation": ("补偿", "Compensation"),
    "remainder": ("未分摊", "Remainder"),
    "currency": ("币种", "Currency"),
    "nothing": ("无数据", "No data"),
}
"""Word → in Chinese and in English."""

_MEASURED_IN_TIME = frozenset({"mean", "median", "p90", "handling", "signed_in"})
_SHARES = frozenset({"share", "answer_rate", "occupancy"})


def word(key: str, locale: Locale) -> str:
    """Return the word for a measure, dimension or heading; an unknown one as it is."""
    return _WORDS[key][LOCALES.index(locale)] if key in _WORDS else key


def measure_label(path: str, locale: Locale) -> str:
    """Return the name of a measure by its path: `business.median` is "Opening hours, Median"."""
    return ("，" if locale == "zh-CN" else ", ").join(word(key, locale) for key in path.split("."))


def is_duration(figure: str, path: str) -> bool:
    """Return whether a measure of a figure is in seconds; the mean score is in points."""
    return path.rpartition(".")[2] in _MEASURED_IN_TIME and figure != "csat"


def is_share(path: str) -> bool:
    return path.rpartition(".")[2] in _SHARES


def measures(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each number of a figure with its path: `n`, `business.median`, `by_age.<1d`."""
    if not isinstance(value, Mapping):
        yield "n", value
        return
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield from ((f"{name}.{path}", number) for path, number in measures(inner))
        elif isinstance(inner, list | tuple):
            for item in inner:
                *named, number = item.values() if isinstance(item, Mapping) else (item, None)
                yield ".".join((name, *map(str, named))), number
        else:
            yield name, inner


def duration_text(seconds: float | None, locale: Locale) -> str:
    """Return a duration in its two largest units: 2小时5分钟, 2 h 5 min."""
    if seconds is None:
        return word("nothing", locale)
    units = ((86400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min"), (1, "秒", "s"))
    left, parts = round(seconds), list[str]()
    for size, zh, en in units:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{zh}" if locale == "zh-CN" else f"{count} {en}")
        if len(parts) == 2 or (parts and not count):
            break
    between = "" if locale == "zh-CN" else " "
    return between.join(parts) or ("0秒" if locale == "zh-CN" else "0 s")


def share_text(share: float | None, locale: Locale) -> str:
    return word("nothing", locale) if share is None else f"{share:.1%}"


def number_text(figure: str, path: str, number: Any, locale: Locale) -> str:
    if isinstance(number, str):
        return number
    if is_duration(figure, path):
        return duration_text(number, locale)
    if is_share(path):
        return share_text(number, locale)
    return word("nothing", locale) if number is None else f"{number:,.10g}"


_DURATION: dict[Locale, str] = {
    "zh-CN": "中位数{median}（营业时间内{business.median}），P90 {p90}；{n}件",
    "en": "median {median} ({business.median} in opening hours), p90 {p90}; {n} tickets",
}
_SHARE: dict[Locale, str] = {"zh-CN": "{share}（{of}件中{n}件）", "en": "{share} ({n} of {of})"}
_IN_ONE_LINE: dict[str, dict[Locale, str]] = {
    "volume": {"zh-CN": "{n}", "en": "{n}"},
    "parts": {"zh-CN": "{n}", "en": "{n}"},
    "sla": {
        "zh-CN": "{share}（达成{met}，超时{breached}）",
        "en": "{share} ({met} met, {breached} breached)",
    },
    "csat": {
        "zh-CN": "{share}（{n}份评价，回复率{answer_rate}）",
        "en": "{share} of {n} answers (answer rate {answer_rate})",
    },
    "backlog": {
        "zh-CN": "期末{closing}（期初{opening}）",
        "en": "{closing} at the end ({opening} at the start)",
    },
    "collaboration": {
        "zh-CN": "{share}按时（{n}次答复，平均等待{mean}）",
        "en": "{share} in time ({n} answers, mean wait {mean})",
    },
    "assistant": {
        "zh-CN": "客户确认{confirmed}，未再回应{silent}，转人工{handed_over}",
        "en": "confirmed {confirmed}, silent {silent}, handed over {handed_over}",
    },
    "cost": {"zh-CN": "{total} {currency}", "en": "{total} {currency}"},
}
"""Figure → how one line says it; of others, durations and shares have their form."""


def figure_text(figure: str, value: Any, locale: Locale) -> str:
    """Return a figure in one line, for mails."""
    found = dict(measures(value))
    if figure != "volume" and not any(found.values()):
        return word("nothing", locale)
    form = _IN_ONE_LINE.get(figure) or (_DURATION if "median" in found else _SHARE)
    said = form[locale]
    for path, number in found.items():
        said = said.replace(f"{{{path}}}", number_text(figure, path, number, locale))
    return said


def figure_label(figure: str, locale: Locale) -> str:
    return FIGURES[figure].label[locale] if figure in FIGURES else word(figure, locale)


def label_of(
    dimension: str,
    value: str,
    playbook: Playbook,
    locale: Locale,
    names: Mapping[str, str] | None = None,
) -> str:
    """Return the label of a group's value; one that the playbook does not know is shown as is."""
    terms: dict[str, Mapping[str, object]] = {
        "type": playbook.types,
        "tag": playbook.tags,
        "team": playbook.teams,
        "priority": playbook.priorities,
    }
    if dimension == "agent":
        return (names or {}).get(value, value)
    return label(terms.get(dimension, {}), value, locale)


def group_label(group: str, playbook: Playbook, locale: Locale) -> str:
    """Return a group as people read it: `product=KFR-35&type=fault` is 型号 KFR-35 · 报障."""
    names = []
    for part in group.split("&"):
        dimension, _, value = part.partition("=")
        named = label_of(dimension, value, playbook, locale)
        names.append(f"{word(dimension, locale)} {named}" if dimension == "product" else named)
    return " · ".join(names)


def jump_label(group: str, count: int, expected: float, playbook: Playbook, locale: Locale) -> str:
    """Return a jump in words: "Product KFR-35 · Complaint: 12, expected 3"."""
    named, usual = group_label(group, playbook, locale), f"{round(expected, 1):g}"
    if locale == "zh-CN":
        return f"{named}：{count}件，预期{usual}件"
    return f"{named}: {count}, expected {usual}"
