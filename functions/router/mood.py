"""Ask the function `answers` whether a customer is upset (B13, E9).

A ticket is routed with or without an answer: whatever goes wrong is logged, and the mood is left
unknown.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from functions.core.assistant.engine import upset
from functions.core.deliver import once
from functions.core.domain.errors import TryAgain
from functions.core.domain.playbook_assistant import MoodByExamples
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment

log = logger("router")

READ_TIMEOUT = 5
"""Seconds that the router waits for an answer; a cold engine takes about four."""

PAUSE = timedelta(seconds=30)
"""The time for which a container does not ask again after a failure: an engine that hangs costs the
tickets of a batch one time limit together, not one each."""

_silent_until: dict[Deployment, datetime] = {}


def reader(
    deployment: Deployment, desk: str, by: MoodByExamples, now: datetime
) -> Callable[[str], bool]:
    """Return what tells whether the writer of a text is upset, and asks once for each text."""

    @cache
    def is_upset(text: str) -> bool:
        if not text.strip() or now < _silent_until.get(deployment, now):
            return False
        try:
            return upset(once.client("lambda", READ_TIMEOUT), deployment, desk, by, text)
        except TryAgain as error:
            log.warning("mood.unknown", extra={"desk": desk, "cause": str(error)})
            _silent_until[deployment] = now + PAUSE
            return False

    return is_upset
