"""The knowledge base: articles to read, write and try out, proposals, and what articles achieve."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import InvalidInput, Phrase, Refused, StaleArticle
from functions.core.domain.knowledge import in_locale
from functions.core.domain.playbook_types import LOCALES, SLUG
from functions.core.knowledge.differences import differences
from functions.core.platform.web import HttpResponse
from functions.core.services.rights import WRITES_ARTICLES, require
from functions.core.text.error_texts import translated
from functions.core.text.templating import format_time
from functions.workbench import articles
from functions.workbench.pages import knowledge_editor as editor
from functions.workbench.pages.knowledge_editor import ArticleForm
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.reports import SEES_BEHIND

if TYPE_CHECKING:
    from datetime import datetime

    from functions.core.domain.knowledge import ArticleVersion
    from functions.core.domain.rules import Locale

RESERVED = frozenset({"new", "proposals", "report", "try"})
"""The addresses that are no article's."""

STANDINGS = ("current", "draft", "coming", "expired")


@route("GET")
def show_list(page: WorkbenchPage) -> HttpResponse:
    """List the articles, or those that a search finds, best first."""
    query, state = page.request.query.get("q", "").strip(), page.request.query.get("state", "")
    error, found = "", []
    try:
        found = _found(page, query)
    except InvalidInput as refused:
        error = " ".join(translated(each.message, page.locale) for each in refused.errors)
    rows = [
        (name, version, version.article.standing(page.request.now, page.playbook.zone))
        for name, version in found
    ]
    shown = [row for row in rows if state in ("", row[2])]
    return _render(
        page,
        "knowledge.html",
        400 if error else 200,
        q=query,
        state=state,
        standings=STANDINGS,
        rows=shown,
        any=bool(rows),
        error=error,
        title_of=partial(in_locale, locale=page.locale),
    )


@route("GET", "try")
@route("POST", "try")
def try_question(page: WorkbenchPage) -> HttpResponse:
    """Show how the assistant would answer a question now, and which articles agents would find."""
    from functions.workbench.pages.knowledge_trial import tried

    question = page.field("question").strip() if page.request.method == "POST" else ""
    values: dict[str, Any] = {"question": question, "error": "", "trial": None}
    try:
        values["trial"] = tried(page, question) if question else None
    except InvalidInput as refused:
        values["error"] = " ".join(translated(each.message, page.locale) for each in refused.errors)
    return _render(page, "knowledge_try.html", 400 if values["error"] else 200, **values)


@route("GET", "report")
def show_report(page: WorkbenchPage) -> HttpResponse:
    """Show what the articles achieved in a period, and what none of them answered."""
    from functions.workbench.pages.knowledge_report import report_of

    require(page.principal, SEES_BEHIND, Phrase("see reports"))
    return _render(page, "knowledge_report.html", **report_of(page))


@route("GET", "proposals")
def show_proposals(page: WorkbenchPage) -> HttpResponse:
    """Show the proposals that nobody has decided about, and the decisions."""
    from functions.workbench.pages.knowledge_proposals import proposals_of

    return _render(page, "knowledge_proposals.html", **proposals_of(page))


@route("POST", "proposals/{proposal}")
def decide(page: WorkbenchPage, proposal: str) -> HttpResponse:
    """Accept or dismiss a proposal."""
    from functions.workbench.pages.knowledge_proposals import decided, proposals_of

    try:
        decided(page, proposal)
    except InvalidInput as refused:
        errors = [translated(each.message, page.locale) for each in refused.errors]
        wrong = {proposal: " ".join(errors) or translated(refused.detail, page.locale)}
        return _render(page, "knowledge_proposals.html", 400, **proposals_of(page, wrong))
    return page.redirect(page.url("knowledge", "proposals", done=proposal))


@route("GET", "new")
def begin(page: WorkbenchPage) -> HttpResponse:
    """Show an empty editor."""
    require(page.principal, WRITES_ARTICLES, Phrase("write articles"))
    return _editor(page, "", ArticleForm())


@route("POST", "new")
def create(page: WorkbenchPage) -> HttpResponse:
    """Store a new article."""
    return _save(page, "")


@route("GET", "{article}")
@route("GET", "{article}/show")
def show(page: WorkbenchPage, article: str) -> HttpResponse:
    """Show an article with its history."""
    found = articles.read(page.request, page.storage, page.principal, page.playbook, article)
    # Former versions may hold what only its writers may read yet.
    writes = _writes(page)
    versions = page.storage.knowledge.versions(page.desk, article) if writes else [found]
    history = [
        (version, differences(before.article if before else None, version.article))
        for version, before in zip(versions, (*versions[1:], None), strict=True)
    ]
    return _render(
        page,
        "knowledge_article.html",
        name=article,
        found=found,
        standing=found.article.standing(page.request.now, page.playbook.zone),
        history=history,
    )


