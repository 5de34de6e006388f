"""Agents as routing sees them: teams, places, presence."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from functions.core.domain.calendar import BusinessCalendar
from functions.core.domain.ticket import Value

Role = Literal["agent", "supervisor", "qa", "finance", "admin"]


class Agent(Value):
    """One agent of a desk.

    `load` counts the tickets in hand; it is raised and lowered in the same transaction as the
    ticket changes hands, so it is never a guess. `assigned_at` is the last time a ticket came.
    `products` and `languages` say what the agent covers; none named covers all. `level` is the
    seniority, 0 the first line. `shift` has the shape of a calendar's `hours`.
    """

    desk: str
    username: str
    role: Role
    team: str
    capacity: int
    skills: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    level: int = 0
    shift: dict[str, list[list[str]]] = {}
    online: bool = False
    load: int = 0
    assigned_at: datetime | None = None

    @property
    def has_room(self) -> bool:
        return self.online and self.load < self.capacity

    def on_shift(self, now: datetime, timezone: str) -> bool:
        """Whether the agent's shift covers a moment; without one, presence alone counts."""
        if not self.shift:
            return True
        hours = BusinessCalendar.from_dict({"timezone": timezone, "hours": self.shift})
        return hours.is_open(now)
