"""The desks' knowledge bases: each article with its versions, and a cache of the current ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from functions.core.domain.errors import StaleArticle, TryAgain
from functions.core.domain.knowledge import Article, ArticleVersion, KnowledgeBase
from functions.core.storage.playbooks import PLAYBOOK_TTL
from functions.core.storage.table import (
    REFUSED,
    Item,
    Table,
    Write,
    beginning,
    key,
    parse_stamp,
    stamp,
)

BASE = "BASE"
ARTICLE, VERSION = "ARTICLE#", "VERSION#"
"""The prefixes of the sort keys of current articles and of all versions: a list of the articles
reads no former versions."""

BUILD_TIME = timedelta(minutes=5)
"""The time that the function `answers` has to build an index."""

MAX_VERSIONS = 50
"""The most versions that a history shows."""


class CachedBase(NamedTuple):
    """A desk's knowledge base and the time at which it was found to be current."""

    read_at: datetime
    base: KnowledgeBase


@dataclass
class Knowledge:
    """The knowledge bases of all desks; `cache` keeps them between calls."""

    table: Table
    cache: dict[str, CachedBase] = field(default_factory=dict)

    def get(self, desk: str, now: datetime, *, fresh: bool = False) -> KnowledgeBase:
        """The desk's knowledge base, at most `PLAYBOOK_TTL` old.

        One that has not changed is the same object as before, and costs half a read.

        Args:
            fresh: as it is now; costs one read.
        """
        cached = self.cache.get(desk)
        if cached is not None and not fresh and abs(now - cached.read_at) < PLAYBOOK_TTL:
            return cached.base
        version = self.version(desk, consistent=fresh)
        if cached is not None and cached.base.version == version:
            base = cached.base
        else:
            base = self._read(desk, version)
        self.cache[desk] = CachedBase(now, base)
        return base

    def version(self, desk: str, *, consistent: bool = True) -> int:
        """The version of the desk's knowledge base, 0 if it never had an article."""
        item = self.table.get(_partition(desk), BASE, consistent=consistent)
        return int(item["version"]["N"]) if item else 0

    def _read(self, desk: str, version: int) -> KnowledgeBase:
        """Read the desk's articles, which are at least as new as the base's version."""
        if not version:
            return KnowledgeBase()
        items = self.table.query(**beginning(_partition(desk), ARTICLE), ConsistentRead=True)
        found = {item["sk"]["S"].removeprefix(ARTICLE): _version(item) for item in items}
        return KnowledgeBase(version, found)

    def article(self, desk: str, name: str) -> ArticleVersion | None:
        item = self.table.get(_partition(desk), f"{ARTICLE}{name}", consistent=True)
        return _version(item) if item else None

    def versions(self, desk: str, name: str) -> Sequence[ArticleVersion]:
        """The last `MAX_VERSIONS` versions of an article, newest first."""
        query = beginning(_partition(desk), f"{VERSION}{name}#")
        items, _ = self.table.query_page(**query, ScanIndexForward=False, Limit=MAX_VERSIONS)
        return [_version(item) for item in items]

    def put(
        self, desk: str, name: str, new: ArticleVersion, audit: Write | None = None
    ) -> ArticleVersion:
        """Store an article's next version, make it current and count the base's version.

        Args:
            audit: the entry of the audit that is written with it.

        Raises:
            StaleArticle: somebody else has stored this version.
            TryAgain: the table was too busy.
        """
        self.cache.pop(desk, None)
        writes = self._writes(desk, name, new)
        failures = self.table.transact([*writes, audit] if audit else writes)
        if REFUSED in failures.values():
            raise StaleArticle("The article was changed at the same time; read it again.")
        if failures:
            raise TryAgain(f"the article was not stored: {failures}")
        return new

    def claim_index(self, desk: str, version: int, now: datetime) -> bool:
        """Claim to build the index of a version; False while somebody else is building it."""
        until = int((now + BUILD_TIME).timestamp())
        item: Item = key(_partition(desk), f"INDEX#{version:06}") | {
            "expires_at": {"N": str(until)}
        }
        return self.table.put_if(
            "attribute_not_exists(pk) OR expires_at < :now",
            item,
            ExpressionAttributeValues={":now": {"N": str(int(now.timestamp()))}},
        )

    def _writes(self, desk: str, name: str, new: ArticleVersion) -> list[Write]:
        content: Item = {
            "version": {"N": str(new.version)},
            "author": {"S": new.author},
            "at": {"S": stamp(new.at)},
            "body": {"S": new.article.stored()},
        }
        pk = _partition(desk)
        new_item = {"ConditionExpression": "attribute_not_exists(pk)"}
        follows: Any = {
            "ConditionExpression": "#version = :before",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":before": {"N": str(new.version - 1)}},
        }
        current: Any = {
            "TableName": self.table.name,
            "Item": key(pk, f"{ARTICLE}{name}") | content,
            **(follows if new.version > 1 else new_item),
        }
        version: Any = {
            "TableName": self.table.name,
            "Item": key(pk, f"{VERSION}{name}#{new.version:06}") | content,
            **new_item,
        }
        base: Any = {
            "TableName": self.table.name,
            "Key": key(pk, BASE),
            "UpdateExpression": "SET #version = if_not_exists(#version, :none) + :one, #at = :at",
            "ExpressionAttributeNames": {"#version": "version", "#at": "at"},
            "ExpressionAttributeValues": {
                ":none": {"N": "0"},
                ":one": {"N": "1"},
                ":at": content["at"],
            },
        }
        return [
            ("article", {"Put": current}),
            ("version", {"Put": version}),
            ("base", {"Update": base}),
        ]


def _partition(desk: str) -> str:
    return f"KNOWLEDGE#{desk}"


def _version(item: Item) -> ArticleVersion:
    return ArticleVersion(
        int(item["version"]["N"]),
        item["author"]["S"],
        parse_stamp(item["at"]["S"]),
        Article.model_validate_json(item["body"]["S"]),
    )
