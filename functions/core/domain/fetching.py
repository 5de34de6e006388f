"""Requests to the function `fetcher`: small events that nobody waits for."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Task(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    desk: str
    channel: str


class PullTask(_Task):
    """Pull the messages that a provider has announced.

    Args:
        account: the desk's account with the provider, "" for all of the secret's.
        token: what the provider gave for this pull, "" for none.
    """

    task: Literal["pull"] = "pull"
    account: str = ""
    token: str = ""


class MediaTask(_Task):
    """Fetch the files of a message and add them to its ticket.

    Args:
        number: the ticket's number.
        message: the id of the message's idempotency record, so that its files are added once.
        kind: the message's kind, as in `IncomingMessage`.
        media: the provider's ids or URLs of the files.
        names: the files' names in the same order, as far as the provider told them.
    """

    task: Literal["media"] = "media"
    number: str
    message: str
    kind: str = "file"
    media: tuple[str, ...]
    names: tuple[str, ...] = ()


FetchTask = PullTask | MediaTask