@route("GET", "{article}/edit")
def edit(page: WorkbenchPage, article: str) -> HttpResponse:
    """Show the editor of an article."""
    require(page.principal, WRITES_ARTICLES, Phrase("write articles"))
    found = articles.read(page.request, page.storage, page.principal, page.playbook, article)
    return _editor(page, article, ArticleForm.of_article(article, found))


@route("POST", "{article}/edit")
def save(page: WorkbenchPage, article: str) -> HttpResponse:
    """Store an article's next version, preview it, or have phrasings proposed."""
    return _save(page, article)


def _save(page: WorkbenchPage, name: str) -> HttpResponse:
    require(page.principal, WRITES_ARTICLES, Phrase("write articles"))
    form, act = ArticleForm.of_fields(page, name), page.field("act")
    if page.is_fragment:
        shown = editor.previews(form, page.playbook, page.locale)
        return page.render("knowledge_preview.html", previews=shown)
    if act == "preview":
        return _editor(page, name, form)
    if act.startswith("phrasings."):
        return _proposed(page, name, form, "en" if act.endswith("en") else "zh-CN")
    try:
        if not name and form.name in RESERVED:
            errors = {"id": [page.say("knowledge.id_reserved")]}
            return _editor(page, name, form, 400, errors=errors)
        articles.put_article(page.calling(form.body()), page.storage, page.desk, form.name)
    except InvalidInput as refused:
        return _editor(page, name, form, 400, errors=editor.errors_of(refused, form, page.locale))
    except StaleArticle as refused:
        return _stale(page, name, form, refused)
    return page.redirect(_address(page, form.name))


def _stale(
    page: WorkbenchPage, name: str, form: ArticleForm, refused: StaleArticle
) -> HttpResponse:
    """Show what somebody else has changed, and what saving would now; nothing typed is lost."""
    stored = page.storage.knowledge.article(page.desk, form.name)
    if stored is None:
        raise refused
    if not name:
        errors = {"id": [page.say("knowledge.id_taken")]}
        return _editor(page, name, form, 409, errors=errors)
    versions = page.storage.knowledge.versions(page.desk, name)
    base = next((each.article for each in versions if each.version == form.version), None)
    typed = page.calling(form.body()).read(articles.EditedArticle)
    newer = ArticleForm(name, stored.version, form.texts, form.needs)
    theirs, mine = differences(base, stored.article), differences(stored.article, typed)
    return _editor(page, name, newer, 409, stored=stored, theirs=theirs, mine=mine)


def _proposed(page: WorkbenchPage, name: str, form: ArticleForm, locale: Locale) -> HttpResponse:
    """Show the phrasings that the desk's language model proposes, to pick from."""
    from functions.workbench.model_calls import write_phrasings

    try:
        call = page.calling({"locale": locale})
        lines = write_phrasings(call, page.storage, page.desk, name).body["phrasings"]
    except Refused as refused:
        errors = {f"asked.{locale}": [translated(refused.detail, page.locale)]}
        return _editor(page, name, form, refused.status, errors=errors)
    new = [line for line in lines if line not in form.phrasings(locale)]
    return _editor(page, name, form, proposed={locale: new})


def _editor(
    page: WorkbenchPage, name: str, form: ArticleForm, status: int = 200, **values: Any
) -> HttpResponse:
    playbook = page.playbook
    model = playbook.language_model
    return _render(
        page,
        "knowledge_editor.html",
        status,
        **{
            "name": name,
            "form": form,
            "errors": {},
            "stored": None,
            "proposed": {},
            "rows": form.rows(playbook),
            "previews": editor.previews(form, playbook, page.locale),
            "types": {key: each.label[page.locale] for key, each in playbook.types.items()},
            "proposes": bool(name and model and "phrasings" in model.uses),
            "slug": SLUG,
            **values,
        },
    )


def _found(page: WorkbenchPage, query: str) -> list[tuple[str, ArticleVersion]]:
    return articles.find(page.request, page.storage, page.principal, page.playbook, query)[1]


def _writes(page: WorkbenchPage) -> bool:
    return bool(page.principal.roles & WRITES_ARTICLES)


def _address(page: WorkbenchPage, name: str, *more: str) -> str:
    """Return the address of an article, also of one that is named like another page."""
    own = ("show",) if name in RESERVED and not more else ()
    return page.url("knowledge", name, *own, *more)


def _render(page: WorkbenchPage, template: str, status: int = 200, **values: Any) -> HttpResponse:
    return page.render(
        template,
        status,
        **{
            "title": None,
            "writes": _writes(page),
            "place": template.removeprefix("knowledge_").removesuffix(".html"),
            "reports": bool(page.principal.roles & SEES_BEHIND),
            "languages": LOCALES,
            "article_url": partial(_address, page),
            "time": partial(_time, page),
            **values,
        },
    )


def _time(page: WorkbenchPage, at: datetime) -> str:
    told, year = format_time(at, page.playbook, page.locale), at.astimezone(page.playbook.zone).year
    if year == page.request.now.astimezone(page.playbook.zone).year:
        return told
    return f"{year}{'年' if page.locale == 'zh-CN' else ', '}{told}"
