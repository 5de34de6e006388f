"""The board's snapshots: one object per desk in S3, replaced by each newer one."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.core.reports.board import BoardSnapshot
from functions.core.storage.objects import read_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "board/"
"""The snapshots' folder in the mail bucket; they hold terms, numbers and usernames only."""


@dataclass(frozen=True)
class BoardSnapshots:
    """The snapshots of all desks."""

    s3: S3Client
    bucket: str

    def get(self, desk: str) -> BoardSnapshot | None:
        """Return a desk's snapshot; None if there is none yet."""
        body = read_object(self.s3, self.bucket, _key(desk))
        return None if body is None else BoardSnapshot.of(json.loads(gzip.decompress(body)))

    def put(self, desk: str, snapshot: BoardSnapshot) -> None:
        text = json.dumps(snapshot.document(), ensure_ascii=False, separators=(",", ":"))
        body = gzip.compress(text.encode(), mtime=0)
        self.s3.put_object(Bucket=self.bucket, Key=_key(desk), Body=body)


def _key(desk: str) -> str:
    return f"{FOLDER}{desk}.json.gz"
