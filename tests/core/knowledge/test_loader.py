"""Files of articles: their three forms, errors with line and key, and what could be better."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.errors import PlaybookError
from functions.core.domain.knowledge import Article, ArticleVersion
from functions.core.knowledge.checks import findings, without_source
from functions.core.knowledge.loader import dump, load
from tests.core.sample_desk import NOON, both

pytestmark = pytest.mark.requirement("A9")
YAML = """
articles:
  refund:
    title: {zh-CN: 退款, en: A refund}
    asked:
      zh-CN: [退款到哪了, 钱没退]
      en: []
    solution: {zh-CN: "订单 {{ order_number }}", en: Within a week}
    needs: {order_number: asked}
    valid: {from: 2026-01-01}
    then: hand_over
"""
GERMAN = "articles: {a: {title: {de: x}, solution: {en: x}}}"


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text, "utf-8")
    return folder


def article(**changes: Any) -> Article:
    return Article.model_validate({"title": both("题"), "solution": both("答"), **changes})


def exported(**articles: Article) -> str:
    return dump({name: ArticleVersion(1, "a", NOON, found) for name, found in articles.items()})


def test_yaml_is_read_and_written_alike(tmp_path: Path) -> None:
    found = load(written(tmp_path, a_yaml=YAML) / "a.yaml")
    refund = found["refund"]
    assert refund.asked == {"zh-CN": ("退款到哪了", "钱没退")}
    assert (refund.then, refund.audience, refund.state) == ("hand_over", "customer", "published")
    (tmp_path / "b.yaml").write_text(exported(**found), "utf-8")
    assert load(tmp_path / "b.yaml") == found


@given(st.sampled_from(["08", "on", "~", "null", "1.50", "2026-01-01", "#", "13:30"]) | st.text())
def test_whatever_a_phrasing_looks_like_it_stays_a_text(phrasing: str) -> None:
    import tempfile

    text = phrasing.strip()
    if not text or len(text) > 300 or not text.isprintable():
        return
    given = article(asked={"en": [text]})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.yaml")
        path.write_text(exported(a=given), "utf-8")
        assert load(path) == {"a": given}


def test_markdown_and_csv_add_up_to_the_same_articles(tmp_path: Path) -> None:
    """Markdown has one language in a file; CSV a row for each phrasing, or several in a cell."""
    chinese = (
        "---\nid: refund\nlocale: zh-CN\ntitle: 退款\nasked: [退款到哪了, 钱没退]\n"
        "then: hand_over\nneeds: {order_number: asked}\nvalid: {from: 2026-01-01}\n---\n\n"
        "订单 {{ order_number }}\n"
    )
    english = "article,locale,title,asked,solution\nrefund,en,A refund,,Within a week\n"
    found = load(written(tmp_path, a_md=chinese, b_csv=english))
    (tmp_path / "yaml").mkdir()
    assert found == load(written(tmp_path / "yaml", a_yaml=YAML))
    rows = 'article,locale,title,asked,solution\nb,en,T,"one\ntwo",S\nb,en,,three,\n'
    (tmp_path / "c.csv").write_text(rows, "utf-8-sig")
    assert load(tmp_path / "c.csv")["b"].asked == {"en": ("one", "two", "three")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GERMAN, "a.yaml:1: articles.a.title.de: expected 'zh-CN' or 'en', got 'de'"),
        (YAML.replace("then:", "than:"), "a.yaml:11: articles.refund.than: unknown key"),
        (YAML.replace("钱没退", "7"), "a.yaml:6: articles.refund.asked.zh-CN.1: expected a text"),
        (
            YAML.replace("order_number: asked", "other_number: asked"),
            "a.yaml:8: articles.refund.solution.zh-CN: there is no variable 'order_number'; say in "
            "`needs` where it comes from",
        ),
        (
            YAML.replace("{{ order_number", "{{ 1 +"),
            "a.yaml:8: articles.refund.solution.zh-CN: can",
        ),
        (
            YAML.replace("from: 2026-01-01", "from: 2026-02-01, until: 2026-01-01"),
            "a.yaml:10: articles.refund.valid: `from` is later than `until`",
        ),
        (
            YAML.replace("2026-01-01", "soon"),
            "a.yaml:10: articles.refund.valid.from: expected a day",
        ),
        (
            YAML.replace("{zh-CN: 退款, en: A refund}", "{}"),
            "a.yaml:4: articles.refund.title: a text",
        ),
        ("refund: {}", "a.yaml: expected the key `articles`"),
    ],
)
def test_an_error_names_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PlaybookError) as caught:
        load(written(tmp_path, a_yaml=text))
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path}/{message}")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a_md": "no front matter"}, "a.md:1: expected front matter"),
        ({"a_md": "---\nid: a\n---\nx"}, "a.md:1: the front matter needs `id` and `locale`"),
        ({"a_md": "---\nid: a\nlocale: en\nmood: x\n---\nx"}, "a.md:4: articles.a.mood: unknown"),
        ({"a_csv": "article,asked\n"}, "a.csv:1: the column locale, title, solution is missing"),
        (
            {"a_yaml": YAML, "b_yaml": YAML.replace("A refund", "Another")},
            "b.yaml:4: articles.refund.title.en: is different at",
        ),
        ({"a_txt": ""}, "no file of type .yaml"),
    ],
)
def test_a_file_that_is_no_article_is_refused(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(PlaybookError) as caught:
        load(written(tmp_path, **files))
    assert message in str(caught.value)


def test_what_could_be_better_is_found() -> None:
    """Thin languages, missing ones, and phrasings in two articles, whatever their punctuation."""
    eight = [f"问法{n}" for n in range(8)]
    full = article(asked={"zh-CN": eight, "en": [f"phrasing {n}" for n in range(8)]})
    assert list(findings({"a": full})) == []
    other = article(
        title={"en": "T"}, asked={"en": ["Phrasing 3?", "one", "ONE"]}, solution={"en": "S"}
    )
    assert list(findings({"a": full, "b": other})) == [
        "b: no zh-CN: title, solution, phrasings",
        "b: thin in en: 3 phrasings; it is only offered with fewer than 8",
        "a, b: 'Phrasing 3?' is asked in each of them; keep it in one",
        "b: 'ONE' is there twice",
    ]
    assert list(findings({"c": article(audience="agent")})) == []


def test_a_variable_that_no_source_knows_is_found() -> None:
    needs = article(needs={"points": "looked_up", "order_number": "asked"})
    assert list(without_source({"a": needs}, ["points"])) == []
    assert list(without_source({"a": needs}, [])) == [
        "a: none of the desk's sources knows 'points'"
    ]
