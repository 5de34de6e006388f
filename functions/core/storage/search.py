"""What search reads: each desk's manifest in the table, and its segments in S3 (decision 35)."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from secrets import token_hex
from typing import TYPE_CHECKING

from functions.core.domain.errors import TryAgain
from functions.core.storage.journal import KEPT_FOR
from functions.core.storage.table import Item, key, parse_stamp, stamp
from functions.core.text.search import Segment

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.core.storage.table import Table

FOLDER = "search/"
"""The segments' folder in the mail bucket. They do not expire: an erasure deletes from them."""
SETTLED_AFTER = timedelta(minutes=2)
"""The age at which everything in the journal can be read: longer than `notify` runs, and clocks
differ by less than the rest."""
_KEPT_BYTES = 256 * 1024 * 1024
"""The memory of a container for segments."""
_BYTES_OF_TICKET = 200
_AT_ONCE = 8
_PARTITION = "SEARCH#DESKS"


@dataclass(frozen=True)
class SegmentRef:
    """A segment by its key in S3; `size` in characters, `last` is its newest ticket's time."""

    key: str
    tickets: int
    size: int
    last: int


@dataclass(frozen=True)
class Manifest:
    """The segments of a desk, in no order, and the arrival up to which they have the journal.

    `rewritten` counts the rewritings after erasures.
    """

    desk: str
    through: datetime
    segments: tuple[SegmentRef, ...] = ()
    rewritten: int = 0
    version: int = 0


@dataclass
class Manifests:
    """The manifests of all desks, in one partition, so that one query lists them."""

    table: Table

    def start(self, desk: str, now: datetime) -> bool:
        """Give a desk its manifest, which has nothing yet; False if it has one."""
        return self.put(Manifest(desk, now - KEPT_FOR))

    def get(self, desk: str, *, consistent: bool = False) -> Manifest | None:
        item = self.table.get(_PARTITION, desk, consistent=consistent)
        return None if item is None else _read(item)

    def list(self) -> Iterator[Manifest]:
        query = "pk = :pk"
        for item in self.table.query(
            KeyConditionExpression=query, ExpressionAttributeValues={":pk": {"S": _PARTITION}}
        ):
            yield _read(item)

    def put(self, manifest: Manifest) -> bool:
        """Put the next version of a manifest; False if another was put since it was read."""
        segments = [asdict(each) for each in manifest.segments]
        item: Item = key(_PARTITION, manifest.desk) | {
            "version": {"N": str(manifest.version + 1)},
            "through": {"S": stamp(manifest.through)},
            "rewritten": {"N": str(manifest.rewritten)},
            "body": {"S": json.dumps(segments)},
        }
        if not manifest.version:
            return self.table.put_if("attribute_not_exists(pk)", item)
        return self.table.put_if(
            "version = :version",
            item,
            ExpressionAttributeValues={":version": {"N": str(manifest.version)}},
        )


def _read(item: Item) -> Manifest:
    segments = (SegmentRef(**each) for each in json.loads(item["body"]["S"]))
    return Manifest(
        item["sk"]["S"],
        parse_stamp(item["through"]["S"]),
        tuple(segments),
        int(item["rewritten"]["N"]),
        int(item["version"]["N"]),
    )


@dataclass(frozen=True)
class Segments:
    """The segments in S3; this container keeps what it read last."""

    s3: S3Client
    bucket: str

    def put(self, desk: str, segment: Segment, now: datetime) -> SegmentRef:
        """Store a segment under a key of its own, which says when it was made."""
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
        used = {ref.key for ref in manifest.segments}
        folder = f"{FOLDER}{manifest.desk}/"
        for name in [name for name in _kept() if name.startswith(folder) and name not in used]:
            del _kept()[name]

    def _read(self, name: str) -> Segment:
        from botocore.exceptions import ClientError

        try:
            found = self.s3.get_object(Bucket=self.bucket, Key=name)
        except ClientError as error:
            # Who may not list a bucket gets AccessDenied for what is missing.
            if error.response["Error"]["Code"] not in {"NoSuchKey", "AccessDenied"}:
                raise
            raise TryAgain(f"{name} was replaced") from error
        return Segment.from_bytes(found["Body"].read())

    def delete(self, refs: Sequence[SegmentRef]) -> None:
        for ref in refs:
            self.s3.delete_object(Bucket=self.bucket, Key=ref.key)
            _kept().pop(ref.key, None)

    def delete_left_over(self, manifest: Manifest, before: datetime) -> None:
        """Delete a desk's segments that were made before a time and are in no manifest now."""
        used = {ref.key for ref in manifest.segments}
        folder = f"{FOLDER}{manifest.desk}/"
        for page in self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=folder
        ):
            for item in page.get("Contents", []):
                if item["Key"] not in used and item["Key"] < f"{folder}{stamp(before)}":
                    self.s3.delete_object(Bucket=self.bucket, Key=item["Key"])


def with_segments(
    manifest: Manifest, gone: Sequence[SegmentRef], new: Sequence[SegmentRef], through: datetime
) -> Manifest:
    left = [ref for ref in manifest.segments if ref not in gone]
    return replace(manifest, segments=(*left, *new), through=through)


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
