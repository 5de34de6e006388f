"""The roster: a desk's agents, their capacity, skills and presence."""

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

from functions.core.domain.calendar import WEEKDAYS, BusinessCalendar
from functions.core.domain.errors import Phrase
from functions.core.domain.ticket import Value

Role = Literal["agent", "supervisor", "qa", "finance", "admin"]

Shift = dict[str, list[list[str]]]
"""The hours of each weekday, in the form of a calendar's `hours`."""

_CLOCKS = str.maketrans("：～–—至~、，,", ":-----   ")
_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")

HANDLES_TICKETS: frozenset[Role] = frozenset({"agent", "supervisor", "qa"})
"""The roles that can be assigned tickets or call-backs."""


class Agent(Value):
    """A person who works at a desk; the desk `*` stands for every desk.

    `role` and `further_roles` are the person's roles, whatever a token says. Nobody who is not
    `active` may call the API or be assigned anything; whoever leaves is deactivated, so that the
    name keeps its history.

    `load` counts the tickets in hand. It changes in the same transaction as the ticket's handler,
    so it is always exact. `assigned_at` is the time of the last assignment. `display_name` is what
    customers read (客服-张); `email` gets what concerns this person alone. `products` and
    `languages` name what the agent covers; empty covers all. `level` is the seniority, 0 the first
    line. `shift` has the form of a calendar's `hours`.
    """

    desk: str
    username: str
    role: Role
    team: str
    capacity: int
    display_name: str = ""
    email: str = ""
    further_roles: tuple[Role, ...] = ()
    active: bool = True
    skills: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    level: int = 0
    shift: Shift = {}
    online: bool = False
    load: int = 0
    assigned_at: datetime | None = None

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset({self.role, *self.further_roles})

    @property
    def mark(self) -> str:
        """A text that is another whenever the entry is; presence and load do not count."""
        entry = self.model_dump_json(exclude={"active", "online", "load", "assigned_at"})
        return sha256(entry.encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """The name by which colleagues know the person."""
        return self.display_name or self.username

    @property
    def assignable(self) -> bool:
        return self.active and bool(self.roles & HANDLES_TICKETS)

    @property
    def has_capacity(self) -> bool:
        return self.assignable and self.online and self.load < self.capacity

    def on_shift(self, now: datetime, timezone: str) -> bool:
        """Return whether the agent's shift covers `now`; an agent without shifts is always on."""
        if not self.shift:
            return True
        hours = BusinessCalendar.from_dict({"timezone": timezone, "hours": self.shift})
        return hours.is_open(now)

    def shift_end(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the next end of a day's shift, its breaks included; None without shifts."""
        today = now.astimezone(zone).date()
        for day in (today + timedelta(days=ahead) for ahead in range(-1, 8)):
            ends = [
                datetime.combine(day, time(), zone) + _since_midnight(start, end)
                for start, end in self.shift.get(WEEKDAYS[day.weekday()], ())
            ]
            if ends and max(ends) > now:
                return max(ends)
        return None


def _since_midnight(start: str, end: str) -> timedelta:
    """Return the end of an interval of a calendar's `hours`, which may be over midnight."""
    hours, minutes = map(int, end.split(":"))
    return timedelta(days=int(end <= start), hours=hours, minutes=minutes)


def read_shift(days: Mapping[str, str]) -> Shift:
    """Read the hours of weekdays as people write them: `9:00-12:00, 13:30-18:00`.

    Raises:
        ValueError: they cannot be read; its argument says so for people.
    """
    shift: Shift = {}
    for day in WEEKDAYS:
        text = days.get(day, "").translate(_CLOCKS).replace(" - ", "-")
        pieces = text.split()
        found = [_INTERVAL.fullmatch(piece) for piece in pieces]
        hours = [[f"{m[1]:0>2}:{m[2]}", f"{m[3]:0>2}:{m[4]}"] for m in found if m]
        try:
            BusinessCalendar.from_dict({"timezone": "UTC", "hours": {day: hours}})
            readable = None not in found
        except ValueError:
            readable = False
        if not readable:
            example = "09:00-12:00 13:30-18:00"
            raise ValueError(
                Phrase("“{hours}”: write hours such as {example}", hours=text, example=example)
            )
        if hours:
            shift[day] = hours
    return shift
