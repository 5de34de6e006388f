"""`deskbell-<stage>-notify`: the table's stream, turned into mails and short messages (F2)."""

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
from functions.core.platform.stream import each
from functions.notify import contact, webhook_dispatch
from functions.notify.deliver import email, message, once, sms
from functions.notify.dispatch import Ways, process
from functions.notify.outcomes import UnderWay
from functions.notify.webhook_dispatch import Hooks

if TYPE_CHECKING:
    from functions.notify.deliver.webhook import Secrets

ENOUGH = timedelta(seconds=25)
"""What has to be left of the function's time to begin with another record: a hanging provider must
not let Lambda end the function between sending and marking."""

PAUSE = timedelta(seconds=20)
"""How long a record waits that another run may be busy with. Lambda promises no wait between its
attempts and counts them (`MaximumRetryAttempts`): without one they would be over long before the
claim of a run that died is (`CLAIM_HOLDS`), and what it was to send be given up unseen."""

SPARE = timedelta(seconds=5)
"""What has to be left of the function's time after it."""

bp = Blueprint(__name__)


class Context(LambdaContext, Protocol):
    def get_remaining_time_in_millis(self) -> int: ...


@bp.lambda_function(name="notify")
def notify(event: Any, context: Context) -> dict[str, list[dict[str, str]]]:
    """Deliver what a batch of records gives to say; answer which records have to come again."""
    deployment = Deployment.of(context)

    under_way: list[UnderWay] = []

    def left() -> timedelta:
        return timedelta(milliseconds=context.get_remaining_time_in_millis())

    def in_time() -> bool:
        return left() >= ENOUGH

    ways, webhooks = _ways(deployment), _hooks(deployment, in_time)

    def people(record: Any) -> None:
        if not in_time():
            raise TryAgain("the time is over; the record comes again")
        with _noted(under_way):
            process(record, ways, clock.now())

    def endpoints(record: Any) -> None:
        with _noted(under_way):
            webhook_dispatch.deliver(record, webhooks, clock.now())

    # Everything to people first: an endpoint that hangs delays nobody but other endpoints (G5).
    failed = [
        *each(event, deployment, "notify", people)["batchItemFailures"],
        *each(event, deployment, "notify", endpoints)["batchItemFailures"],
    ]
    if under_way:
        sleep(max(min(PAUSE, left() - SPARE), timedelta()).total_seconds())
    return {
        "batchItemFailures": list({found["itemIdentifier"]: found for found in failed}.values())
    }


@contextmanager
def _noted(under_way: list[UnderWay]) -> Iterator[None]:
    try:
        yield
    except UnderWay as error:
        under_way.append(error)
        raise


def _hooks(deployment: Deployment, in_time: Callable[[], bool]) -> Hooks:
    return Hooks(
        store=container.store(deployment),
        secrets=lambda desk, name, now: _secrets(deployment).of(
            deployment.parameter(f"desks/{desk}/webhooks/{name}"), now
        ),
        post=lambda url, body, headers: _post(deployment, url, body, headers),
        announce=lambda keys, cause: dead_letter(deployment, "notify", None, cause, keys),
        patience=_patience(deployment),
        in_time=in_time,
    )


# What a container knows of its endpoints from one call to the next. Most desks have none, so the
# module that speaks to them is imported with the first message.


@lru_cache(maxsize=4)
def _patience(deployment: Deployment) -> webhook_dispatch.Patience:
    return webhook_dispatch.Patience()


@lru_cache(maxsize=4)
def _secrets(deployment: Deployment) -> Secrets:
    from functions.notify.deliver.webhook import Secrets, read_secret

    return Secrets(lambda name: read_secret(aws.client("ssm"), name))


def _post(deployment: Deployment, url: str, body: bytes, headers: Mapping[str, str]) -> str:
    from functions.notify.deliver.webhook import post

    local = aws.settings(deployment).get("local_webhooks") == "on"
    return post(url, body, headers, local=local)


def _ways(deployment: Deployment) -> Ways:
    return Ways(
        store=container.store(deployment),
        root=aws.root_key(deployment),
        public_url=aws.public_url(deployment),
        open_contact=lambda desk, number, sealed: contact.open_contact(
            aws.client("kms"), deployment.contacts_key, desk, number, sealed
        ),
        send_mail=lambda sender, to, raw: email.send(
            once.client("sesv2"), sender, to, raw, deployment.prefix
        ),
        send_sms=lambda number, text, sender: sms.send(once.client("sns"), number, text, sender),
        send_message=lambda desk, channel, words: message.send(deployment, desk, channel, words),
        announce=lambda keys, cause: dead_letter(deployment, "notify", None, cause, keys),
    )
