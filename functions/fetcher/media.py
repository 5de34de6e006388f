"""Fetch the files of a message."""

from __future__ import annotations

from datetime import datetime

from functions.core.domain.fetching import MediaTask
from functions.core.platform.settings import Deployment


def fetch(deployment: Deployment, task: MediaTask, now: datetime) -> None:
    """Fetch the files of a message."""
    raise NotImplementedError
