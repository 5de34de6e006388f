"""The clock. Only handlers read it; rules receive the time as an argument.

Times are whole seconds, so that messages, timers and the sweep agree exactly.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in whole seconds, aware, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)
