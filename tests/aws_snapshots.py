"""AWS in memory, restored from a snapshot instead of being set up again for each test.

Setting up a deployment takes some thirty calls; copying moto's state takes none.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, TypeVar, cast

import pytest
from moto import mock_aws

from tests.moto_internals import services, undisposed

_Backend = tuple[Any, str, str]
"""A service, an account and a region."""

_Made = TypeVar("_Made")

_made: dict[Hashable, Any] = {}
_snapshots: dict[Hashable, dict[_Backend, tuple[Any, dict[str, Any]]]] = {}


@contextmanager
def aws_in_memory(region: str = "us-east-1") -> Iterator[None]:
    """Provide an empty AWS and the environment variables that functions need for it."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_DEFAULT_REGION", region)
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        yield


def restore_or_make(key: Hashable, make: Callable[[], _Made]) -> _Made:
    """Restore AWS to the snapshot of a key; the first time, call `make` and take it.

    Returns what `make` returned.
    """
    if key not in _snapshots:
        _made[key] = make()
        backends = {
            (service, account, region): backend
            for service in services()
            for account, regions in list(service.items())
            for region, backend in list(regions.items())
        }
        # Backends refer to each other: a copy refers to the same backends.
        same = {id(backend): backend for backend in backends.values()}
        with undisposed():
            _snapshots[key] = {
                place: (backend, deepcopy(backend.__dict__, {**same}))
                for place, backend in backends.items()
            }
        return cast(_Made, _made[key])
    current = {place: place[0][place[1]][place[2]] for place in _snapshots[key]}
    replaced = {id(old): current[place] for place, (old, _) in _snapshots[key].items()}
    for place, (_, state) in _snapshots[key].items():
        current[place].__dict__.update(deepcopy(state, {**replaced}))
    return cast(_Made, _made[key])
