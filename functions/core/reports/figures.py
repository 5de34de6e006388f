"""The figures of reports: each is declared once, in words and in SQL (`docs/reports.md`).

The SQL is read over the CTE `changes` of `functions/reports/queries.py`: a row for each change of a
ticket, with what became of the ticket before the end of the period. Athena and DuckDB both read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from functions.core.domain.playbook_types import Locale
from functions.core.reports.report import Dimension

DEFINITIONS = 1
"""The version of the definitions; it changes when one of them does."""

REOPENED_WITHIN = timedelta(days=7)

Measure = Literal["count", "duration", "share", "sla", "csat", "backlog", "collaboration", "list",
                  "cost"]  # fmt: skip
"""The kind of a figure's values; the shapes are in `report.py`."""

Texts = dict[Locale, str]


@dataclass(frozen=True)
class Figure:
    """A figure: its words, and the rows behind it.

    - `rows`: the rows of `changes` that it is about, empty if no row is (backlog and cost);
    - `value`, `business`: of a row, in seconds, or a score;
    - `hit`: 1 if the row counts for the share;
    - `left_out`: why a row does not count, empty if it does;
    - `items`: the list column each entry of which is a row of its own, as `item`;
    - `part`: by which these are shown apart;
    - `at`: the Unix time by which a row belongs to a period, if not when it happened.
    """

    label: Texts
    definition: Texts
    measure: Measure
    rows: str = ""
    value: str = "NULL"
    business: str = "NULL"
    hit: str = "NULL"
    left_out: str = "excluded"
    items: str = ""
    part: str = "''"
    at: str = ""

    @property
    def seconds(self) -> bool:
        """Return whether the values are durations."""
        return self.measure in {"duration", "collaboration"}

    @property
    def keyed_by_ticket(self) -> bool:
        """Return whether a ticket is behind the figure at most once in a period."""
        return self.measure in {"count", "duration", "share"}


_LAST_RESOLUTION = "resolution IS NOT NULL AND from_last = 1"

