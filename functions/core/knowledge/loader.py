"""Reading articles from YAML, from Markdown with front matter, and from CSV (docs/knowledge.md)."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from functions.core.domain.errors import PlaybookError
from functions.core.domain.knowledge import Article, ArticleVersion
from functions.core.domain.playbook_types import Section, Slug
from functions.core.knowledge import checks
from functions.core.playbook.explain import Location, Problem, report, schema_problems
from functions.core.playbook.loader import dump_yaml, parse_yaml, read_text, read_yaml

BY_LOCALE = frozenset({"title", "asked", "solution"})
"""The keys of an article that have a value for each language."""

COLUMNS = ("article", "locale", "title", "asked", "solution")

Positions = dict[Location, tuple[Path, int]]
"""Location in the knowledge base → file and line."""

Part = tuple[Location, Any, int]
"""A location, its value, and its line in a file."""


class ArticleFile(Section):
    """The articles of a file by id."""

    articles: dict[Slug, Article]


def load(path: Path) -> dict[str, Article]:
    """Read and check articles, from a file or from every file in a folder.

    Raises:
        PlaybookError: a file cannot be read, or articles have errors. Each line of the message
            names the file, line and key.
    """
    content: dict[str, Any] = {"articles": {}}
    positions: Positions = {}
    for file in _files(path):
        for location, value, line in _READERS[file.suffix.lower()](file):
            _add(content, positions, location, value, (file, line))
    try:
        articles = ArticleFile.model_validate(content).articles
    except ValidationError as error:
        raise _failed(schema_problems(error, ArticleFile), positions, path) from error
    problems: list[Problem] = [
        (("articles", name, *error.field.split(".")), error.message)
        for name, article in articles.items()
        for error in checks.errors(article)
    ]
    if problems:
        raise _failed(problems, positions, path)
    return articles


def dump(articles: Mapping[str, ArticleVersion]) -> str:
    stored = ((name, found.article) for name, found in sorted(articles.items()))
    return dump_yaml(
        {
            "articles": {
                name: article.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                for name, article in stored
            }
        }
    )


def _files(path: Path) -> list[Path]:
    if path.is_file() and path.suffix.lower() not in _READERS:
        raise PlaybookError(f"{path}: expected a file of type {', '.join(_READERS)}")
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in _READERS)
    if not found:
        raise PlaybookError(f"{path}: no file of type {', '.join(_READERS)} is in this folder")
    return found


def _failed(problems: list[Problem], positions: Positions, path: Path) -> PlaybookError:
    lines = []
    for location, problem in problems:
        known = location
        while known and known not in positions:
            known = known[:-1]
        file, line = positions.get(known, (path, 1))
        lines.append(report([(location, problem)], {known: line}, str(file)))
    return PlaybookError("\n".join(dict.fromkeys(lines)))


def _add(
    into: dict[str, Any],
    positions: Positions,
    location: Location,
    value: Any,
    position: tuple[Path, int],
) -> None:
    """Add a value; mappings are joined, anything else has to be the same wherever it is given."""
    *path, key = location
    if isinstance(key, int):  # the position of an entry of a list, which is added whole
        positions.setdefault(location, position)
        return
    for outer in path:
        into = into.setdefault(str(outer), {})
        if not isinstance(into, dict):
            return  # the schema refuses it
    if isinstance(value, dict):
        into.setdefault(key, {})
    elif key in into and into[key] != value:
        file, line = positions[location]
        text = f"{'.'.join(map(str, location))}: is different at {file}:{line}"
        raise PlaybookError(f"{position[0]}:{position[1]}: {text}")
    else:
        into[key] = value
    positions.setdefault(location, position)


def _yaml(path: Path) -> Iterator[Part]:
    content, lines = read_yaml(path)
    if not isinstance(content, dict) or not isinstance(content.get("articles"), dict):
        raise PlaybookError(f"{path}: expected the key `articles` with articles by id")
    yield from _parts((), content, lines, lambda location: location)


def _parts(
    at: Location, value: Any, lines: Mapping[Location, int], to: Callable[[Location], Location]
) -> Iterator[Part]:
    """Yield the values of a document with their lines, mappings before what they hold."""
    if at:
        yield to(at), {} if isinstance(value, dict) else value, lines.get(at, 1)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _parts((*at, str(key)), inner, lines, to)
    elif isinstance(value, list):
        for index in range(len(value)):
            yield to((*at, index)), None, lines.get((*at, index), 1)


def _markdown(path: Path) -> Iterator[Part]:
    """Read an article in one language: its keys between two lines `---`, then its solution."""
    opening, *rest = read_text(path).split("\n")
    end = next((n for n, line in enumerate(rest) if line.rstrip() == "---"), -1)
    if opening.rstrip() != "---" or end < 0:
        raise PlaybookError(f"{path}:1: expected front matter between two lines `---`")
    matter, lines = parse_yaml("\n".join(["", *rest[:end]]), path)
    if not isinstance(matter, dict) or not {"id", "locale"} <= matter.keys():
        raise PlaybookError(f"{path}:1: the front matter needs `id` and `locale`")
    name, locale = str(matter.pop("id")), str(matter.pop("locale"))

    def of_article(location: Location) -> Location:
        key, *inner = location
        return ("articles", name, key, *((locale,) if key in BY_LOCALE else ()), *inner)

    yield from _parts((), matter, lines, of_article)
    yield of_article(("solution",)), "\n".join(rest[end + 1 :]).strip(), end + 3


def _csv(path: Path) -> Iterator[Part]:
    """Read rows of one phrasing each, or several on lines of their own; title and solution are in
    any row of their article and language.
    """
    rows = csv.DictReader(read_text(path).splitlines(keepends=True))
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise PlaybookError(f"{path}:1: the column {', '.join(missing)} is missing")
    asked: dict[Location, tuple[list[str], int]] = {}
    for row in rows:
        cells = {column: (row[column] or "").strip() for column in COLUMNS}
        for key in ("title", "solution"):
            if cells[key]:
                yield _column(cells, key), cells[key], rows.line_num
        found, _ = asked.setdefault(_column(cells, "asked"), ([], rows.line_num))
        found += [line.strip() for line in cells["asked"].splitlines() if line.strip()]
    for location, (phrasings, line) in asked.items():
        yield location, phrasings, line


def _column(cells: Mapping[str, str], key: str) -> Location:
    return "articles", cells["article"], key, cells["locale"]


_READERS: dict[str, Callable[[Path], Iterator[Part]]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".md": _markdown,
    ".csv": _csv,
}
