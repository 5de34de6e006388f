"""Pull what a provider has announced."""

from __future__ import annotations

from datetime import datetime

from functions.core.domain.fetching import PullTask
from functions.core.platform.settings import Deployment


def pull(deployment: Deployment, task: PullTask, now: datetime) -> None:
    """Pull what a provider has announced."""
    raise NotImplementedError
