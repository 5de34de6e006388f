"""Wire the conversations of a desk from the clients and keys of its deployment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from email.message import EmailMessage
from functools import cache, partial
from typing import TYPE_CHECKING

from functions.core.assistant.engine import ask
from functions.core.assistant.handing_over import lock, opened, sealed
from functions.core.assistant.turns import DeskChats
from functions.core.assistant.verification import Codes
from functions.core.domain.chat import Chat
from functions.core.domain.customers import Identity
from functions.core.domain.errors import FieldError, InvalidInput
from functions.core.domain.playbook_assistant import Assistant
from functions.core.domain.rules import Locale, Playbook
from functions.core.platform import aws, container
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.text.contacts import Contact
from functions.core.text.registered_texts import CODE, fill_registered
from functions.core.text.words import say

if TYPE_CHECKING:
    from functions.core.deliver.sms import TextMessage

log = logger("assistant")


def desk_chats(
    deployment: Deployment,
    playbook: Playbook,
    assistant: Assistant,
    now: datetime,
    *,
    token: str = "",
    writer: Identity | None = None,
) -> DeskChats:
    """Return the chats of a desk for one request.

    Args:
        token: the chat's token, "" on a provider's channel, where nobody has one.
        writer: the person whom the channel proves.
    """
    desk, storage = playbook.desk, container.storage(deployment)
    base = storage.knowledge.get(desk, now)
    return DeskChats(
        storage=storage,
        playbook=playbook,
        assistant=assistant,
        articles={
            name: version.article
            for name, version in base.articles.items()
            if version.article.may_be_read("customer", now, playbook.zone)
        },
        engine=cache(partial(ask, aws.client("lambda"), deployment, desk, assistant)),
        look_up=partial(_look_up, deployment, playbook, now),
        creator=partial(container.ticket_creator, deployment),
        codes=Codes(
            storage=storage,
            playbook=playbook,
            root_key=aws.root_key(deployment),
            send=partial(_send_code, deployment, playbook),
            now=now,
            seal=partial(lock, token=token) if token else lambda text: "",
            seal_contact=partial(_sealed_contact, token),
            writer=writer,
        ),
        summarise=partial(_summarise, deployment, playbook),
    )


def _summarise(deployment: Deployment, playbook: Playbook, number: str) -> None:
    """Let the desk's language model summarise a ticket; nobody waits for it."""
    model = playbook.language_model
    if model is None or "summary" not in model.uses:
        return
    from botocore.exceptions import BotoCoreError, ClientError

    from functions.core.deliver import once
    from functions.core.domain.model_use import ModelRequest

    asked = ModelRequest(desk=playbook.desk, task="summary", about=number, by="system")
    try:
        once.client("lambda").invoke(
            FunctionName=f"{deployment.prefix}-language_model",
            InvocationType="Event",
            Payload=asked.model_dump_json().encode(),
        )
    except (BotoCoreError, ClientError) as error:
        log.warning("model.unreached", extra={"cause": type(error).__name__})


def _sealed_contact(token: str, chat: Chat, contact: Contact) -> str:
    """Encrypt a verified contact, with the name that the customer gave."""
    if not token:
        return ""
    return sealed(contact.address, opened(chat.sealed, token).get("name", ""), token)


def _look_up(
    deployment: Deployment,
    playbook: Playbook,
    now: datetime,
    variables: Collection[str],
    known: Mapping[str, str],
    locale: Locale,
) -> Mapping[str, str]:
    """Ask the desk's sources. Most answers need none, so their code is imported with the first."""
    from functions.core.assistant.look_ups import LookUps, fetch

    def get(url: str, headers: Mapping[str, str]) -> bytes:
        local = aws.settings(deployment).get("local_webhooks") == "on"
        return fetch(url, headers, local=local)

    secret = partial(aws.source_secret, deployment, playbook.desk, now=now)
    return LookUps(playbook, secret, get, now).values(variables, known, locale)


def _send_code(
    deployment: Deployment, playbook: Playbook, contact: Contact, code: str, locale: Locale
) -> None:
    """Send a code by mail or text message.

    Raises:
        InvalidInput: it is not known to have gone out.
    """
    from functions.core.deliver import email, once, sms
    from functions.core.deliver.failures import SendFailure

    try:
        if contact.kind == "phone":
            sms.send(deployment, playbook, _code_message(playbook, contact, code, locale))
        else:
            to = email.deliverable(contact.address)
            raw = _mail(playbook, to, say("verify.message", locale, code=code), locale)
            email.send(once.client("sesv2"), playbook.mail.address, to, raw, deployment.prefix)
    except SendFailure as failure:
        wrong = FieldError("contact", "the code could not be sent there")
        raise InvalidInput("Some fields are invalid.", (wrong,)) from failure


def _code_message(playbook: Playbook, contact: Contact, code: str, locale: Locale) -> TextMessage:
    from functions.core.deliver.sms import TextMessage
    from functions.core.services.composing import with_signature

    if not playbook.sms.registers:
        text = with_signature(say("verify.message", locale, code=code), playbook, locale)
        return TextMessage(contact.address, text)
    registered = playbook.sms.verification_code
    filled = fill_registered(registered[locale], playbook.sms, {CODE: code}) if registered else None
    return TextMessage(contact.address, filled.text if filled else "", filled)


def _mail(playbook: Playbook, to: str, text: str, locale: Locale) -> bytes:
    from email import policy
    from email.headerregistry import Address

    mail = playbook.mail
    message = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    message["From"] = Address(mail.sender[locale], addr_spec=mail.address)
    message["To"] = to
    message["Subject"] = say("verify.subject", locale)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    message.set_content(text)
    return message.as_bytes()
