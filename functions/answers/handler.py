"""The functions that have the encoder.

`deskbell-<stage>-answers` finds the articles that answer a question (C4) and tells moods (B13);
`deskbell-<stage>-proposals` makes the desks' proposals at night (C12).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint

from functions.core.platform import aws, clock, container
from functions.core.platform.logging import logger
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment, LambdaContext

if TYPE_CHECKING:
    from functions.answers.indexes import Indexes

bp = Blueprint(__name__)
log = logger("answers")


@bp.lambda_function(name="answers")
@metered
def answers(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Decide about a question: `{desk, text, at_once, offer}` → `{kind, articles, p}`.

    `{desk}` alone prepares the desk's index, so that the first question does not wait for it.
    `{desk, mood_of, upset, calm}`, the last two a desk's own examples, → `{upset}`: how likely the
    writer of a text is upset, null without an encoder.
    """
    from functions.answers import mood
    from functions.answers.engine import Thresholds, decide

    deployment, desk = Deployment.of(context), event["desk"]
    indexes = _indexes(deployment)
    if "mood_of" in event:
        if indexes.encoder is None:
            return {"upset": None}
        layer = mood.fit(indexes.encoder, tuple(event["upset"]), tuple(event["calm"]))
        return {"upset": mood.likelihood(layer, event["mood_of"], indexes.encoder)}
    if "text" not in event:
        indexes.prepare(desk, clock.now())
        return {}
    index = indexes.get(desk, clock.now())
    thresholds = Thresholds(event["at_once"], event["offer"])
    decision = decide(index, event["text"], indexes.encoder, thresholds)
    return {"kind": decision.kind, "articles": list(decision.articles), "p": decision.p}


@metered
def proposals(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Make the proposals of the desks in whose time zone it is 2 o'clock at the event's time.

    EventBridge invokes it every hour: `{"time": "2026-03-10T18:00:00Z", …}`. Each desk gets an
    invocation of its own, `{"time": …, "desk": "assisted"}`, which can be repeated by hand at any
    time. Returns the number of proposals by source.
    """
    from functions.answers.proposing import ProposalRun, is_due

    deployment, now = Deployment.of(context), datetime.fromisoformat(event["time"])
    storage = container.storage(deployment)
    if "desk" not in event:
        for listed in storage.manifests.list():
            if is_due(storage.playbooks.get(listed.desk, now), now):
                _invoke_for(listed.desk, event["time"], deployment)
        return {}
    indexes, playbook = _indexes(deployment), storage.playbooks.get(event["desk"], now)
    if indexes.encoder is None:
        log.warning("proposals.no_encoder", extra={"desk": playbook.desk})
        return {}
    made = ProposalRun(storage, indexes, indexes.encoder, playbook, now).run()
    log.info("proposals.made", extra={"desk": playbook.desk, **made})
    return made


# As a decorator, Chalice would replace the function with a wrapper that refuses an event without
# EventBridge's complete envelope.
bp.schedule("rate(1 hour)", name="proposals")(proposals)


def _invoke_for(desk: str, time: str, deployment: Deployment) -> None:
    aws.client("lambda").invoke(
        FunctionName=f"{deployment.prefix}-proposals",
        InvocationType="Event",
        Payload=json.dumps({"time": time, "desk": desk}).encode(),
    )


def _indexes(deployment: Deployment) -> Indexes:
    """Return the desks' indexes, with the encoder unless its libraries are missing."""
    from functions.answers import bundle, encoder
    from functions.answers.indexes import Indexes

    s3, bucket = aws.client("s3"), deployment.mail_bucket
    bundle.install(s3, bucket, lambda: aws.engine_libraries(deployment))
    return Indexes(container.storage(deployment).knowledge, s3, bucket, encoder.load())
