"""The calls of the knowledge base: agents search and read it, supervisors write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from functions.core.domain.commands.base import WHOLE
from functions.core.domain.errors import FieldError, InvalidInput, NotFound, Phrase, StaleArticle
from functions.core.domain.knowledge import Article, ArticleVersion, in_locale
from functions.core.domain.playbook_types import SLUG, Locale
from functions.core.platform.web import HttpResponse, Request, locale_of
from functions.core.services.rights import SEES_TICKETS, WRITES_ARTICLES, Principal, require
from functions.core.text.shapes import local_time
from functions.workbench.calls import signed_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.domain.rules import Playbook
    from functions.core.storage.database import Storage
    from functions.workbench.shapes import ArticleList, ArticleSummary, ArticleView, ValidityView

FOUND = 20
"""The most articles that a search returns."""

MAX_QUERY = 2000
"""The most characters of a search, so that a whole request can be searched for."""


class EditedArticle(Article):
    """An article as it is to be, and the `version` that was edited: 0 for a new one."""

    version: Annotated[int, Field(ge=0), WHOLE] | None = None


def list_articles(request: Request, storage: Storage, desk: str) -> HttpResponse:
    """List the articles that a query is about, best first, or all of them by id."""
    principal, playbook = signed_in(request, storage, desk)
    require(principal, SEES_TICKETS, Phrase("read articles"))
    version, articles = find(request, storage, principal, playbook, request.query.get("query", ""))
    locale = locale_of(request, playbook.locale)
    found = [_summary(*each, playbook, request, locale) for each in articles]
    listed: ArticleList = {"articles": found, "version": version}
    return HttpResponse(listed)


def find(
    request: Request, storage: Storage, principal: Principal, playbook: Playbook, query: str
) -> tuple[int, list[tuple[str, ArticleVersion]]]:
    """Find the articles that a query is about and the caller may read, best first, or all by id.

    Returns the version of the knowledge base beside them.

    Raises:
        InvalidInput: the query is too long.
    """
    base = storage.knowledge.get(playbook.desk, request.now, fresh=True)
    if len(query) > MAX_QUERY:
        wrong = FieldError("query", Phrase("{max_length} characters at most", max_length=MAX_QUERY))
        raise InvalidInput("The search is too long.", (wrong,))
    names = sorted(base.articles)
    if query := query.strip():
        from functions.core.services.article_search import search

        names = [name for name, _ in search(base, query)]
    found = [
        (name, base.articles[name])
        for name in names
        if may_read(principal, base.articles[name], playbook, request)
    ]
    return base.version, found[:FOUND] if query else found


def article(request: Request, storage: Storage, desk: str, name: str) -> HttpResponse:
    call = put_article if request.method == "PUT" else show_article
    return call(request, storage, desk, name)


def show_article(request: Request, storage: Storage, desk: str, name: str) -> HttpResponse:
    """Show an article with its history.

    Raises:
        NotFound: there is none, or only supervisors may see it yet.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, SEES_TICKETS, Phrase("read articles"))
    found = read(request, storage, principal, playbook, name)
    return HttpResponse(_view(storage, playbook, request, name, found))


def read(
    request: Request, storage: Storage, principal: Principal, playbook: Playbook, name: str
) -> ArticleVersion:
    """Return an article.

    Raises:
        NotFound: there is none, or only supervisors may see it yet.
    """
    found = storage.knowledge.article(playbook.desk, name)
    if found is None or not may_read(principal, found, playbook, request):
        raise NotFound("There is no such article.")
    return found


def put_article(request: Request, storage: Storage, desk: str, name: str) -> HttpResponse:
    """Store an article, as its next version unless nothing changes.

    Raises:
        InvalidInput: its texts cannot be filled in, or the desk does not have what it names.
        StaleArticle: somebody has changed it since the version that was edited.
    """
    import re

    from functions.core.knowledge.checks import errors

    principal, playbook = signed_in(request, storage, desk)
    require(principal, WRITES_ARTICLES, Phrase("write articles"))
    edited = request.read(EditedArticle)
    article = Article.model_validate({key: getattr(edited, key) for key in Article.model_fields})
    wrong = list(errors(article, playbook))
    if not re.fullmatch(SLUG, name):
        wrong.append(FieldError("article", "lowercase letters, digits and hyphens, 40 at most"))
    if wrong:
        raise InvalidInput("Some fields are invalid.", tuple(wrong))
    found = storage.knowledge.article(desk, name)
    version = found.version if found else 0
    if found is None or found.article != article:
        if edited.version not in (None, version):
            text = "The article has changed since version {given}; it is at version {version}."
            raise StaleArticle(Phrase(text, given=edited.version, version=version))
        new = ArticleVersion(version + 1, principal.username, request.now, article)
        found = storage.knowledge.put(desk, name, new)
    return HttpResponse(_view(storage, playbook, request, name, found))


def may_read(
    principal: Principal, found: ArticleVersion, playbook: Playbook, request: Request
) -> bool:
    """Return whether the caller sees an article: all that is current, its writers also the rest."""
    writes = bool(principal.roles & WRITES_ARTICLES)
    return writes or found.article.may_be_read("agent", request.now, playbook.zone)


def _summary(
    name: str, found: ArticleVersion, playbook: Playbook, request: Request, locale: Locale
) -> ArticleSummary:
    article = found.article
    return {
        "id": name,
        "version": found.version,
        "title": in_locale(article.title, locale),
        "solution": in_locale(article.solution, locale),
        "audience": article.audience,
        "state": article.state,
        "current": article.is_current(request.now, playbook.zone),
        "author": found.author,
        "at": local_time(found.at, playbook.zone),
    }


def _view(
    storage: Storage, playbook: Playbook, request: Request, name: str, found: ArticleVersion
) -> ArticleView:
    article, zone = found.article, playbook.zone
    versions: Sequence[ArticleVersion] = storage.knowledge.versions(playbook.desk, name)
    valid: ValidityView = {
        "from": article.valid.since.isoformat() if article.valid.since else None,
        "until": article.valid.until.isoformat() if article.valid.until else None,
    }
    return {
        "id": name,
        "version": found.version,
        "title": article.title,
        "asked": {locale: list(lines) for locale, lines in article.asked.items()},
        "solution": article.solution,
        "needs": article.needs,
        "then": article.then,
        "audience": article.audience,
        "valid": valid,
        "state": article.state,
        "current": article.is_current(request.now, zone),
        "history": [
            {"version": old.version, "author": old.author, "at": local_time(old.at, zone)}
            for old in versions
        ],
    }
