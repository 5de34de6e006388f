"""The manifests: which segments search reads for a desk (decision 35)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.storage.journal import KEPT_FOR
from functions.core.storage.table import Item, key, parse_stamp, stamp

if TYPE_CHECKING:
    from functions.core.storage.table import Table

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

    def without(self, names: Iterable[str]) -> list[str]:
        """Return those of the names of segments that the manifest does not have."""
        used = {ref.key for ref in self.segments}
        return [name for name in names if name not in used]


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
        return self.table.put_next(item, manifest.version)


def _read(item: Item) -> Manifest:
    segments = (SegmentRef(**each) for each in json.loads(item["body"]["S"]))
    return Manifest(
        item["sk"]["S"],
        parse_stamp(item["through"]["S"]),
        tuple(segments),
        int(item["rewritten"]["N"]),
        int(item["version"]["N"]),
    )


def with_segments(
    manifest: Manifest, gone: Sequence[SegmentRef], new: Sequence[SegmentRef], through: datetime
) -> Manifest:
    """Return a manifest with some segments replaced by others; it still has its version."""
    left = [ref for ref in manifest.segments if ref not in gone]
    return replace(manifest, segments=(*left, *new), through=through)
