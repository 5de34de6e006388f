"""Knowledge bases: versions of articles, their authors, and the cache of current ones."""

from datetime import timedelta

import pytest

from functions.core.domain.errors import StaleArticle
from functions.core.domain.knowledge import Article, ArticleVersion
from functions.core.storage.database import Storage
from functions.core.storage.playbooks import PLAYBOOK_TTL
from tests.core.lagging_replica import Lagging
from tests.core.sample_desk import NOON, both

pytestmark = pytest.mark.requirement("A9")


def version(number: int, solution: str = "答", author: str = "agent-1") -> ArticleVersion:
    article = Article.model_validate({"title": both("题"), "solution": both(solution)})
    return ArticleVersion(number, author, NOON, article)


def test_a_change_is_a_version_with_its_author(storage: Storage) -> None:
    first, second = version(1), version(2, "新", "agent-2")
    storage.knowledge.put("testdesk", "a", first)
    storage.knowledge.put("testdesk", "a", second)
    storage.knowledge.put("testdesk", "a-b", version(1))
    storage.knowledge.put("otherdesk", "a", version(1))
    assert storage.knowledge.article("testdesk", "a") == second
    assert storage.knowledge.versions("testdesk", "a") == [second, first]
    base = storage.knowledge.get("testdesk", NOON)
    assert (base.version, list(base.articles)) == (3, ["a", "a-b"])
    assert base.articles["a"] == second
    assert storage.knowledge.article("testdesk", "gone") is None


@pytest.mark.parametrize("number", [1, 3])
def test_no_change_is_lost(storage: Storage, number: int) -> None:
    """Neither a second creation nor an edit of a former version is stored, nor counted."""
    storage.knowledge.put("testdesk", "a", version(1))
    with pytest.raises(StaleArticle):
        storage.knowledge.put("testdesk", "a", version(number, "新"))
    assert storage.knowledge.article("testdesk", "a") == version(1)
    assert storage.knowledge.version("testdesk") == 1


def test_a_change_is_seen_within_a_minute_and_otherwise_costs_half_a_read(
    storage: Storage,
) -> None:
    other = Storage.on(storage.table.client, storage.table.name)
    assert other.knowledge.get("testdesk", NOON).version == 0
    storage.knowledge.put("testdesk", "a", version(1))
    assert other.knowledge.get("testdesk", NOON + PLAYBOOK_TTL - timedelta(seconds=1)).version == 0
    assert other.knowledge.get("testdesk", NOON, fresh=True).version == 1
    first = other.knowledge.get("testdesk", NOON + PLAYBOOK_TTL)
    assert first.version == 1
    assert other.knowledge.get("testdesk", NOON + timedelta(minutes=5)) is first


def test_articles_are_never_older_than_the_base_s_version(
    storage: Storage, behind: Storage, lagging: Lagging
) -> None:
    """The version comes from a replica that lags behind; the articles do not."""
    storage.knowledge.put("testdesk", "a", version(1))
    lagging.catch_up()
    storage.knowledge.put("testdesk", "a", version(2, "新"))
    base = behind.knowledge.get("testdesk", NOON)
    assert (base.version, base.articles["a"].version) == (1, 2)
    assert behind.knowledge.get("testdesk", NOON, fresh=True).version == 2
