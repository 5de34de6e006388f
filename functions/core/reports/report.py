"""The shapes of reports (`text/shapes.py` explains shapes). Durations are seconds."""

# ruff: noqa: UP013 - fields side by side: a class would take a line for each

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from functions.core.domain.playbook_reports import ReportKind
from functions.core.text.shapes import Time

Dimension = Literal["type", "tag", "team", "agent", "channel", "priority", "product"]

CountView = TypedDict("CountView", {"n": int})
"""A number of tickets."""

SecondsView = TypedDict("SecondsView", {
    "mean": float | None, "median": float | None, "p90": float | None,
})  # fmt: skip
"""Of durations; null for none. The median is the mean of the two middle ones, p90 the
ceil(0.9 n)-th."""

DurationView = TypedDict("DurationView", {
    "n": int, "mean": float | None, "median": float | None, "p90": float | None,
    "business": SecondsView,
})  # fmt: skip
"""Durations of the clock, and in the desk's opening hours."""

ShareView = TypedDict("ShareView", {"n": int, "of": int, "share": float | None})
"""`n` tickets of `of`; the share is null of none."""

SlaKindView = TypedDict("SlaKindView", {
    "n": int, "met": int, "breached": int, "cancelled": int, "share": float | None,
})  # fmt: skip
"""The deadlines of a kind that were due; `n` without the cancelled ones."""

SlaView = TypedDict("SlaView", {
    "n": int, "met": int, "breached": int, "cancelled": int, "share": float | None,
    "running": int, "by_kind": dict[str, SlaKindView],
})  # fmt: skip
"""The deadlines that were due; `n` without the cancelled ones. `running` ones run or are paused at
the end."""

CsatView = TypedDict("CsatView", {
    "n": int, "good": int, "share": float | None, "asked": int, "answer_rate": float | None,
    "mean": float | None,
})  # fmt: skip
"""Satisfaction: `n` answers to the `asked` surveys that ended in the period."""

BacklogView = TypedDict("BacklogView", {
    "opening": int, "received": int, "reopened": int, "unmerged": int, "resolved": int,
    "closed": int, "merged": int, "closing": int, "by_age": dict[str, int],
})  # fmt: skip
"""Open tickets: opening + received + reopened + unmerged − resolved − closed − merged = closing."""

TeamAnswersView = TypedDict("TeamAnswersView", {
    "n": int, "in_time": int, "share": float | None, "mean": float | None,
})  # fmt: skip
"""The answers of a department."""

CollaborationView = TypedDict("CollaborationView", {
    "n": int, "in_time": int, "share": float | None, "mean": float | None,
    "by_team": dict[str, TeamAnswersView],
})  # fmt: skip
"""The answers of other departments; `mean` is their wait."""

AssistantView = TypedDict("AssistantView", {
    "confirmed": int, "silent": int, "handed_over": int,
})  # fmt: skip
"""The chats with the assistant by their ends."""

PartView = TypedDict("PartView", {"part": str, "n": int})
"""A part, and how often it was used."""

PartsView = TypedDict("PartsView", {"n": int, "top": list[PartView]})
"""The parts that were used; the top five."""

CostView = TypedDict("CostView", {
    "usd_units": str, "agent": str, "parts": str, "compensation": str, "remainder": str | None,
    "total": str, "currency": str,
})  # fmt: skip
"""The costs of the period, as decimals in `currency`; `usd_units` are the metered units in USD."""

FiguresView = TypedDict("FiguresView", {
    "volume": CountView, "first_response": DurationView,
    "first_response_after_handover": DurationView, "resolution_first": DurationView,
    "resolution_full": DurationView, "work_time": DurationView, "reopened": ShareView,
    "one_touch": ShareView, "first_time_fix": ShareView, "sla": SlaView, "csat": CsatView,
    "backlog": BacklogView, "collaboration": CollaborationView, "assistant": AssistantView,
    "parts": PartsView, "cost": CostView | None,
})  # fmt: skip
"""The figures of a period (`docs/reports.md`)."""

