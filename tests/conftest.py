"""What all tests share."""

from __future__ import annotations

from copy import copy, deepcopy
from typing import Any

from botocore.loaders import JSONFileLoader, Loader
from moto.dynamodb.models.table import Table

_read = JSONFileLoader.load_file
_kept: dict[str, Any] = {}


def _load_file(self: JSONFileLoader, file_path: str) -> Any:
    """AWS's service descriptions, read once a process: each test that mocks AWS begins with a
    session of its own, which would read megabytes of them again."""
    if file_path not in _kept:
        _kept[file_path] = _read(self, file_path)
    return _kept[file_path]


JSONFileLoader.load_file = _load_file  # type: ignore[method-assign]
_list = Loader.list_available_services
_listed: dict[str, Any] = {}


def _list_available_services(self: Loader, type_name: str) -> Any:
    """The folders of those descriptions, looked through once a process."""
    if type_name not in _listed:
        _listed[type_name] = _list(self, type_name)
    return _listed[type_name]


Loader.list_available_services = _list_available_services  # type: ignore[method-assign]


def _snapshot(table: Any, _memo: Any) -> Any:
    """What moto keeps of a table to undo a transaction, without copying each record of its past.

    Records of the stream are never changed, so their list is enough. Of the items, only the
    roster's are changed in place; all others are replaced.
    """
    kept = object.__new__(type(table))
    kept.__dict__.update(table.__dict__)
    kept.items = type(table.items)(dict)
    for partition, items in table.items.items():
        roster = partition.value.startswith("DESK#")
        kept.items[partition] = deepcopy(items) if roster else dict(items)
    if table.stream_shard is not None:
        kept.stream_shard = copy(table.stream_shard)
        kept.stream_shard.table = kept
        kept.stream_shard.items = list(table.stream_shard.items)
    return kept


Table.__deepcopy__ = _snapshot  # type: ignore[attr-defined]
