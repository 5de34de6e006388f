"""Fetch the files of a message and add them to its ticket, under the rules for customers' files."""

from __future__ import annotations

from collections.abc import Mapping

from functions.core.channels.base import Adapter, HttpCall, MediaFile, ProviderResult, Secret
from functions.core.deliver.failures import Permanent
from functions.core.deliver.message import ask, failure_of
from functions.core.domain.commands import Note
from functions.core.domain.errors import ActionNotAllowed
from functions.core.domain.fetching import MediaTask
from functions.core.platform import aws, clock, container
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.receive.chat import connected_channel
from functions.core.services.command_service import change
from functions.core.storage.files import MAX_BYTES, Files
from functions.core.storage.idempotency import Duplicate, IdempotencyRecord
from functions.core.text.portal_texts import TEXTS as REASONS
from functions.core.text.words import MESSAGE_LABELS, say

MOST_CALLS = 3
"""The calls that one file may take: providers give a link first."""

log = logger("fetcher")


def fetch(deployment: Deployment, task: MediaTask) -> None:
    """Fetch the files of one message, once.

    Raises:
        Passing: the provider fails at the moment.
    """
    now, desk = clock.now(), task.desk
    about = {"desk": desk, "ticket": task.number, "channel": task.channel}
    storage = container.storage(deployment)
    record = IdempotencyRecord(desk, task.channel, f"{task.message} files", number=task.number)
    if storage.idempotency.get(record) is not None:
        return
    ticket = storage.tickets.find(desk, task.number)
    connected = connected_channel(deployment, desk, task.channel, now)
    if ticket is None or ticket.erased or connected is None:
        return
    playbook = storage.playbooks.get(desk, now)
    files: list[tuple[str, bytes]] = []
    lines: list[str] = []
    for medium in task.media:
        found = _file(*connected, medium)
        if isinstance(found, MediaFile):
            files.append((found.name or task.kind, found.content))
        else:
            log.warning("media.failed", extra={**about, "cause": found})
            lines.append(say("media.failed", playbook.locale, cause=found))
    stored, refused = Files(aws.client("s3"), deployment.mail_bucket).keep(
        f"{desk}/{task.number}", files, playbook.files
    )
    for file in refused:
        reason = REASONS[f"refused.{file.reason}"][playbook.locale]
        lines.append(say("media.refused", playbook.locale, name=file.name, reason=reason))
    label = MESSAGE_LABELS.get(task.kind, MESSAGE_LABELS["file"])[playbook.locale]
    note = Note("\n".join((f"[{label}]", *lines)), attachments=stored)
    try:
        change(
            storage,
            desk,
            task.number,
            note,
            playbook,
            now,
            actor="system",
            loaded=ticket,
            idempotency=record,
        )
    except (ActionNotAllowed, Duplicate) as error:
        log.info("media.not_added", extra={**about, "cause": type(error).__name__})


def _file(channel: Adapter, secret: Secret, medium: str) -> MediaFile | str:
    """Return a file, or the reason why the provider does not give it.

    Raises:
        Passing: the provider fails at the moment.
    """
    link: HttpCall | None = None
    used = ""

    def build(token: str) -> HttpCall:
        nonlocal used
        used = token
        call = link or channel.media_call(medium, secret, token)
        if call is None:
            raise Permanent(f"{channel.name} gives no such file")
        return call

    def read(
        status: int, headers: Mapping[str, str], body: bytes
    ) -> MediaFile | HttpCall | ProviderResult:
        return channel.media(status, headers, body, secret, used)

    for _ in range(MOST_CALLS):
        found: MediaFile | HttpCall | ProviderResult
        try:
            found = ask(channel, secret, build, read, MAX_BYTES + 1)
            if isinstance(found, ProviderResult):
                raise failure_of(found)
        except Permanent as failure:
            return str(failure)
        if isinstance(found, MediaFile):
            return found
        link = found
    return f"{channel.name} gives one link after another"
