"""Process the messages of the mail queue: mails, what was released, events of Amazon Connect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from functions.core.platform import aws, clock
from functions.core.platform.container import storage, ticket_creator
from functions.core.platform.settings import Deployment
from functions.core.storage.quarantined import released_call
from functions.intake.mail_pipeline import MailPipeline
from functions.intake.mail_store import MailStore


def process_message(body: str, deployment: Deployment) -> None:
    """Process one message.

    Raises:
        DeadLetter: no repetition can process it.
    """
    call, now = released_call(body), clock.now()
    if call is not None:
        _process_released(call, deployment, now)
    elif ('"aws.connect"' in body or '"ContactId"' in body) and _is_connect_event(body):
        from functions.intake.calls import receive_event

        receive_event(body, deployment, now)
    else:
        mail_pipeline(deployment).process_message(body)


def _process_released(call: Mapping[str, Any], deployment: Deployment, now: datetime) -> None:
    """Process a request that was quarantined; its signature or key was right when it came."""
    channel = call["channel"]
    if channel == "form":
        from functions.intake.forms import create_released as process
    elif channel == "sms-reports":
        from functions.intake.sms_reports import receive_released as process
    elif channel == "voice":
        from functions.intake.calls import receive_released as process
    else:
        from functions.intake.channels import receive_released as process
    process(call, deployment, now)


def _is_connect_event(body: str) -> bool:
    """Return whether a message is an event of Amazon Connect; a mail may quote one."""
    from functions.intake.calls import is_connect_event

    return is_connect_event(body)


def mail_pipeline(deployment: Deployment) -> MailPipeline:
    """Return what processes the mails of a deployment, at this moment."""
    return MailPipeline(
        storage=storage(deployment),
        root_key=aws.root_key(deployment),
        seal_original=partial(aws.seal_original, deployment),
        creator=ticket_creator(deployment),
        mail_store=MailStore(aws.client("s3"), deployment.mail_bucket),
        now=clock.now(),
    )
