"""Search in a knowledge base by words in common."""

import pytest

from functions.core.domain.knowledge import Article, ArticleVersion, KnowledgeBase
from functions.core.services.article_search import best_match, search
from tests.core.sample_desk import NOON

pytestmark = pytest.mark.requirement("A9")


def base(**articles: list[str]) -> KnowledgeBase:
    """Articles by id: their phrasings in Chinese, and a solution that names the id."""
    made = {
        name: Article.model_validate(
            {"title": {"zh-CN": asked[0]}, "asked": {"zh-CN": asked}, "solution": {"zh-CN": name}}
        )
        for name, asked in articles.items()
    }
    return KnowledgeBase(1, {k: ArticleVersion(1, "a", NOON, v) for k, v in made.items()})


SHOP = base(refund=["退款到哪了", "钱还没退"], invoice=["开发票", "发票抬头写错了"])


@pytest.mark.parametrize("text", ["退款", "钱没退啊", "ＲＥＦＵＮＤ"])
def test_words_lead_to_an_article_whatever_their_width_and_case(text: str) -> None:
    (name, score), *_ = search(SHOP, text)
    assert name == "refund"
    assert 0 < score <= 1


def test_phrasings_count_more_than_solutions() -> None:
    both = base(other=["别的"], refund=["退款 other"])
    assert [name for name, _ in search(both, "other")] == ["refund", "other"]


def test_nothing_in_common_is_nothing_found() -> None:
    assert search(SHOP, "天气") == []
    assert search(SHOP, "") == []
    assert search(KnowledgeBase(), "退款") == []


def test_a_match_is_clearly_ahead() -> None:
    assert best_match(SHOP, "退款到哪了呢") == "refund"
    assert best_match(SHOP, "退款 发票") is None
    assert best_match(SHOP, "今天天气很好，我们去公园散步，顺便说说退货") is None
    assert best_match(KnowledgeBase(), "退款") is None
