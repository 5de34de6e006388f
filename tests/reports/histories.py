"""Facts written by hand: what a few tickets did, for tests of figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from functions.core.reports.columns import Fact

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    """Read a local time such as 11-27 08:30, in 2026."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=zone)


@dataclass
class History:
    """A ticket's facts; each call of `then` adds the next change."""

    number: str
    groups: tuple[str, ...] = ("type=fault", "channel=web", "priority=high", "team=technical")
    facts: list[Fact] = field(default_factory=list)

    def then(self, when: str | datetime, *flow: str, **values: Any) -> History:
        """Add a change; openness follows the flow."""
        happened = at(when) if isinstance(when, str) else when
        second = int(happened.timestamp())
        last = self.facts[-1] if self.facts else None
        is_open = last.is_open if last else 0
        if flow:
            is_open = int(flow[-1] in {"received", "reopened", "unmerged"})
        merged = flow[-1] == "merged" if flow else bool(last and last.excluded)
        fact = Fact(
            "ticket",
            self.number,
            len(self.facts) + 1,
            written=values.pop("written", second + 60),
            happened=second,
            received=self.facts[0].received if self.facts else second,
            groups=self.groups,
            is_open=is_open,
            flow=flow,
            excluded="merged" if merged else "",
            merged_into=values.pop("into", last.merged_into if last and merged else ""),
            previous=last.happened if last else None,
        )
        self.facts.append(replace(fact, **values))
        return self

    def resolve(self, when: str, seconds: int, resolution: int = 1, **values: Any) -> History:
        """Resolve the ticket: all durations are `seconds`, half of them in business hours."""
        measures: dict[str, Any] = {
            name: seconds // (2 if name.endswith("business") else 1)
            for name in (
                "resolution_full", "resolution_full_business", "work", "work_business",
                *(("resolution_first", "resolution_first_business") if resolution == 1 else ()),
            )
        }  # fmt: skip
        measures |= {"resolution": resolution, "agent": "li", "one_touch": 1, "first_time_fix": 1}
        return self.then(when, "resolved", **measures | values)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.facts)


def presence(name: str, when: str, online: int) -> Fact:
    second = int(at(when).timestamp())
    return Fact("presence", name, second, written=second, happened=second, presence=online)


def chat(name: str, when: str, outcome: str) -> Fact:
    second = int(at(when).timestamp())
    return Fact("chat", name, 1, second, second, outcome=outcome, groups=("channel=chat",))


def hours(count: float) -> int:
    return int(timedelta(hours=count).total_seconds())
