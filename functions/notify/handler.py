"""`deskbell-<stage>-notify`: send messages and webhooks for the table's stream records (F2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from time import sleep
from typing import TYPE_CHECKING, Any, Protocol

from chalice.app import Blueprint

from functions.core.domain.errors import TryAgain
from functions.core.platform import aws, clock, container
from functions.core.platform.dead_letters import dead_letter
from functions.core.platform.settings import Deployment, LambdaContext
from functions.core.platform.stream import BatchResponse, process_batch
from functions.notify import contact
from functions.notify.base_dispatch import ClaimedElsewhere
from functions.notify.deliver import email, message, once, sms
from functions.notify.dispatch import Dispatcher
from functions.notify.sending import Sender
from functions.notify.webhook_dispatch import EndpointBudget, WebhookDispatcher

if TYPE_CHECKING:
    from functions.notify.deliver.webhook import SecretCache

TIME_FOR_RECORD = timedelta(seconds=25)
"""The remaining time that another record needs: Lambda must not end the function between sending
and recording because a provider is slow."""

CLAIM_PAUSE = timedelta(seconds=20)
"""How long to wait before a record with another run's claim is retried. Lambda retries at once and
counts attempts (`MaximumRetryAttempts`). Without a pause they would be used up before the claim of
a run that died expires (`CLAIM_TIMEOUT`), and its delivery would be lost unseen."""

TIME_AFTER_PAUSE = timedelta(seconds=5)
"""The remaining time that the function needs after the pause."""

bp = Blueprint(__name__)


class Context(LambdaContext, Protocol):
    def get_remaining_time_in_millis(self) -> int: ...


@bp.lambda_function(name="notify")
def notify(event: Any, context: Context) -> BatchResponse:
    """Process a batch of stream records; return those that Lambda has to retry."""
    deployment = Deployment.of(context)
    claims: list[ClaimedElsewhere] = []

    def time_left() -> timedelta:
        return timedelta(milliseconds=context.get_remaining_time_in_millis())

    def in_time() -> bool:
        return time_left() >= TIME_FOR_RECORD

    people = dispatcher(deployment)
    webhooks = webhook_dispatcher(deployment, in_time)

    def notify_people(record: Any) -> None:
        if not in_time():
            raise TryAgain("no time is left for this record")
        with _collected(claims):
            people.at(clock.now()).process(record)

    def notify_webhooks(record: Any) -> None:
        with _collected(claims):
            webhooks.at(clock.now()).process(record)

    # People first: an endpoint that hangs must delay other endpoints only (G5).
    failures = [
        *process_batch(event, deployment, "notify", notify_people)["batchItemFailures"],
        *process_batch(event, deployment, "notify", notify_webhooks)["batchItemFailures"],
    ]
    if claims:
        sleep(max(min(CLAIM_PAUSE, time_left() - TIME_AFTER_PAUSE), timedelta()).total_seconds())
    unique = {failure["itemIdentifier"]: failure for failure in failures}
    return {"batchItemFailures": list(unique.values())}


@contextmanager
def _collected(claims: list[ClaimedElsewhere]) -> Iterator[None]:
    try:
        yield
    except ClaimedElsewhere as error:
        claims.append(error)
        raise


def dispatcher(deployment: Deployment) -> Dispatcher:
    """Return the dispatcher of messages to people."""
    return Dispatcher(
        store=container.store(deployment),
        enqueue_dead_letter=lambda keys, cause: dead_letter(
            deployment, "notify", None, cause, keys
        ),
        now=clock.now(),
        public_url=aws.public_url(deployment),
        sender=Sender(
            root=aws.root_key(deployment),
            open_contact=lambda desk, number, sealed: contact.open_contact(
                aws.client("kms"), deployment.contacts_key, desk, number, sealed
            ),
            send_mail=lambda sender, to, raw: email.send(
                once.client("sesv2"), sender, to, raw, deployment.prefix
            ),
            send_sms=lambda number, text, sender: sms.send(
                once.client("sns"), number, text, sender
            ),
            send_chat=lambda desk, channel, outgoing: message.send(
                deployment, desk, channel, outgoing
            ),
        ),
    )


def webhook_dispatcher(deployment: Deployment, in_time: Callable[[], bool]) -> WebhookDispatcher:
    """Return the dispatcher of webhooks."""
    return WebhookDispatcher(
        store=container.store(deployment),
        enqueue_dead_letter=lambda keys, cause: dead_letter(
            deployment, "notify", None, cause, keys
        ),
        now=clock.now(),
        secrets=lambda desk, name, now: secret_cache(deployment).valid(
            deployment.parameter(f"desks/{desk}/webhooks/{name}"), now
        ),
        post=lambda url, body, headers: _post(deployment, url, body, headers),
        budget=endpoint_budget(deployment),
        in_time=in_time,
    )


# What a container knows about endpoints between calls. Most desks have none, so `deliver.webhook`
# is imported with the first message.


@lru_cache(maxsize=4)
def endpoint_budget(deployment: Deployment) -> EndpointBudget:
    """Return the container's budget for endpoints."""
    return EndpointBudget()


@lru_cache(maxsize=4)
def secret_cache(deployment: Deployment) -> SecretCache:
    """Return the container's cache of endpoints' secrets."""
    from functions.notify.deliver.webhook import SecretCache, read_secret

    return SecretCache(lambda name: read_secret(aws.client("ssm"), name))


def _post(deployment: Deployment, url: str, body: bytes, headers: Mapping[str, str]) -> str:
    from functions.notify.deliver.webhook import post

    local = aws.settings(deployment).get("local_webhooks") == "on"
    return post(url, body, headers, local=local)
