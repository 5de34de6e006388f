"""Parts of a playbook about where a desk's records go: the archive, and other systems."""

from typing import Annotated, Literal

from pydantic import Field

from functions.core.domain.playbook_types import Names, Section


class Retention(Section):
    """B10: how long a ticket's archive is kept, three years at least."""

    years: Literal[3, 5, 7, 10] = 3


class Webhook(Section):
    """G5: an endpoint that receives events in signed requests (docs/webhooks.md).

    `events` lists types such as `ticket.received`, the desk's steps (`step:visit`), or `*`.
    Secrets are not part of a playbook: `deskbell webhooks secret` shows them.
    """

    url: Annotated[str, Field(max_length=500)]
    events: Names = Field(min_length=1)