RowView = TypedDict("RowView", {
    "value": str, "label": str, "volume": CountView, "first_response": DurationView,
    "first_response_after_handover": DurationView, "resolution_first": DurationView,
    "resolution_full": DurationView, "work_time": DurationView, "reopened": ShareView,
    "one_touch": ShareView, "first_time_fix": ShareView, "sla": SlaKindView, "csat": CsatView,
    "backlog": CountView, "handled": NotRequired[int], "handling": NotRequired[int],
    "signed_in": NotRequired[int], "occupancy": NotRequired[float | None],
})  # fmt: skip
"""The figures of a type, tag, team, agent, channel, priority or product. For agents: the tickets
`handled`, the seconds of handling and of being signed in, and the one by the other."""

TableView = TypedDict("TableView", {"dimension": Dimension, "rows": list[RowView]})
"""The figures divided by a dimension, the most tickets first."""

ProblemShareView = TypedDict("ProblemShareView", {
    "tag": str, "label": str, "n": int, "share": float,
})  # fmt: skip
"""A problem by its tag, and its share of the volume."""

SuggestionOfReport = TypedDict("SuggestionOfReport", {
    "group": str, "label": str, "n": int, "share": float, "usual": float | None,
    "suggestion": str | None, "text": str,
})  # fmt: skip
"""A type, tag or product that stands out, in a sentence (B11); `usual` is its share before."""

ReportJumpView = TypedDict("ReportJumpView", {
    "day": str, "label": str, "group": str, "count": int, "expected": float, "tickets": list[str],
})  # fmt: skip
"""A group with far more tickets on a day than on this weekday in the eight weeks before (D16)."""

CorrectionView = TypedDict("CorrectionView", {
    "period": str, "figure": str, "group": str | None, "from": float | None, "to": float | None,
    "tickets": list[str],
})  # fmt: skip
"""A figure of an earlier report that has changed since: its count, or the mean of durations.
`group` if only that of a type has."""

PhrasingView = TypedDict("PhrasingView", {"text": str, "from": str})
"""A customer's words, masked, and the ticket, or the chat and message, that they are from."""

FrequentQuestion = TypedDict("FrequentQuestion", {
    "n": int, "share": float, "source": str, "article": str | None,
    "phrasings": list[PhrasingView],
})  # fmt: skip
"""A frequent question, as material for templates and articles (E8). The first phrasing is the one
that is most like the others."""

ReportView = TypedDict("ReportView", {
    "desk": str, "kind": ReportKind, "period": str, "definitions": int, "from": Time, "to": Time,
    "timezone": str, "generated_at": Time, "adds_up": bool, "problems": list[str],
    "figures": FiguresView, "tables": list[TableView], "top_problems": list[ProblemShareView],
    "suggestions": list[SuggestionOfReport], "jumps": list[ReportJumpView],
    "corrections": list[CorrectionView], "questions": list[FrequentQuestion],
})  # fmt: skip
"""A report. It is never rewritten: what changes later is in the `corrections` of a later one."""

BehindView = TypedDict("BehindView", {
    "number": str, "version": int, "value": float | None, "business": float | None,
    "hit": int | None, "item": str, "agent": str, "groups": list[str], "counted": bool,
    "reason": str,
})  # fmt: skip
"""A row behind a figure; `hit` if it counts for a share. Where it is not `counted`, `reason` says
why: `merged` into which ticket, `cancelled`, `unanswered`."""

BehindList = TypedDict("BehindList", {
    "figure": str, "tickets": list[BehindView], "cursor": str | None,
})  # fmt: skip
"""A page of the rows behind a figure."""

ChangeView = TypedDict("ChangeView", {
    "figure": str, "label": str, "before": float | None, "after": float | None,
    "change": float | None, "n_before": int, "n_after": int,
})  # fmt: skip
"""A figure before and after a date: a count, a share, or the mean of durations; `change` is the
difference by the value before."""

ComparisonView = TypedDict("ComparisonView", {
    "desk": str, "date": str, "days": int, "timezone": str, "figures": list[ChangeView],
})  # fmt: skip
"""The figures of as many days before and after a date."""
