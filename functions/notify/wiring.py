"""Build the dispatchers of a deployment from its AWS clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from functions.core.deliver import email, once
from functions.core.platform import aws, clock, container
from functions.core.platform.dead_letters import dead_letter
from functions.core.platform.settings import Deployment
from functions.core.services.allowances import Allowances
from functions.notify import contact
from functions.notify.chat_sending import ChatSender
from functions.notify.dispatch import Dispatcher
from functions.notify.sending import Sender
from functions.notify.webhook_dispatch import EndpointBudget, WebhookDispatcher

if TYPE_CHECKING:
    from functions.core.channels.base import OutgoingMessage
    from functions.core.deliver.sms import TextMessage
    from functions.core.deliver.webhook import SecretCache
    from functions.core.domain.rules import Playbook


def dispatcher(deployment: Deployment) -> Dispatcher:
    storage = container.storage(deployment)
    return Dispatcher(
        storage=storage,
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
            open_outgoing=lambda desk, number, pieces: contact.open_outgoing(
                aws.client("kms"), deployment.contacts_key, desk, number, pieces
            ),
            send_mail=lambda sender, to, raw: email.send(
                once.client("sesv2"), sender, to, raw, deployment.prefix
            ),
            send_sms=partial(_send_text, deployment),
            admits_sms=lambda desk, limit, local: storage.counters.admits(
                desk, "sms", limit, "day", local
            ),
            keep_link=storage.short_links.keep,
            keep_reply=storage.chats.keep_reply,
            send_chat=ChatSender(
                storage,
                Allowances(storage.contacts, aws.root_key(deployment)),
                partial(_send_chat, deployment),
            ),
        ),
    )


def webhook_dispatcher(deployment: Deployment, in_time: Callable[[], bool]) -> WebhookDispatcher:
    return WebhookDispatcher(
        storage=container.storage(deployment),
        enqueue_dead_letter=lambda keys, cause: dead_letter(
            deployment, "notify", None, cause, keys
        ),
        now=clock.now(),
        secrets=lambda desk, name, now: secret_cache(deployment).valid(
            deployment.parameter(f"desks/{desk}/webhooks/{name}"), now
        ),
        post=lambda url, body, headers: _post(deployment, url, body, headers),
        put=lambda bus, kind, body: _put(deployment, bus, kind, body),
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
    from functions.core.deliver.webhook import SecretCache, read_secret

    return SecretCache(lambda name: read_secret(aws.client("ssm"), name))


# Most messages go by mail, so other ways of sending are imported with their first message.


def _send_text(deployment: Deployment, playbook: Playbook, text: TextMessage) -> str:
    from functions.core.deliver import sms

    return sms.send(deployment, playbook, text)


def _send_chat(deployment: Deployment, desk: str, channel: str, outgoing: OutgoingMessage) -> str:
    from functions.core.deliver import message

    return message.send(deployment, desk, channel, outgoing)


def _post(deployment: Deployment, url: str, body: bytes, headers: Mapping[str, str]) -> str:
    from functions.core.deliver.webhook import post

    local = aws.settings(deployment).get("local_webhooks") == "on"
    return post(url, body, headers, local=local)


def _put(deployment: Deployment, bus: str, kind: str, body: bytes) -> str:
    from functions.core.deliver import event_bus

    return event_bus.put(once.client("events", 5), deployment.bus(bus), kind, body)
