"""The glossary names what exists, and code and docs use no word that it rules out."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from functions.core.domain.events import EVENTS
from functions.core.domain.ticket import STATUSES
from tests.docs.test_operations import CONSOLE, TEMPLATES, log_events, variables
from tests.sources import parsed

# One worker reads the sources for all of them.
pytestmark = pytest.mark.xdist_group("sources")
ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
SOURCES = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "infra").rglob("*.py")]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in GLOSSARY.splitlines()
    if line.startswith("| ") and line.count("|") == 6
]
TERMS = {row[0]: (row[3], row[4]) for row in ROWS if row[0] != "term"}
"""Term → where it is in the code, and the words not to use for it."""

EXCEPTIONS = {
    "DingTalk": "a provider's name",
    "_by_stranger": "`stranger` is a stored field of CustomerWrote",
    "_card_place": "a position in a text",
    "_ends_in_verb": "a word class",
    "_fingerprint": "of the sources of a build",
    "_mobile_place": "a position in a text",
    "places": "positions in a text",
}
"""Name in the code → why it may have a word that the glossary rules out."""

PROSE_EXCEPTIONS = {
    "DingTalk": "a provider's name",
    "delete marker": "a term of S3",
    "ignore width, case": "upper and lower case",
    "use cases": "a term of software design",
}
"""Phrase of a page → why it may have a word that the glossary rules out."""


@cache
def defined(path: Path) -> frozenset[str]:
    """The names that a module, or the modules of a package, define: `Class` and `Class.field`."""
    names: set[str] = set()
    for file in [path] if path.is_file() else path.rglob("*.py"):
        for node in parsed(file).body:
            names |= set(_names(node))
            if isinstance(node, ast.ClassDef):
                inner = {name for part in node.body for name in _names(part)}
                names |= {f"{node.name}.{name}" for name in inner}
    return frozenset(names)


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def paths(name: str) -> list[Path]:
    """The files and folders that a path of the glossary means."""
    top = name.startswith(("deskbell/", "functions/", "infra/", "docs/", "."))
    return sorted((ROOT if top else ROOT / "functions" / "core").glob(name))


def test_every_term_is_where_the_glossary_says() -> None:
    for clause in (clause for where, _ in TERMS.values() for clause in where.split(";")):
        words = re.findall(r"`([^`]+)`", clause)
        files = [path for word in words if "/" in word for path in paths(word)]
        assert all(paths(word) for word in words if "/" in word), clause
        names = {word for word in words if "/" not in word}
        if clause.strip().startswith("event"):
            assert names <= set(EVENTS), clause
        else:
            found = files or [ROOT / "functions" / "core" / "domain"]
            assert names <= {name for path in found for name in defined(path)}, clause
        assert words, clause


def test_every_other_path_and_status_of_the_glossary_exists() -> None:
    named = re.findall(r"`((?:functions|infra|docs)/[^`\s]+)`", GLOSSARY)
    assert named
    assert all(paths(name) for name in named)
    statuses = re.findall(r"^\| `([a-z_]+)` \|", GLOSSARY.split("\n## People")[0], re.MULTILINE)
    assert tuple(statuses) == STATUSES


@cache
def parts(name: str) -> list[str]:
    """The words of a name in snake case, camel case or kebab case."""
    apart = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3 \2\4", name)
    return re.findall(r"[a-z0-9]+", apart.lower())


@cache
def spaced(name: str) -> str:
    return " ".join(parts(name))


def has(words: Iterable[str], name: str) -> bool:
    """Return whether consecutive words of a name are these, in the singular or plural."""
    return re.search(rf"\b{'s? '.join(words)}s?\b", spaced(name)) is not None


@cache
def names_in_use() -> dict[str, set[str]]:
    """Name → the kinds of things that have it."""
    names: dict[str, set[str]] = defaultdict(set)
    for path in SOURCES:
        for part in path.relative_to(ROOT).with_suffix("").parts:
            names[part].add("module")
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                names[node.name].add("class")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names[node.name].add("function")
    parameters = {name for template in TEMPLATES.values() for name in template["Parameters"]}
    for kind, found in (
        ("log event", log_events()),
        ("console command", CONSOLE),
        ("setting", {*variables(), *parameters}),
    ):
        for name in found:
            names[name].add(kind)
    return names


RULED_OUT = {
    word: term
    for term, (_, words) in TERMS.items()
    for word in re.split(r", (?![^(]*\))", words)
    if word and "(" not in word
}
"""Word → the term to use instead, without words that have another meaning in the code."""


def test_names_of_every_kind_are_collected() -> None:
    kinds = {kind for kinds in names_in_use().values() for kind in kinds}
    assert kinds == {"module", "class", "function", "log event", "console command", "setting"}


def test_words_are_found_in_names_of_any_style() -> None:
    assert has(["set", "aside"], "mail_set_aside")
    assert has(["hook"], "WebHooksURL")
    assert has(["room"], "deskbell room list")
    assert not has(["hook"], "webhook")
    assert not has(["set", "aside"], "aside_set")


def test_no_name_has_a_word_that_the_glossary_rules_out() -> None:
    for word, term in RULED_OUT.items():
        found = {name for name in names_in_use() if has(parts(word), name)} - set(EXCEPTIONS)
        assert not found, f"say “{term}” instead of “{word}”"


def prose(page: Path) -> Iterator[str]:
    """The paragraphs and table rows of a page, without code, link targets and the column *not*."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for block in re.split(r"\n\n|\n(?=\|)", text):
        if page.name == "glossary.md" and block.startswith("| ") and block.count("|") == 6:
            block = block.strip().strip("|").rpartition("|")[0]
        yield " ".join(re.sub(r"`[^`]*`|\]\([^)]*\)", " ", block).split())


@cache
def all_prose() -> list[tuple[str, str, str]]:
    """Page, paragraph, and the paragraph without the phrases that are exceptions."""
    return [
        (page.name, block, re.sub("|".join(PROSE_EXCEPTIONS), "", block))
        for page in (ROOT / "docs").glob("*.md")
        for block in prose(page)
    ]


def test_no_page_has_a_word_that_the_glossary_rules_out() -> None:
    for word, term in RULED_OUT.items():
        found = [(page, block) for page, block, ours in all_prose() if has(parts(word), ours)]
        assert not found, f"say “{term}” instead of “{word}”"


def test_every_exception_is_needed() -> None:
    for name in EXCEPTIONS:
        assert name in names_in_use()
        assert any(has(parts(word), name) for word in RULED_OUT)
    for phrase in PROSE_EXCEPTIONS:
        assert any(phrase in block for _, block, _ in all_prose())
        assert any(has(parts(word), phrase) for word in RULED_OUT)


def test_no_word_is_a_term_and_ruled_out() -> None:
    terms = {term for terms in TERMS for term in terms.split(", ")}
    assert not terms & set(RULED_OUT)
