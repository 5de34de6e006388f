"""The rows behind a report's figures, the tickets of its backlog, and their lines in S3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.core.reports.figures import FIGURES
from functions.core.reports.report import BehindView

AGENT, BY = "agent=", "by="
"""The beginnings of groups: the ticket's handler, and whom a row belongs to."""


def number(text: str) -> float | None:
    """Read a number as a query or line has it; empty is None, and whole ones are integers."""
    if not text:
        return None
    value = float(text)
    return int(value) if value.is_integer() else value


def count(text: str) -> int:
    return int(float(text)) if text else 0


@dataclass(frozen=True)
class Behind:
    """A row behind a figure. `hit` counts for a share; with a `reason` the row does not count."""

    number: str
    version: int
    value: float | None = None
    business: float | None = None
    hit: int | None = None
    item: str = ""
    agent: str = ""
    groups: tuple[str, ...] = ()
    reason: str = ""

    @classmethod
    def of_row(cls, row: Mapping[str, str]) -> Behind:
        """Read a row of `Queries.details`."""
        agent = row["agent"]
        groups = [name for name in row["last_groups"].split("|") if name]
        if agent:
            groups = [name for name in groups if not name.startswith(AGENT)] + [AGENT + agent]
        reason = row["reason"]
        if reason == "merged" and row["last_target"]:
            reason = f"merged {row['last_target']}"
        return cls(
            row["number"],
            count(row["version"]),
            number(row["measured"]),
            number(row["measured_business"]),
            None if row["hit"] == "" else count(row["hit"]),
            "" if row["item"] == "-" else row["item"],
            agent,
            tuple(groups),
            reason,
        )

    @classmethod
    def of_line(cls, line: str) -> Behind:
        ticket, version, value, business, hit, item, agent, groups, reason = line.split("\t")
        return cls(
            ticket,
            int(version),
            number(value),
            number(business),
            int(hit) if hit else None,
            item,
            agent,
            tuple(groups.split("|")) if groups else (),
            reason,
        )

    def line(self) -> str:
        cells = (
            self.number, self.version, self.value, self.business, self.hit, self.item, self.agent,
            "|".join(self.groups), self.reason,
        )  # fmt: skip
        return "\t".join("" if cell is None else str(cell) for cell in cells)

    def view(self) -> BehindView:
        return {
            "number": self.number,
            "version": self.version,
            "value": self.value,
            "business": self.business,
            "hit": self.hit,
            "item": self.item,
            "agent": self.agent,
            "groups": list(self.groups),
            "counted": not self.reason,
            "reason": self.reason,
        }

    def key(self, figure: str) -> str:
        """Name the row among those behind a figure in a period."""
        if FIGURES[figure].keyed_by_ticket:
            return self.number
        return f"{self.number}/{self.version}/{self.item}"

    @property
    def type(self) -> str:
        found = (name for name in self.groups if name.startswith("type="))
        return next(found, "").removeprefix("type=")


@dataclass(frozen=True)
class OpenTicket:
    """A ticket at the end of a period that is open or has running timers."""

    number: str
    received: int
    open: bool
    running: int = 0
    groups: tuple[str, ...] = ()

    @classmethod
    def of_line(cls, line: str) -> OpenTicket:
        ticket, received, is_open, running, groups = line.split("\t")
        named = tuple(groups.split("|")) if groups else ()
        return cls(ticket, int(received), is_open == "1", int(running), named)

    def line(self) -> str:
        return "\t".join(
            (self.number, str(self.received), str(int(self.open)), str(self.running),
             "|".join(self.groups))
        )  # fmt: skip
