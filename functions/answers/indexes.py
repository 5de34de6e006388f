"""The desks' indexes: one for each version of a knowledge base, in S3 and in this container."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from functions.answers.building import build
from functions.answers.encoder import Encoder, remembered
from functions.answers.index import AnswerIndex, Asked, StaleIndex
from functions.core.domain.knowledge import KnowledgeBase
from functions.core.storage.knowledge import Knowledge
from functions.core.storage.objects import read_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "answers/"
"""The indexes' folder in the mail bucket. They expire, and are built again when needed."""
_LAST = 0
"""The version under which the index that was built last is stored once more: the next one takes
over the vectors of the phrasings that it still has."""


@dataclass(frozen=True)
class Indexes:
    """The indexes of all desks; without an encoder they are of words alone and stay here."""

    knowledge: Knowledge
    s3: S3Client
    bucket: str
    encoder: Encoder | None

    def get(self, desk: str, now: datetime) -> AnswerIndex:
        """Return the index of the desk's current articles.

        While the index of a new version is not built, the one of words alone serves: it takes no
        encoder, and offers articles instead of giving one at once.
        """
        base = self.knowledge.get(desk, now)
        kept = loaded().get(desk)
        if kept is not None and kept[0] == base.version and (kept[1].dense or not self.encoder):
            return kept[1]
        index = self._stored(desk, base.version) if self.encoder else None
        if index is None and kept is not None and kept[0] == base.version:
            return kept[1]
        index = index or build(_asked(base), None)
        loaded()[desk] = (base.version, index)
        return index

    def prepare(self, desk: str, now: datetime) -> None:
        """Build and store the index of the desk's current articles, once for all callers."""
        base = self.knowledge.get(desk, now, fresh=True)
        if self.encoder is None or not base.version or self._stored(desk, base.version):
            return
        if not self.knowledge.claim_index(desk, base.version, now):
            return
        last = self._stored(desk, _LAST)
        index = build(_asked(base), remembered(self.encoder, last.vectors if last else {}))
        stored = index.to_bytes()
        for version in (base.version, _LAST):
            self.s3.put_object(Bucket=self.bucket, Key=_name(desk, version), Body=stored)
        loaded()[desk] = (base.version, index)

    def _stored(self, desk: str, version: int) -> AnswerIndex | None:
        body = read_object(self.s3, self.bucket, _name(desk, version))
        try:
            return None if body is None else AnswerIndex.from_bytes(body)
        except StaleIndex:
            return None


@lru_cache(maxsize=1)
def loaded() -> dict[str, tuple[int, AnswerIndex]]:
    """Desk → the version and index that this container used last."""
    return {}


def _name(desk: str, version: int) -> str:
    return f"{FOLDER}{desk}/{version:06}.zip"


def _asked(base: KnowledgeBase) -> Asked:
    """Return the phrasings of the articles that customers may be given."""
    return {
        name: {str(locale): phrasings for locale, phrasings in version.article.asked.items()}
        for name, version in base.articles.items()
        if version.article.state == "published" and version.article.audience == "customer"
    }
