"""Files of articles, of questions and of sentences, read for `deskbell answers`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from functions.answers.mood import Judged
from functions.answers.trial import Question
from functions.core.playbook.loader import read_yaml
from infra.console.errors import UsageError


def read_asked(path: Path) -> dict[str, dict[str, list[str]]]:
    """Return the phrasings of each article of a YAML file by language. Other keys may be anything.

    Raises:
        UsageError: it is no file of articles.
    """
    content, _lines = read_yaml(path)
    articles = content.get("articles") if isinstance(content, dict) else None
    if not isinstance(articles, dict) or not articles:
        raise UsageError(f"{path}: expected `articles:` with an entry for each article")
    return {str(name): _asked(path, str(name), article) for name, article in articles.items()}


def _asked(path: Path, name: str, article: object) -> dict[str, list[str]]:
    asked = article.get("asked") if isinstance(article, dict) else None
    if not isinstance(asked or {}, dict):
        raise UsageError(f"{path}: articles.{name}.asked: expected phrasings by language")
    return {
        str(language): [str(one) for one in texts or ()]
        for language, texts in (asked or {}).items()
    }


def read_questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file of JSON lines.

    Raises:
        UsageError: a line is no question.
    """
    for at, row in _rows(path):
        try:
            question = Question(row["text"], row["article"])
        except (TypeError, KeyError) as error:
            raise UsageError(f'{at}: expected {{"text": …, "article": …}}') from error
        yield question


def read_judged(path: Path) -> Iterator[Judged]:
    """Yield the sentences of a file of JSON lines, each with whether its writer is upset.

    Raises:
        UsageError: a line is no such sentence.
    """
    for at, row in _rows(path):
        if not isinstance(row, dict) or not isinstance(row.get("upset"), bool):
            raise UsageError(f'{at}: expected {{"text": …, "upset": true or false}}')
        yield Judged(str(row.get("text", "")), row["upset"])


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield f"{path}:{number}", json.loads(line)
        except ValueError as error:
            raise UsageError(f"{path}:{number}: expected a JSON object") from error