FIGURES: dict[str, Figure] = {
    "volume": Figure(
        {"zh-CN": "受理量", "en": "Volume"},
        {
            "zh-CN": "本期收到的工单数；期末已被合并的不计，由合并目标代表。",
            "en": "Tickets received in the period. One that is merged at its end does not count: "
            "the merge target stands for it.",
        },
        "count",
        rows="is_received = 1",
        left_out="CASE WHEN last_target <> '' THEN 'merged' ELSE last_excluded END",
    ),
    "first_response": Figure(
        {"zh-CN": "首次响应时间", "en": "First response"},
        {
            "zh-CN": "从客户第一条消息到人工第一次公开回复；自动回执和智能助手不计。归回复人。",
            "en": "From the customer's first message to the first public reply by a person; "
            "acknowledgements and the assistant do not count. It belongs to who wrote the reply.",
        },
        "duration",
        rows="first_response IS NOT NULL",
        value="first_response",
        business="first_response_business",
    ),
    "first_response_after_handover": Figure(
        {"zh-CN": "转人工后首次响应时间", "en": "First response after hand-over"},
        {
            "zh-CN": "智能助手先接待时，从转人工到人工第一次公开回复。",
            "en": "Where the assistant came first: from the hand-over to the first public reply by "
            "a person.",
        },
        "duration",
        rows="after_handover IS NOT NULL",
        value="after_handover",
        business="after_handover_business",
    ),
    "resolution_first": Figure(
        {"zh-CN": "首次解决时间", "en": "Resolution, first"},
        {
            "zh-CN": "从收到工单到第一次解决，按首次解决所在的时期计。",
            "en": "From the receipt of the ticket to its first resolution, in the period of that.",
        },
        "duration",
        rows="resolution_first IS NOT NULL",
        value="resolution_first",
        business="resolution_first_business",
    ),
    "resolution_full": Figure(
        {"zh-CN": "完整解决时间", "en": "Resolution, full"},
        {
            "zh-CN": "从收到工单到本期最后一次解决；每张工单计一次。",
            "en": "From the receipt of the ticket to its last resolution in the period; each "
            "ticket once.",
        },
        "duration",
        rows=_LAST_RESOLUTION,
        value="resolution_full",
        business="resolution_full_business",
    ),
    "work_time": Figure(
        {"zh-CN": "处理时间", "en": "Work time"},
        {
            "zh-CN": "完整解决时间减去等待客户、等待配件等暂停时间，以及解决后到重开前的时间。",
            "en": "The full resolution without pauses, such as waiting for the customer or for "
            "parts, and without the time between a resolution and the reopening.",
        },
        "duration",
        rows=_LAST_RESOLUTION + " AND work IS NOT NULL",
        value="work",
        business="work_business",
    ),
    "reopened": Figure(
        {"zh-CN": "重开率", "en": "Reopened"},
        {
            "zh-CN": "本期解决的工单中，期末前且 7 天内重开的比例，之后再次解决的也计入；"
            "期末后的重开列入更正。",
            "en": "Of the tickets resolved in the period, those reopened within 7 days and before "
            "its end, also if resolved again. Later reopenings are corrections.",
        },
        "share",
        rows=_LAST_RESOLUTION,
        hit="reopened_soon",
    ),
    "one_touch": Figure(
        {"zh-CN": "一次回复解决率", "en": "One-touch"},
        {
            "zh-CN": "本期解决的工单中，人工只公开回复一次、未重开、未转派的比例。",
            "en": "Of the tickets resolved in the period, those with exactly one public reply by a "
            "person, never reopened and never reassigned.",
        },
        "share",
        rows=_LAST_RESOLUTION,
        hit="CASE WHEN reopened_at IS NULL THEN coalesce(one_touch, 0) ELSE 0 END",
    ),
    "first_time_fix": Figure(
        {"zh-CN": "一次修复率", "en": "First-time fix"},
        {
            "zh-CN": "本期解决的工单中，没有第二次上门、没有第二次处理、未重开的比例。",
            "en": "Of the tickets resolved in the period, those solved without a second visit or "
            "second handling, and not reopened.",
        },
        "share",
        rows=_LAST_RESOLUTION,
        hit="CASE WHEN reopened_at IS NULL THEN coalesce(first_time_fix, 0) ELSE 0 END",
    ),
    "sla": Figure(
        {"zh-CN": "SLA 达成率", "en": "SLA attainment"},
        {
            "zh-CN": "本期到期的时限中，达成 ÷（达成 + 超时）；已取消和进行中的另列。",
            "en": "Of the deadlines due in the period: met ÷ (met + breached). Cancelled and "
            "running ones are shown apart.",
        },
        "sla",
        rows="targets <> ''",
        hit="CASE WHEN split_part(item, '~', 2) = 'met' THEN 1 ELSE 0 END",
        left_out="CASE WHEN split_part(item, '~', 2) = 'cancelled' THEN 'cancelled' "
        "ELSE excluded END",
        items="targets",
        part="split_part(item, '~', 1)",
        at="TRY_CAST(split_part(item, '~', 3) AS bigint)",
    ),
    "csat": Figure(
        {"zh-CN": "满意度", "en": "Satisfaction"},
        {
            "zh-CN": "好评（5 分中的 4–5 分，或服务台自己的好评词）÷ 评价数；始终与回复率"
            "（评价数 ÷ 已结束的评价邀请）并列。归解决人。",
            "en": "Good scores (4–5 of 5, or the desk's good words) ÷ answers, always beside the "
            "answer rate: answers ÷ surveys that ended. It belongs to who resolved.",
        },
        "csat",
        rows="score IS NOT NULL OR survey_expired = 1",
        value="score",
        hit="good",
        left_out="CASE WHEN score IS NULL THEN 'unanswered' ELSE excluded END",
    ),
    "backlog": Figure(
        {"zh-CN": "未结工单", "en": "Backlog"},
        {
            "zh-CN": "期末仍未解决的工单，按工单年龄分组。期初 + 收到 + 重开 + 撤销合并 "
            "− 解决 − 关闭 − 合并 = 期末。",
            "en": "Tickets open at the end, by age. Opening + received + reopened + unmerged "
            "− resolved − closed − merged = closing.",
        },
        "backlog",
    ),
    "collaboration": Figure(
        {"zh-CN": "部门协同", "en": "Collaboration"},
        {
            "zh-CN": "其他部门的答复：有时限者的按时比例，和平均等待时间，按部门。",
            "en": "Answers of other departments: of those with a deadline, the share in time; and "
            "the mean wait, by department.",
        },
        "collaboration",
        rows="collaborations <> ''",
        value="TRY_CAST(split_part(item, '~', 2) AS bigint)",
        business="TRY_CAST(split_part(item, '~', 3) AS bigint)",
        hit="TRY_CAST(split_part(item, '~', 4) AS bigint)",
        items="collaborations",
        part="split_part(item, '~', 1)",
    ),
    "assistant": Figure(
        {"zh-CN": "智能助手", "en": "Assistant"},
        {
            "zh-CN": "智能助手的会话：客户确认已解决、客户未再回应、转人工；三个数字，不合并。",
            "en": "Chats of the assistant: confirmed (the customer said solved), silent, handed "
            "over. Three figures, never one.",
        },
        "list",
        rows="outcome <> ''",
        items="outcome",
        part="item",
    ),
    "parts": Figure(
        {"zh-CN": "用料", "en": "Parts"},
        {
            "zh-CN": "本期登记使用的配件数，及最常用的五种。",
            "en": "Parts written down as used in the period, and the top five.",
        },
        "list",
        rows="parts <> ''",
        items="parts",
        part="item",
    ),
    "cost": Figure(
        {"zh-CN": "成本", "en": "Cost"},
        {
            "zh-CN": "云服务用量按目录价 + 坐席分钟 × 服务台费率 + 登记的配件与补偿；"
            "与账单的差额另列。",
            "en": "Metered AWS units at list price + agent minutes × the desk's rate + parts and "
            "compensation written down; the remainder against the bill is its own line.",
        },
        "cost",
    ),
}
"""The figures by their names in the API, in the order of reports."""

BEHIND = {name: figure for name, figure in FIGURES.items() if figure.rows}
"""The figures that rows of facts are behind."""

DIMENSIONS: tuple[Dimension, ...] = (
    "type",
    "tag",
    "team",
    "agent",
    "channel",
    "priority",
    "product",
)
"""The values by which tables divide the figures."""

SINGLE = ("type", "channel", "priority")
"""Dimensions of which each ticket has exactly one value."""
