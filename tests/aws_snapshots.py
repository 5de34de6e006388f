"""AWS in memory, also as it once stood: put back for a test instead of being made again.

A deployment takes some thirty calls; copying what moto holds after them takes none.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from threading import Condition
from typing import Any

import pytest
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.ssm.models import ParameterDict

_services: list[BackendDict[Any]] = BackendDict._instances  # type: ignore[misc]
_Place = tuple[BackendDict[Any], str, str]
_kept: dict[Hashable, dict[_Place, tuple[Any, dict[str, Any]]]] = {}


@contextmanager
def aws_in_memory(region: str = "us-east-1") -> Iterator[None]:
    """An AWS with nothing in it, and the surroundings of a function that is to use it."""
    with pytest.MonkeyPatch.context() as surroundings, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            surroundings.setenv(name, "testing")
        surroundings.setenv("AWS_DEFAULT_REGION", region)
        surroundings.delenv("AWS_ENDPOINT_URL", raising=False)
        yield


def kept(what: Hashable, make: Callable[[], None]) -> None:
    """Let an AWS that is still empty be as `make` leaves it, called once a process and `what`."""
    if what not in _kept:
        make()
        there = {
            (services, account, region): backend
            for services in list(_services)
            for account, regions in list(services.items())
            for region, backend in list(regions.items())
        }
        itself = {id(backend): backend for backend in there.values()}
        _kept[what] = {
            place: (backend, deepcopy(backend.__dict__, {**itself}))
            for place, backend in there.items()
        }
        return
    now = {place: place[0][place[1]][place[2]] for place in _kept[what]}
    # Where a service spoke of another one, it speaks of the one that is there now.
    instead = {id(then): now[place] for place, (then, _) in _kept[what].items()}
    for place, (_, state) in _kept[what].items():
        now[place].__dict__.update(deepcopy(state, {**instead}))


def _parameters(held: Any) -> Any:
    return ParameterDict, (held.account_id, held.region_name), None, None, iter(held.items())


copyreg.pickle(Condition, lambda _lock: (Condition, ()))
copyreg.pickle(ParameterDict, _parameters)
