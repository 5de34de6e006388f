"""What all tests share."""

from __future__ import annotations

from typing import Any

from botocore.loaders import JSONFileLoader

_read = JSONFileLoader.load_file
_kept: dict[str, Any] = {}


def _load_file(self: JSONFileLoader, file_path: str) -> Any:
    """AWS's service descriptions, read once a process: each test that mocks AWS begins with a
    session of its own, which would read megabytes of them again."""
    if file_path not in _kept:
        _kept[file_path] = _read(self, file_path)
    return _kept[file_path]


JSONFileLoader.load_file = _load_file  # type: ignore[method-assign]
