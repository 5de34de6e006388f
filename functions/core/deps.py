"""What handlers hand to the rooms' functions: one store a deployment and container."""

from __future__ import annotations

from functools import lru_cache

from functions.core import aws
from functions.core.settings import Place
from functions.core.store import Store


@lru_cache(maxsize=4)
def store(place: Place) -> Store:
    """The table of a deployment; it keeps playbooks between calls."""
    return Store(aws.dynamodb(), place.table)
