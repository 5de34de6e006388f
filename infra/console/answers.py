"""Files of articles and of questions, read for `deskbell answers`."""

import json
from collections.abc import Iterator
from pathlib import Path

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
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            question = Question(row["text"], row["article"])
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f'{path}:{number}: expected {{"text": …, "article": …}}') from error
        yield question
