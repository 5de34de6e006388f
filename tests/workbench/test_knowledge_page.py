"""The pages of the knowledge base: reading, writing, trying out, proposals, and the report."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import boto3
import pytest

from functions.core.domain.errors import Forbidden, NotFound, TryAgain
from functions.core.domain.journal import JournalEntry, JournalQuestion, Outcome
from functions.core.domain.knowledge import Article, ArticleVersion
from functions.core.domain.proposals import (
    ArticleProposal,
    AskedQuestion,
    Proposals,
    RuleProposal,
)
from functions.core.domain.rules import Playbook
from functions.core.platform import aws
from functions.core.reports.periods import Period
from functions.core.storage.database import Storage
from functions.core.storage.reports import StoredReports
from functions.workbench import model_calls
from tests.core.sample_desk import NOON, both
from tests.workbench.conftest import DEPLOYMENT, Agent, SignedIn
from tests.workbench.pages import Browser, below, texts

pytestmark = pytest.mark.requirement("H6")

PHRASINGS = tuple(f"退款到哪了{n}" for n in range(8))
REFUND: dict[str, Any] = {
    "title": {"zh-CN": "退款进度", "en": "Where is my refund?"},
    "asked": {"zh-CN": PHRASINGS, "en": ("where is my refund",)},
    "solution": {"zh-CN": "订单 {{ order_number }} 正在退款。", "en": "Order {{ order_number }}."},
    "needs": {"order_number": "asked"},
}


def put(storage: Storage, name: str, version: int = 1, by: str = "sh-1", **more: Any) -> None:
    article = Article.model_validate({**REFUND, **more})
    storage.knowledge.put("testdesk", name, ArticleVersion(version, by, NOON, article))


def fields(**more: str | list[str]) -> dict[str, str | list[str]]:
    """Return what the editor sends for `REFUND`, with other values."""
    sent: dict[str, str | list[str]] = {
        "version": "1",
        "title.zh-CN": "退款进度",
        "title.en": "Where is my refund?",
        "asked.zh-CN": "\r\n".join(PHRASINGS),
        "asked.en": "where is my refund",
        "solution.zh-CN": "订单 {{ order_number }} 正在退款。",
        "solution.en": "Order {{ order_number }}.",
        "need": ["order_number", ""],
        "origin": ["asked", ""],
        "state": "published",
        "audience": "customer",
        "then": "answer",
        "type": "",
        "valid.from": "",
        "valid.until": "",
    }
    return {**sent, **more}


@pytest.fixture
def writer(signed_in: SignedIn) -> Browser:
    return Browser(signed_in("supervisor-1"))


@pytest.fixture
def reader(signed_in: SignedIn) -> Browser:
    return Browser(signed_in("agent-1"))


# Reading


def test_the_list_says_what_is_in_force(storage: Storage, writer: Browser, reader: Browser) -> None:
    put(storage, "refund")
    put(storage, "old", title=both("旧"), valid={"until": date(2026, 3, 9)})
    put(storage, "soon", title=both("新"), valid={"from": date(2026, 3, 11)})
    put(storage, "draft", title=both("稿"), state="draft")
    said = texts(writer.get("knowledge"))
    for row in ("退款进度 refund 生效中", "旧 old 已过期", "新 soon 未到生效日", "稿 draft 草稿"):
        assert row in said
    assert "1 sh-1 3月10日（周二）12:00" in said
    only = texts(writer.get("knowledge?state=expired"))
    assert ("旧 old" in only, "refund" in only) == (True, False)
    said = texts(reader.get("knowledge"))
    assert ("refund" in said, "old" in said, "draft" in said) == (True, False, False)
    assert "/knowledge/new" not in reader.get("knowledge").body
    reader.locale = "en"
    assert "Where is my refund? refund Current Customers and agents" in texts(
        reader.get("knowledge")
    )


def test_a_search_finds_by_a_customer_s_words(storage: Storage, reader: Browser) -> None:
    put(storage, "refund")
    put(storage, "invoice", title=both("发票"), asked={}, solution=both("在订单页开"), needs={})
    said = texts(reader.get("knowledge?q=开发票"))
    assert ("发票 invoice" in said, "退款进度" in said) == (True, False)
    nothing = reader.get("knowledge?q=<b>")
    assert "没有找到“<b>”" in texts(nothing)
    assert "<b>" not in nothing.body
    long = reader.get(f"knowledge?q={'x' * 2001}")
    assert (long.status, "搜索内容过长" in texts(long) or "2000" in texts(long)) == (400, True)


def test_an_empty_base_says_what_is_next(writer: Browser, reader: Browser) -> None:
    assert "还没有文章 把客户常问的问题写成文章" in texts(writer.get("knowledge"))
    assert "请主管补充" in texts(reader.get("knowledge"))
    reader.locale = "en"
    assert "No articles yet" in texts(reader.get("knowledge"))


def test_an_article_shows_both_languages_and_its_history(
    storage: Storage, writer: Browser, reader: Browser
) -> None:
    put(storage, "refund")
    put(storage, "refund", 2, "sh-2", solution=both("已退款。"), needs={}, then="hand_over")
    page = writer.get("knowledge/refund")
    said = texts(page)
    assert "问法（8 条）" in said
    assert "问法（1 条）" in said
    assert "不足 8 条" in said
    assert "第 2 版，sh-2" in said
    changed = [unmarked(each) for each in re.findall(r"<(?:del|ins)>.*?</(?:del|ins)>", page.body)]
    assert changed == [
        "删去： 订单 {{ order_number }} 正在退款。", "新增： 已退款。",
        "删去： Order {{ order_number }}.", "新增： 已退款。",
        "删去： order_number: asked", "删去： 答复即可", "新增： 答复后转人工",
    ]  # fmt: skip
    agent = reader.get("knowledge/refund")
    assert "第 2 版" in texts(agent)
    assert "<del>" not in agent.body, "a former version may have been a draft"
    assert "/refund/edit" not in agent.body
    with pytest.raises(NotFound):
        reader.get("knowledge/none")


def unmarked(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_customers_words_are_escaped(storage: Storage, writer: Browser) -> None:
    put(storage, "odd", asked={"en": ('<script>"x"</script>',)}, title=both("<i>"))
    for address in ("knowledge", "knowledge/odd", "knowledge/odd/edit"):
        body = writer.get(address).body
        assert "<script>" not in body.replace("<script src", "")
        assert "<i>" not in body


def test_an_article_that_is_named_like_a_page_can_be_read(
    storage: Storage, writer: Browser
) -> None:
    put(storage, "report")
    assert 'href="/workbench/testdesk/knowledge/report/show"' in writer.get("knowledge").body
    assert "退款进度" in texts(writer.get("knowledge/report/show"))
    refused = writer.post("knowledge/new", fields(id="try", version="0"))
    assert (refused.status, "此编号是页面地址" in texts(refused)) == (400, True)


def test_only_writers_write(storage: Storage, reader: Browser, signed_in: SignedIn) -> None:
    put(storage, "refund")
    for who in (reader, Browser(signed_in("qa-1"))):
        for address in ("knowledge/new", "knowledge/refund/edit", "knowledge/proposals"):
            with pytest.raises(Forbidden):
                who.get(address)
        with pytest.raises(Forbidden):
            who.post("knowledge/refund/edit", fields())
        with pytest.raises(Forbidden):
            who.post("knowledge/proposals/p1", decision="accept")
    with pytest.raises(Forbidden):
        reader.get("knowledge/report")
    with pytest.raises(Forbidden):
        Browser(signed_in("finance-1")).get("knowledge")


# Writing


def test_a_new_article_is_written(storage: Storage, writer: Browser) -> None:
    assert '<option value="draft" selected' in writer.get("knowledge/new").body
    for _ in range(2):  # sent twice, it is written once
        saved = writer.post("knowledge/new", fields(id="refund", version="0"))
        assert (saved.status, below(saved.headers["Location"])) == (303, "knowledge/refund")
    found = storage.knowledge.article("testdesk", "refund")
    assert found is not None
    assert (found.version, found.author, found.article) == (
        1, "supervisor-1", Article.model_validate(REFUND),
    )  # fmt: skip
    taken = writer.post("knowledge/new", fields(id="refund", version="0", then="hand_over"))
    assert (taken.status, "已有同编号的文章" in texts(taken)) == (409, True)


def test_an_edit_makes_the_next_version(storage: Storage, writer: Browser) -> None:
    put(storage, "refund")
    sent = fields(**{"valid.until": "2026-12-31", "asked.en": "a\n\n a \n b", "audience": "agent"})
    assert writer.post("knowledge/refund/edit", sent).status == 303
    found = storage.knowledge.article("testdesk", "refund")
    assert found is not None
    assert (found.version, found.article.asked["en"], found.article.audience) == (
        2, ("a", "b"), "agent",
    )  # fmt: skip
    assert found.article.valid.until == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        ({"title.zh-CN": " ", "title.en": ""}, "title.zh-CN", "请至少填写一种语言的文字"),
        ({"solution.en": "{{ 1 +"}, "solution.en", "无法填充变量"),
        ({"solution.en": "{{ points }}"}, "solution.en", "points"),
        ({"asked.en": f"short\n{'x' * 301}"}, "asked.en", f"“{'x' * 40}”: 最多 300 个字"),
        ({"need": ["points"], "origin": ["ticket"]}, "needs", "points:"),
        ({"valid.from": "2026-05-02", "valid.until": "2026-05-01"}, "valid.from", "不能晚于失效日"),
        ({"valid.until": "soon"}, "valid.until", "请填写日期"),
        ({"type": "refunds"}, "type", ""),
        ({"state": "hidden"}, "state", ""),
    ],
)
def test_errors_are_told_field_by_field(
    storage: Storage, writer: Browser, sent: dict[str, Any], field: str, message: str
) -> None:
    put(storage, "refund")
    refused = writer.post("knowledge/refund/edit", fields(**sent))
    assert refused.status == 400
    found = re.search(rf'id="wrong-{field}">([^<]*)<', refused.body)
    assert found
    assert message in texts(refused)
    assert f'href="#article-{field}"' in refused.body
    assert ("正在退款" in refused.body) or "solution.zh-CN" in sent, "what was typed is there"
    current = storage.knowledge.article("testdesk", "refund")
    assert current is not None
    assert current.version == 1


def test_a_stale_edit_keeps_what_was_typed_and_shows_both(
    storage: Storage, writer: Browser
) -> None:
    put(storage, "refund")
    put(storage, "refund", 2, "sh-2", title=both("他人的标题"))
    mine = fields(**{"solution.zh-CN": "我写的 {{ order_number }} <b>"})
    stale = writer.post("knowledge/refund/edit", mine)
    said = texts(stale)
    assert stale.status == 409
    assert "sh-2在3月10日（周二）12:00保存了第 2 版" in said
    theirs, mine_shown = said.split("保存您的版本会改变什么")
    assert "新增： 他人的标题" in theirs
    assert "新增： 我写的 {{ order_number }} <b>" in mine_shown
    assert "我写的 {{ order_number }} &lt;b&gt;</textarea>" in stale.body
    assert 'name="version" value="2"' in stale.body
    found = storage.knowledge.article("testdesk", "refund")
    assert found is not None
    assert found.version == 2, "nothing was overwritten"
    assert writer.post("knowledge/refund/edit", {**mine, "version": "2"}).status == 303
    found = storage.knowledge.article("testdesk", "refund")
    assert found is not None
    assert (found.version, found.article.title["zh-CN"]) == (3, "退款进度")


def test_a_preview_is_what_the_customer_gets(storage: Storage, writer: Browser) -> None:
    put(storage, "refund")
    typed = fields(**{"solution.en": "", "solution.zh-CN": "单号 {{ order_number }} <b>"})
    page = writer.post("knowledge/refund/edit", {**typed, "act": "preview"})
    part = writer.post("knowledge/refund/edit", typed, script=True)
    assert "<html" in page.body
    assert "<html" not in part.body
    for shown in (page, part):
        said = texts(shown)
        assert "退款到哪了0" in said
        assert "单号 〔order number〕 <b>" in said
        assert "没有这种语言的答复，显示另一种" in said
    assert 'name="version" value="1"' in page.body
    current = storage.knowledge.article("testdesk", "refund")
    assert current is not None
    assert current.version == 1, "a preview stores nothing"
    unknown = texts(writer.post("knowledge/refund/edit", fields(need=[], origin=[]), script=True))
    assert "没有名为 order_number 的信息" in unknown
    broken = writer.post("knowledge/refund/edit", fields(**{"title.en": "{{ 1 +"}), script=True)
    assert "无法填入" in texts(broken)


def test_a_variable_without_origin_gets_a_row(storage: Storage, writer: Browser) -> None:
    put(storage, "refund")
    page = writer.post("knowledge/refund/edit", fields(need=[], origin=[], act="preview"))
    assert '<input name="need" value="order_number"' in page.body


def test_a_model_s_phrasings_are_picked(
    storage: Storage, writer: Browser, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(storage, "refund")
    assert "phrasings.en" not in writer.get("knowledge/refund/edit").body, "the desk has no model"
    refused = writer.post("knowledge/refund/edit", fields(act="phrasings.en"))
    assert refused.status == 409
    assert "language_model" in texts(refused)
    assert "正在退款" in refused.body

    from functions.core.platform.web import HttpResponse

    written = {"phrasings": ["money back?", "<b>"]}
    monkeypatch.setattr(model_calls, "write_phrasings", lambda *_: HttpResponse(written))
    page = writer.post("knowledge/refund/edit", fields(act="phrasings.en"))
    assert 'name="add.en" value="money back?"' in page.body
    assert 'value="&lt;b&gt;"' in page.body
    sent = fields(**{"add.en": ["money back?"]})
    assert writer.post("knowledge/refund/edit", sent).status == 303
    found = storage.knowledge.article("testdesk", "refund")
    assert found is not None
    assert found.article.asked["en"] == ("where is my refund", "money back?")


# Trying a question


class Answers:
    """The function `answers`, as a client of Lambda reaches it."""

    def __init__(self) -> None:
        self.says: dict[str, Any] = {"kind": "miss", "articles": [], "p": 0.1}
        self.asked: list[Any] = []
        self.down = False

    def invoke(self, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803
        if self.down:
            raise TryAgain("down")
        self.asked.append(json.loads(Payload))
        return {"Payload": BytesIO(json.dumps(self.says).encode())}


@pytest.fixture
def answers(storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """A desk with an assistant, whose engine says what a test sets."""
    function = Answers()
    client = aws.client
    monkeypatch.setattr(aws, "client", lambda name: function if name == "lambda" else client(name))
    assistant = {"welcome": both("您好"), "variables": {"order_number": both("订单号")}}
    with_assistant = Playbook.model_validate(
        {**playbook.model_dump(mode="json", by_alias=True), "assistant": assistant}
    )
    storage.playbooks.put(with_assistant, NOON)
    put(storage, "refund")
    put(storage, "invoice", title=both("发票"), asked={}, solution=both("在订单页开"), needs={})
    return function


def tried(browser: Browser, question: str) -> str:
    return texts(browser.post("knowledge/try", question=question))


def test_a_question_is_answered_offered_or_handed_over(answers: Answers, reader: Browser) -> None:
    assert "不会发送给任何人" in texts(reader.get("knowledge/try"))
    answers.says = {"kind": "answer", "articles": ["invoice"], "p": 0.987}
    said = tried(reader, "怎么开票")
    assert "会直接作答 怎么开票 在订单页开" in said
    assert "有 98.7% 的把握是： 发票 本服务台：97% 起直接作答，40% 起列出选项" in said
    assert answers.asked[-1]["text"] == "怎么开票"

    answers.says = {"kind": "answer", "articles": ["refund"], "p": 1.0}
    said = tried(reader, "退款到哪了")
    assert "会先询问，再作答" in said
    assert "请告诉我订单号" in said

    answers.says = {"kind": "offer", "articles": ["invoice", "refund"], "p": 0.5}
    said = tried(reader, "票的事")
    assert "会列出选项" in said
    assert "发票 退款进度 都不是" in said
    assert "只有 0 条此语言的问法，满 8 条才会直接作答： 发票" in said

    answers.says = {"kind": "miss", "articles": [], "p": 0.12}
    said = tried(reader, "天气如何")
    assert "不会用文章作答" in said
    assert "没有足够接近的文章（把握 12%）" in said
    assert "连续 2 次没有答案才转人工" in said


def test_a_hand_over_says_why_and_nothing_is_left_behind(
    answers: Answers, reader: Browser, storage: Storage
) -> None:
    said = tried(reader, "我要转人工")
    assert "会转人工" in said
    assert "客户要求人工服务" in said
    assert answers.asked == [], "the engine is not asked"
    assert "不会用文章作答" in tried(reader, "13800138000"), "no code is sent"
    assert list(storage.questions.entries("testdesk", NOON, NOON + timedelta(hours=1))) == []

    answers.down = True
    assert "智能助手暂不可用" in tried(reader, "退款呢")


def test_agents_articles_are_found_beside(answers: Answers, reader: Browser) -> None:
    reader.locale = "en"
    said = tried(reader, "where is my refund")
    assert "What agents find Where is my refund? 100% of the words" in said
    page = reader.post("knowledge/try", question="<script>")
    assert "<script>" not in page.body.replace("<script src", "")
    long = reader.post("knowledge/try", question="x" * 1001)
    assert (long.status, "x" * 1001 in long.body) == (400, True)


def test_a_desk_without_an_assistant_says_so(storage: Storage, reader: Browser) -> None:
    put(storage, "refund")
    said = tried(reader, "退款到哪了")
    assert "本服务台没有智能助手" in said
    assert "退款进度" in said


# Proposals


def proposed(storage: Storage) -> None:
    texts_asked = ("黄金会员怎么升级<b>", "升级黄金会员的条件")
    questions = tuple(AskedQuestion(id=f"c{n}#1", text=text) for n, text in enumerate(texts_asked))
    one = ArticleProposal(
        id="a1",
        source="chats",
        count=4,
        share=0.25,
        questions=questions,
        members=("c0#1", "c1#1"),
        poor={"refund": 2},
    )
    two = one.model_copy(update={"id": "a2", "article": "refund"})
    rule = RuleProposal(
        id="r1", was="question", value="fault", words=("冒烟", "焦味"), corrected=5, changes=6,
        right=5, numbers=("CS9",),
    )  # fmt: skip
    chats = Proposals(made_at=NOON, since=NOON, seen=16, articles=(one, two))
    storage.proposals.put("testdesk", "chats", chats)
    rules = Proposals(made_at=NOON, since=NOON, seen=90, rules=(rule,))
    storage.proposals.put("testdesk", "rules", rules)


def test_no_proposals_say_when_there_will_be_some(writer: Browser) -> None:
    said = texts(writer.get("knowledge/proposals"))
    assert "没有待决定的文章建议" in said
    assert "没有待决定的规则建议" in said
    assert "还没有决定过" in said


def test_questions_become_a_draft_or_phrasings(storage: Storage, writer: Browser) -> None:
    put(storage, "refund")
    proposed(storage)
    page = writer.get("knowledge/proposals")
    said = texts(page)
    assert "黄金会员怎么升级<b>" in said
    assert "<b>" not in page.body
    assert "聊天中问了 4 次，占 25.0%" in said
    assert "2 次评分低，先改进答复： 退款进度" in said

    wrong = writer.post("knowledge/proposals/a1", decision="accept", article="+", id="refund")
    assert (wrong.status, "已有同编号的文章" in texts(wrong)) == (400, True)
    assert 'value="refund" maxlength="40"' in wrong.body
    odd = writer.post("knowledge/proposals/a1", decision="accept", article="+", id="Gold")
    assert (odd.status, "小写字母" in texts(odd)) == (400, True)

    for _ in range(2):
        done = writer.post("knowledge/proposals/a1", decision="accept", article="+", id="gold")
        assert done.status == 303
    said = texts(writer.get(below(done.headers["Location"])))
    assert "已采纳，2 条问法加入 黄金会员怎么升级<b> · 写答复并发布" in said
    draft = storage.knowledge.article("testdesk", "gold")
    assert draft is not None
    assert draft.article.state == "draft"

    writer.post("knowledge/proposals/a2", decision="accept", article="refund")
    refund = storage.knowledge.article("testdesk", "refund")
    assert refund is not None
    assert "升级黄金会员的条件" in refund.article.asked["zh-CN"]
    assert "没有待决定的文章建议" in texts(writer.get("knowledge/proposals"))


def test_a_new_draft_is_one_also_where_an_article_is_near(
    storage: Storage, writer: Browser
) -> None:
    put(storage, "refund")
    proposed(storage)
    writer.post("knowledge/proposals/a2", decision="accept", article="+", id="")
    assert storage.knowledge.article("testdesk", "proposal-a2") is not None


def test_a_dismissed_proposal_is_gone(storage: Storage, writer: Browser) -> None:
    proposed(storage)
    done = writer.post("knowledge/proposals/a1", decision="dismiss", article="+", id="Gold!")
    said = texts(writer.get(below(done.headers["Location"])))
    assert "不采纳，这些问题不会再提出" in said
    assert "不采纳 · 聊天 – – – –" in said
    with pytest.raises(NotFound):
        writer.post("knowledge/proposals/none", decision="dismiss")


@pytest.mark.requirement("H4")
def test_a_rule_is_told_with_its_text_for_the_playbook(storage: Storage, writer: Browser) -> None:
    proposed(storage)
    writer.locale = "en"
    said = texts(writer.get("knowledge/proposals"))
    assert "Agents changed" in said
    assert "5 times · It would have changed 6 requests last month, 5 of them" in said
    rule = 'when: {"mentions": ["冒烟", "焦味"]} then: {"type": "fault"}'
    assert f'- id: "proposed-r1" {rule}' in said
    assert 'href="/workbench/testdesk/tickets/CS9"' in writer.get("knowledge/proposals").body
    for _ in range(2):
        done = writer.post("knowledge/proposals/r1", decision="accept")
        assert done.status == 303
    said = texts(writer.get(below(done.headers["Location"])))
    assert "The rule works once the playbook has it" in said
    assert "Accepted · rules" in said


def test_a_decision_shows_what_it_changed(storage: Storage, writer: Browser) -> None:
    put(storage, "refund")
    proposed(storage)
    writer.post("knowledge/proposals/a2", decision="accept", article="refund")
    (decision,) = storage.proposals.decisions("testdesk")
    effect = {"before": 0.5, "after": 0.625, "helped": 1.0}
    storage.proposals.update("testdesk", decision.model_copy(update=effect))
    assert "2 条问法 → 退款进度 50 % 62 % 100 %" in texts(writer.get("knowledge/proposals"))


# The report


@pytest.fixture
def bucket(storage: Storage) -> Iterator[Storage]:
    aws.client.cache_clear()
    boto3.client("s3").create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    yield storage
    aws.client.cache_clear()


def asked(
    storage: Storage, n: int, outcome: Outcome, article: str | None = None, days: int = 1
) -> None:
    at = NOON - timedelta(days=days)
    question = JournalQuestion(outcome=outcome, article=article)
    entry = JournalEntry(number=f"c{n}", version=1, at=at, texts=(f"问{n}<b>",), question=question)
    storage.questions.write("testdesk", entry, at + timedelta(seconds=len(outcome)))


def test_the_report_counts_article_by_article(bucket: Storage, writer: Browser) -> None:
    put(bucket, "refund")
    put(bucket, "invoice", title=both("发票"))
    for n, outcome in enumerate(("answered", "answered", "picked", "poor")):
        asked(bucket, n, outcome, "refund")  # type: ignore[arg-type]
    asked(bucket, 0, "answered", "refund", days=2)  # the same question, earlier
    asked(bucket, 7, "missed", days=9)
    asked(bucket, 8, "none", days=20)
    page = writer.get("knowledge/report")
    said = texts(page)
    assert "客户在聊天中问了 6 个问题 · 50% 不需人工 · 2 个没有答案" in said
    assert "退款进度 4 2 1 75 % 1" in said
    assert "1 篇没有人问到 发票" in said
    assert said.index("问7<b>") < said.index("问8<b>"), "the newest first"
    assert "<b>" not in page.body
    assert 'href="/workbench/testdesk/knowledge/refund"' in page.body
    week = texts(writer.get("knowledge/report?period=2026-W10"))
    assert "问了 1 个问题" in week, "3 to 8 March: only the one of nine days ago"


def test_the_report_shows_the_questions_of_the_weekly_one(bucket: Storage, writer: Browser) -> None:
    said = texts(writer.get("knowledge/report"))
    assert "没有问题用文章作答" in said
    assert "2026-W10 周问得最多的 这一周没有周报" in said
    stored = StoredReports(boto3.client("s3"), DEPLOYMENT.mail_bucket)
    question = {
        "n": 12, "share": 0.034, "source": "tickets", "article": None,
        "phrasings": [{"text": "到哪了<b>", "from": "CS1"}],
    }  # fmt: skip
    report: Any = {"desk": "testdesk", "questions": [question]}
    stored.put(Period.parse("weekly", "2026-W10"), report, {})
    writer.locale = "en"
    page = writer.get("knowledge/report")
    assert "到哪了<b> Asked 12 times in tickets, 3.4%" in texts(page)
    assert "<b>" not in page.body


def test_quality_reads_the_report(bucket: Storage, signed_in: SignedIn) -> None:
    qa = Browser(Agent(bucket, "qa-1", "testdesk:qa"))
    page = qa.get("knowledge/report")
    assert "文章效果" in texts(page)
    assert "/knowledge/proposals" not in page.body
