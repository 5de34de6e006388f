"""Build the dependencies that handlers pass to their functions."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from functions.core.platform import aws
from functions.core.platform.settings import Deployment
from functions.core.storage.store import Store

if TYPE_CHECKING:
    from functions.core.services.create_ticket import Filing


@lru_cache(maxsize=4)
def store(deployment: Deployment) -> Store:
    """Return the store of a deployment, which caches playbooks between calls."""
    return Store(aws.dynamodb(), deployment.table)


def filing(deployment: Deployment, now: datetime) -> Filing:
    """Return the dependencies of filing a ticket."""
    from functions.core.services.create_ticket import Filing

    return Filing(
        store=store(deployment),
        seal=lambda desk, number, contact: aws.seal(deployment, desk, number, contact),
        seal_original=lambda desk, number, words: aws.seal_original(
            deployment, desk, number, words
        ),
        root=aws.root_key(deployment),
        public_url=aws.public_url(deployment),
        now=now,
    )
