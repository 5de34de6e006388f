"""A report with something in every part of it."""

from typing import Any

from functions.core.reports.report import ReportView

DURATION: dict[str, Any] = {
    "n": 34, "mean": 1500.5, "median": 720, "p90": 5400,
    "business": {"mean": 900, "median": 540, "p90": 3600},
}  # fmt: skip
NONE: dict[str, Any] = {
    "n": 0, "mean": None, "median": None, "p90": None,
    "business": {"mean": None, "median": None, "p90": None},
}  # fmt: skip
CSAT = {"n": 20, "good": 17, "share": 0.85, "asked": 40, "answer_rate": 0.5, "mean": 4.3}
SLA = {"n": 40, "met": 36, "breached": 4, "cancelled": 3, "share": 0.9}


def share(n: int, of: int) -> dict[str, Any]:
    return {"n": n, "of": of, "share": n / of if of else None}


def row(value: str, label: str, volume: int, **more: Any) -> dict[str, Any]:
    return {
        "value": value, "label": label, "volume": {"n": volume}, "first_response": DURATION,
        "first_response_after_handover": NONE, "resolution_first": DURATION,
        "resolution_full": DURATION, "work_time": DURATION, "reopened": share(1, 30),
        "one_touch": share(12, 30), "first_time_fix": share(0, 0), "sla": SLA, "csat": CSAT,
        "backlog": {"n": 3}, **more,
    }  # fmt: skip


def sample_report(**changes: Any) -> ReportView:
    report: Any = {
        "desk": "testdesk", "kind": "weekly", "period": "2026-W10", "definitions": 1,
        "from": "2026-03-02T00:00:00+08:00", "to": "2026-03-09T00:00:00+08:00",
        "timezone": "Asia/Shanghai", "generated_at": "2026-03-09T00:20:00+08:00",
        "adds_up": True, "problems": [],
        "figures": {
            "volume": {"n": 40}, "first_response": DURATION, "first_response_after_handover": NONE,
            "resolution_first": DURATION, "resolution_full": {**DURATION, "median": 93_700},
            "work_time": DURATION, "reopened": share(1, 30), "one_touch": share(12, 30),
            "first_time_fix": share(0, 0), "sla": {**SLA, "running": 5, "by_kind": {
                "first_response": SLA,
            }}, "csat": CSAT, "backlog": {
                "opening": 5, "received": 40, "reopened": 1, "unmerged": 0, "resolved": 30,
                "closed": 2, "merged": 1, "closing": 13, "by_age": {
                    "<1d": 4, "1-3d": 5, "3-7d": 3, ">7d": 1,
                },
            }, "collaboration": {"n": 4, "in_time": 3, "share": 0.75, "mean": 5400, "by_team": {
                "general": {"n": 4, "in_time": 3, "share": 0.75, "mean": 5400},
            }}, "assistant": {"confirmed": 8, "silent": 3, "handed_over": 6},
            "parts": {"n": 5, "top": [{"part": "滤芯", "n": 4}, {"part": "=cmd()", "n": 1}]},
            "cost": {
                "usd_units": "0.61", "agent": "820.00", "parts": "120.00", "compensation": "0.00",
                "remainder": None, "total": "944.33", "currency": "CNY",
            },
        },
        "tables": [
            {"dimension": "type", "rows": [row("fault", "报障", 30), row("inquiry", "咨询", 10)]},
            {"dimension": "product", "rows": [row("=1+1", "=1+1", 4)]},
            {"dimension": "agent", "rows": [row(
                "agent-1", "客服-张", 20, handled=18, handling=7200, signed_in=14_400,
                occupancy=0.5,
            )]},
            {"dimension": "tag", "rows": []},
        ],
        "top_problems": [{"tag": "login", "label": "登录", "n": 12, "share": 0.3}],
        "suggestions": [{
            "group": "tag=login", "label": "登录", "n": 12, "share": 0.3, "usual": 0.1,
            "suggestion": "需优化登录流程", "text": "登录占比30%，需优化登录流程",
        }],
        "jumps": [{
            "day": "2026-03-03",
            "label": "型号 KFR-35 · 报障：12件，预期3件",
            "group": "product=KFR-35&type=fault", "count": 12, "expected": 3.0,
            "tickets": ["CS1", "CS2"],
        }],
        "corrections": [{
            "period": "2026-W09", "figure": "volume", "group": None, "from": 41, "to": 40,
            "tickets": ["CS9"],
        }],
        "questions": [{
            "n": 7, "share": 0.2, "source": "tickets", "article": None,
            "phrasings": [{"text": "怎么重置密码？", "from": "CS1"}],
        }],
    }  # fmt: skip
    return report | changes  # type: ignore[no-any-return]  # the shape is checked by its readers
