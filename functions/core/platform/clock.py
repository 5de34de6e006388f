"""The clock, read at the edges alone; every rule gets its moment passed in.

A desk's times are whole seconds: what a customer is told, what a timer keeps and when the sweep
rings then agree to the letter.
"""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This second, aware, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)
