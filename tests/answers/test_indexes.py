"""The indexes of desks: built once for a version, stored, and read by every container."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from functions.answers import indexes
from functions.answers.building import build
from functions.answers.indexes import Indexes
from functions.answers.vectors import Floats
from functions.core.domain.knowledge import Article, ArticleVersion
from functions.core.storage.knowledge import BUILD_TIME, Knowledge
from functions.core.storage.table import Table
from tests.aws_snapshots import aws_in_memory
from tests.core.sample_desk import make_table

NOW, BUCKET = datetime(2026, 3, 10, 4, tzinfo=UTC), "deskbell-test-mail"
TEXTS = {"zh-CN": "退款", "en": "Refund"}


@pytest.fixture
def knowledge() -> Iterator[Knowledge]:
    indexes.loaded.cache_clear()
    with aws_in_memory():
        client = boto3.client("dynamodb")
        make_table(client, "deskbell-test")
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        knowledge = Knowledge(Table(client, "deskbell-test"))
        article = Article.model_validate(
            {"title": TEXTS, "solution": TEXTS, "asked": {"zh-CN": ["退款到哪了", "钱退了吗"]}}
        )
        knowledge.put("standard", "refund", ArticleVersion(1, "zg-1", NOW, article))
        yield knowledge
    indexes.loaded.cache_clear()


class CountingEncoder:
    """An encoder of characters that counts its calls and keeps what it has read."""

    def __init__(self) -> None:
        self.calls = 0
        self.read: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Floats:
        import numpy as np

        self.calls += 1
        self.read += texts
        rows = np.zeros((len(texts), 384), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[[crc32(char.encode()) % 384 for char in text]] += 1
            row /= np.linalg.norm(row)
        return rows


def container(knowledge: Knowledge, encoder: Any) -> Indexes:
    """A container that has just started."""
    indexes.loaded.cache_clear()
    knowledge.cache.clear()
    return Indexes(knowledge, boto3.client("s3"), BUCKET, encoder)


@pytest.mark.requirement("C4", "G1")
def test_an_index_is_built_once_and_stored(knowledge: Knowledge) -> None:
    encoder = CountingEncoder()
    assert container(knowledge, encoder).get("standard", NOW).dense is None, "words alone so far"
    for _ in range(2):
        container(knowledge, encoder).prepare("standard", NOW)
    assert encoder.calls == 1
    assert container(knowledge, encoder).get("standard", NOW).dense is not None


@pytest.mark.slow
def test_a_new_version_encodes_only_what_is_new(knowledge: Knowledge) -> None:
    container(knowledge, CountingEncoder()).prepare("standard", NOW)
    asked = {"zh-CN": ["退款到哪了", "钱退了吗", "退款要多久"], "en": ["where is my refund"]}
    article = Article.model_validate({"title": TEXTS, "solution": TEXTS, "asked": asked})
    knowledge.put("standard", "refund", ArticleVersion(2, "zg-1", NOW, article))
    encoder = CountingEncoder()
    container(knowledge, encoder).prepare("standard", NOW)
    assert encoder.read == ["退款要多久", "where is my refund"]
    anew = build({"refund": asked}, CountingEncoder())
    name = f"answers/standard/{2:06}.zip"
    stored = boto3.client("s3").get_object(Bucket=BUCKET, Key=name)["Body"].read()
    assert stored == anew.to_bytes(), "the same index as without the one before"


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_an_index_that_is_missing_is_no_error(knowledge: Knowledge, code: str) -> None:
    """S3 says AccessDenied of what is missing to who may not list the bucket, as on AWS."""
    unprepared = container(knowledge, CountingEncoder())
    with Stubber(unprepared.s3) as s3:
        s3.add_client_error("get_object", code)
        assert unprepared.get("standard", NOW).dense is None
    indexes.loaded.cache_clear()
    with Stubber(unprepared.s3) as s3:
        s3.add_client_error("get_object", "SlowDown")
        with pytest.raises(ClientError):
            unprepared.get("standard", NOW)


def test_what_is_being_built_is_not_built_twice(knowledge: Knowledge) -> None:
    assert knowledge.claim_index("standard", 1, NOW)
    encoder = CountingEncoder()
    container(knowledge, encoder).prepare("standard", NOW)
    assert encoder.calls == 0
    container(knowledge, encoder).prepare("standard", NOW + BUILD_TIME * 2)
    assert encoder.calls == 1, "a builder that died does not block for ever"


def test_without_an_encoder_words_alone_decide(knowledge: Knowledge) -> None:
    unprepared = container(knowledge, None)
    unprepared.prepare("standard", NOW)
    assert unprepared.get("standard", NOW).dense is None
