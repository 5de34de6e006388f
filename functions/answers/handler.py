"""`deskbell-<stage>-answers`: finds the articles that answer a question (C4); tells moods (B13)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from functions.core.platform import aws, clock, container
from functions.core.platform.settings import Deployment, LambdaContext

bp = Blueprint(__name__)


@bp.lambda_function(name="answers")
def answers(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Decide about a question: `{desk, text, at_once, offer}` → `{kind, articles, p}`.

    `{desk}` alone prepares the desk's index, so that the first question does not wait for it.
    `{desk, mood_of, upset, calm}`, the last two a desk's own examples, → `{upset}`: how likely the
    writer of a text is upset, null without an encoder.
    """
    from functions.answers import bundle, encoder, mood
    from functions.answers.engine import Thresholds, decide
    from functions.answers.indexes import Indexes

    deployment, desk = Deployment.of(context), event["desk"]
    bundle.install(
        aws.client("s3"), deployment.mail_bucket, lambda: aws.engine_libraries(deployment)
    )
    embed = encoder.load()
    if "mood_of" in event:
        if embed is None:
            return {"upset": None}
        layer = mood.fit(embed, tuple(event["upset"]), tuple(event["calm"]))
        return {"upset": mood.likelihood(layer, event["mood_of"], embed)}
    indexes = Indexes(
        container.storage(deployment).knowledge,
        aws.client("s3"),
        deployment.mail_bucket,
        embed,
    )
    if "text" not in event:
        indexes.prepare(desk, clock.now())
        return {}
    index = indexes.get(desk, clock.now())
    thresholds = Thresholds(event["at_once"], event["offer"])
    decision = decide(index, event["text"], embed, thresholds)
    return {"kind": decision.kind, "articles": list(decision.articles), "p": decision.p}
