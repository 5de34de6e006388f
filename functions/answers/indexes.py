"""What is computed once, then kept in S3 and in this container: the index of each version of a
knowledge base, and the layer over the examples of moods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from functions.answers import mood
from functions.answers.building import build
from functions.answers.encoder import MODEL, Encoder, remembered
from functions.answers.index import AnswerIndex, Asked, StaleIndex
from functions.core.domain.knowledge import KnowledgeBase
from functions.core.storage.knowledge import Knowledge

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.answers.vectors import Dense

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

    def mood_layer(self, examples: mood.Examples, embed: Encoder) -> Dense:
        """Return the layer over examples of moods, whose vectors take seconds and are stored."""
        kept = _layers().get((examples, embed))
        if kept is not None:
            return kept
        import numpy as np

        digest = sha256("\0".join((MODEL, *examples.texts)).encode()).hexdigest()
        name = f"{FOLDER}mood/{digest}"
        stored = self._read(name)
        if stored is None:
            vectors = embed(examples.texts).astype(np.float32)
            self.s3.put_object(Bucket=self.bucket, Key=name, Body=vectors.tobytes())
        else:
            vectors = np.frombuffer(stored, np.float32).reshape(len(examples.texts), -1)
        known = dict(zip(examples.texts, vectors, strict=True))
        _layers()[examples, embed] = layer = mood.fit(examples, remembered(embed, known))
        return layer

    def _stored(self, desk: str, version: int) -> AnswerIndex | None:
        stored = self._read(_name(desk, version))
        try:
            return None if stored is None else AnswerIndex.from_bytes(stored)
        except StaleIndex:
            return None

    def _read(self, name: str) -> bytes | None:
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=name)["Body"].read()
        except ClientError as error:
            # Who may not list a bucket gets AccessDenied for what is missing.
            if error.response["Error"]["Code"] not in {"NoSuchKey", "AccessDenied"}:
                raise
            return None


@lru_cache(maxsize=1)
def loaded() -> dict[str, tuple[int, AnswerIndex]]:
    """Desk → the version and index that this container used last."""
    return {}


@lru_cache(maxsize=1)
def _layers() -> dict[tuple[mood.Examples, Encoder], Dense]:
    """Examples and encoder → the layer over them, in this container."""
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
