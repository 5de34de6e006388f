"""Agents as routing sees them: teams, places, presence."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from functions.core.ticket import Value

Role = Literal["agent", "supervisor", "qa", "finance", "admin"]


class Agent(Value):
    """One agent of a desk.

    `load` counts the tickets in hand; it is raised and lowered in the same transaction as the
    ticket changes hands, so it is never a guess. `assigned_at` is the last time a ticket came.
    """

    desk: str
    username: str
    role: Role
    team: str
    capacity: int
    online: bool = False
    load: int = 0
    assigned_at: datetime | None = None

    @property
    def has_room(self) -> bool:
        return self.online and self.load < self.capacity
