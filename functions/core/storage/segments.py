"""The segments that search reads: objects in S3, kept in this container (decision 35)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from functions.core.domain.errors import TryAgain
from functions.core.storage.manifests import Manifest, SegmentRef
from functions.core.storage.objects import read_object
from functions.core.storage.table import stamp
from functions.core.text.search import Segment

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "search/"
"""The segments' folder in the mail bucket. They do not expire: an erasure deletes from them."""
_KEPT_BYTES = 256 * 1024 * 1024
"""The memory of a container for segments."""
_BYTES_OF_TICKET = 200
_AT_ONCE = 8


@dataclass(frozen=True)
class Segments:
    """The segments in S3; this container keeps what it read last."""

    s3: S3Client
    bucket: str

    def put(self, desk: str, segment: Segment, now: datetime) -> SegmentRef:
        """Store a segment under a key of its own, which says when it was made."""
        from secrets import token_hex

        stored = f"{FOLDER}{desk}/{stamp(now)}-{token_hex(4)}"
        self.s3.put_object(Bucket=self.bucket, Key=stored, Body=segment.to_bytes())
        _keep(stored, segment)
        return SegmentRef(stored, len(segment), len(segment.text), max(segment.at, default=0))

    def get(self, refs: Sequence[SegmentRef]) -> list[Segment]:
        """Return segments, several read at once.

        Raises:
            TryAgain: one has been replaced since the manifest was read.
        """
        missing = [ref.key for ref in refs if ref.key not in _kept()]
        if len(missing) > 1:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(_AT_ONCE) as pool:
                read = dict(zip(missing, pool.map(self._read, missing), strict=True))
        else:
            read = {name: self._read(name) for name in missing}
        found = [read[ref.key] if ref.key in read else _kept()[ref.key] for ref in refs]
        for ref, segment in zip(refs, found, strict=True):
            _keep(ref.key, segment)
        return found

    def forget_others(self, manifest: Manifest) -> None:
        """Let this container forget a desk's segments that were replaced."""
        folder = f"{FOLDER}{manifest.desk}/"
        for name in manifest.without([name for name in _kept() if name.startswith(folder)]):
            del _kept()[name]

    def _read(self, name: str) -> Segment:
        body = read_object(self.s3, self.bucket, name)
        if body is None:
            raise TryAgain(f"{name} was replaced")
        return Segment.from_bytes(body)

    def delete(self, names: Iterable[str]) -> None:
        """Delete segments by their keys; missing ones do not matter."""
        for name in names:
            self.s3.delete_object(Bucket=self.bucket, Key=name)
            _kept().pop(name, None)

    def names(self, desk: str, before: datetime) -> list[str]:
        """List the segments of a desk that were made before a time."""
        folder = f"{FOLDER}{desk}/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=folder)
        listed = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return [name for name in listed if name < f"{folder}{stamp(before)}"]


@lru_cache(maxsize=1)
def _kept() -> OrderedDict[str, Segment]:
    """Key → the segment, the one used last at the end."""
    return OrderedDict()


def _keep(name: str, segment: Segment) -> None:
    kept = _kept()
    kept[name] = segment
    kept.move_to_end(name)
    held = sum(map(_memory, kept.values()))
    while held > _KEPT_BYTES and len(kept) > 1:
        held -= _memory(kept.popitem(last=False)[1])


def _memory(segment: Segment) -> int:
    return segment.text.__sizeof__() + len(segment) * _BYTES_OF_TICKET


def forget_segments() -> None:
    """Empty this container's memory of segments."""
    _kept().clear()
