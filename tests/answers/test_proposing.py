"""Questions of like meaning are proposed together, and words for what agents correct."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from functions.answers.asking import Asked, propose
from functions.answers.building import build
from functions.answers.clustering import clusters
from functions.answers.correcting import ClassifiedRequest, propose_rules
from functions.answers.index import AnswerIndex
from functions.core.domain.journal import JournalCorrection
from functions.core.domain.proposals import AskedQuestion, Proposals
from functions.core.playbook import load
from tests.answers.sample_encoder import ASKED, embed
from tests.core.sample_desk import NOON

PLAYBOOK = load(Path("playbooks/standard.yaml"))
LATE = ["parcel is late", "my parcel is late", "why is the parcel late", "parcel late again"]


@cache
def index() -> AnswerIndex:
    return build(ASKED, embed)


def asked(*texts: str, **more: str) -> list[Asked]:
    return [Asked(f"c#{n}", text, **more) for n, text in enumerate(texts)]  # type: ignore[arg-type]


def proposed(questions: Sequence[Asked]) -> list[tuple[str | None, int]]:
    return [(one.article, one.count) for one in propose(questions, "chats", index(), embed)]


def test_vectors_are_grouped_by_average_link() -> None:
    angles = np.radians([0, 10, 20, 90, 100, 95, 200])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert clusters(vectors, like=0.9, least=3) == [(1, 0, 2), (5, 3, 4)]
    assert clusters(vectors[:1], least=1) == [(0,)]


@pytest.mark.slow
@pytest.mark.requirement("C12")
def test_questions_about_something_new_become_an_article() -> None:
    (found,) = propose(asked(*LATE, "what", "hm hm"), "chats", index(), embed)
    assert (found.article, found.count, found.share) == (None, 4, round(4 / 6, 4))
    assert {one.text for one in found.questions} == set(LATE)
    assert found.title in LATE


@pytest.mark.requirement("C12")
def test_questions_near_an_article_become_its_phrasings() -> None:
    late = ["refund please", "refund please now", "my refund please", "a refund please"]
    assert proposed(asked(*late)) == [("refund", 4)]
    assert proposed(asked(*late, outcome="none")) == [(None, 4)]
    poor = asked(*late, outcome="poor", article="refund")
    (found,) = propose(poor, "chats", index(), embed)
    assert (found.article, found.poor) == (None, {"refund": 4})


def test_a_proposal_keeps_its_name_while_questions_are_added() -> None:
    (before,) = propose(asked(*LATE), "chats", index(), embed)
    (after,) = propose(asked(*LATE, "the parcel is so late"), "chats", index(), embed)
    assert (after.count, after.id) == (5, before.id)


def test_repeated_questions_count_and_are_shown_once() -> None:
    (found,) = propose(asked(*LATE, "PARCEL is late!"), "chats", index(), embed)
    assert (found.count, len(found.questions)) == (5, 4)


def test_too_few_or_empty_questions_propose_nothing() -> None:
    assert propose(asked("parcel late", "parcel late", "?", "12"), "chats", index(), embed) == ()
    assert propose([], "chats", index(), embed) == ()


def test_an_erased_chat_leaves_a_proposal() -> None:
    first, second = AskedQuestion(id="a#1", text="x"), AskedQuestion(id="b#1", text="y")
    (one,) = propose(asked(*LATE), "chats", index(), embed)
    pair = one.model_copy(update={"questions": (first, second), "members": ("a#1", "b#1")})
    made = Proposals(made_at=NOON, since=NOON, seen=2, articles=(pair,))
    (left,) = made.without(frozenset("a")).articles
    assert (left.questions, left.count) == ((second,), 1)
    assert made.without(frozenset("ab")).articles == ()


def request(
    n: int, text: str, now: str | None = None, tags: tuple[str, ...] = ()
) -> ClassifiedRequest:
    corrected = JournalCorrection(type=now, tags=tags) if now else None
    return ClassifiedRequest(f"CS{n}", text, JournalCorrection(type="咨询"), corrected=corrected)


class TestRules:
    REQUESTS = tuple(
        request(n, text, now)
        for n, (text, now) in enumerate(
            [
                ("投影仪一开机就嗡嗡响", "报障"),
                ("昨天买的投影仪嗡嗡响个不停", "报障"),
                ("音箱嗡嗡响", "报障"),
                ("投影仪多少钱", None),
                ("投影仪有黑色的吗", None),
                ("空调也嗡嗡响，正常吗", None),
                ("你们几点开门", "咨询"),
            ]
        )
    )

    @pytest.mark.requirement("C12")
    def test_words_tell_corrected_requests_from_others(self) -> None:
        (found,) = propose_rules(self.REQUESTS, PLAYBOOK)
        assert (found.was, found.value, found.words) == ("咨询", "报障", ("嗡嗡响",))
        assert (found.corrected, found.changes, found.right) == (3, 4, 3)
        assert found.numbers == ("CS5",)

    @pytest.mark.requirement("C12")
    def test_a_tag_that_agents_add_becomes_a_rule(self) -> None:
        tagged = [request(n, f"{n}号包裹在半路上", "咨询", ("物流查询",)) for n in range(3)]
        (found,) = propose_rules([*tagged, request(9, "8号包裹在半路上")], PLAYBOOK)
        assert (found.field, found.was, found.value) == ("tags", "", "物流查询")
        assert (found.changes, found.right) == (4, 3)
        assert found.document["then"] == {"add_tags": ["物流查询"]}

    def test_one_correction_proposes_nothing(self) -> None:
        assert propose_rules(self.REQUESTS[1:2], PLAYBOOK) == ()

    def test_a_type_that_the_desk_no_longer_has_proposes_nothing(self) -> None:
        gone = [request(n, "嗡嗡响", "旧") for n in range(4)]
        assert propose_rules(gone, PLAYBOOK) == ()

    def test_words_of_everybody_are_no_rule(self) -> None:
        same = [request(n, "请帮我看看", "报障" if n < 3 else None) for n in range(20)]
        assert propose_rules(same, PLAYBOOK) == ()
