"""The knowledge bases of a stage: applying articles, and who did it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import boto3

from functions.core.domain.errors import PlaybookError
from functions.core.domain.knowledge import Article, ArticleVersion
from functions.core.domain.proposals import ProposalDecision
from functions.core.knowledge.checks import errors, without_source
from functions.core.knowledge.loader import load
from functions.core.playbook.changes import differences
from functions.core.services import proposals
from functions.core.storage.table import Write
from infra.deploy.desks import storage_of
from infra.deploy.trail import OperatorTrail


@dataclass(frozen=True)
class AppliedArticles:
    """The result of applying articles: those that changed, the changes, one line each, and what
    keeps an article from working."""

    version: int
    changed: tuple[str, ...]
    changes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


SHIPPED = Path(__file__).resolve().parents[2] / "knowledge"


def ensure_knowledge(trail: OperatorTrail, now: datetime) -> list[str]:
    """Give the desks that ship their articles, unless they have any; return those desks."""
    storage = storage_of(trail.stage)
    desks = []
    for path in sorted(SHIPPED.glob("*.yaml")):
        if storage.knowledge.version(path.stem) == 0:
            apply(trail, path.stem, load(path), now)
            desks.append(path.stem)
    return desks


def prepare(stage: str, desk: str) -> None:
    """Let the engine build the index of a desk's articles, before a customer asks.

    It takes half a minute for 30 articles; until then articles are only offered.
    """
    client = boto3.client("lambda")
    # Without the function, such as before its first deployment, the first chat does it.
    with suppress(client.exceptions.ResourceNotFoundException):
        client.invoke(
            FunctionName=f"deskbell-{stage}-answers",
            InvocationType="Event",
            Payload=json.dumps({"desk": desk}).encode(),
        )


def apply(
    trail: OperatorTrail, desk: str, articles: Mapping[str, Article], now: datetime
) -> AppliedArticles:
    """Store the articles that differ from the desk's, each as its next version.

    Articles that are not given stay as they are.

    Raises:
        NotFound: there is no such desk.
        PlaybookError: an article has a type, or needs a variable, that the desk does not have.
        StaleArticle: somebody changed an article at the same time; those before it are stored.
    """
    storage = storage_of(trail.stage)
    playbook = storage.playbooks.get(desk, now)
    wrong = [
        f"articles.{name}.{error.field}: {error.message}"
        for name, article in articles.items()
        for error in errors(article, playbook)
    ]
    if wrong:
        raise PlaybookError("\n".join(wrong))
    current = storage.knowledge.get(desk, now, fresh=True).articles
    changed: list[str] = []
    changes: list[str] = []
    for name, article in articles.items():
        before = current.get(name)
        if before is not None and before.article == article:
            continue
        version = before.version if before else 0
        new = ArticleVersion(version + 1, trail.actor, now, article)
        entry = trail.entry(
            "knowledge.apply",
            desk,
            name,
            before={"version": version} if before else {},
            after={"version": new.version},
        )
        storage.knowledge.put(desk, name, new, storage.audit.write(entry))
        changed.append(name)
        old = _document(before.article) if before else {}
        found = differences({name: old} if before else {}, {name: _document(article)})
        changes += map(str, found)
    sources = playbook.assistant.sources.values() if playbook.assistant else ()
    known = [variable for source in sources for variable in source.values]
    return AppliedArticles(
        storage.knowledge.version(desk),
        tuple(changed),
        tuple(changes),
        tuple(without_source(articles, known)),
    )


def decide(
    trail: OperatorTrail,
    desk: str,
    proposal: str,
    *,
    accepted: bool,
    article: str | None,
    now: datetime,
) -> ProposalDecision:
    """Decide about a proposal (`functions.core.services.proposals.decide`)."""

    def audit(name: str, version: int) -> Write:
        entry = trail.entry("knowledge.apply", desk, name, after={"version": version})
        return storage.audit.write(entry)

    storage = storage_of(trail.stage)
    decision = proposals.decide(
        storage,
        desk,
        proposal,
        accepted=accepted,
        article=article,
        by=trail.actor,
        now=now,
        audit=audit,
    )
    if decision.phrasings:
        prepare(trail.stage, desk)
    return decision


def _document(article: Article) -> object:
    return json.loads(article.stored())
