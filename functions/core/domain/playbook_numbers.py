"""The patterns of numbers that a playbook sets: of tickets and of their handling records."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from functions.core.domain.playbook_types import Section


class Numbering(Section):
    """A3: the pattern of ticket numbers, e.g. `CS{date:%Y%m%d}{serial:03}`.

    `block` serials are drawn at once; with more than one, numbers have gaps and are not in order.
    """

    pattern: str
    restarts: Literal["day", "month", "year", "never"] = "day"
    block: int = Field(default=1, ge=1, le=1000)

    def write(self, local: datetime, serial: int) -> str:
        return self.pattern.format(date=local, serial=serial)

    def period(self, local: datetime) -> str:
        """Name the period, at a time in the desk's time zone, in which serials count up."""
        form = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y", "never": "ever"}[self.restarts]
        return local.strftime(form)


class Records(Section):
    """B7: the pattern of the numbers of handling records."""

    pattern: str = "{ticket}-{step:03}"
