"""Parts of a playbook about where a desk's records go: the archive, and other systems."""

from typing import Annotated, Literal

from pydantic import Field

from functions.core.domain.playbook_types import Names, Section


class Retention(Section):
    """B10: how long a ticket's archive is kept, three years at least."""

    years: Literal[3, 5, 7, 10] = 3


class Webhook(Section):
    """G5: an endpoint that receives events in signed requests, or an event bus (docs/webhooks.md).

    It has either a `url` or a `bus`. `events` lists types such as `ticket.received`, the desk's
    steps (`step:visit`), or `*`. Secrets are not part of a playbook: `deskbell webhooks secret`
    shows them. The name of the bus in EventBridge is `deskbell-<stage>-<bus>`.
    """

    url: Annotated[str, Field(max_length=500)] = ""
    bus: Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]{0,63})?$")] = ""
    events: Names = Field(min_length=1)

    @property
    def address(self) -> str:
        """The URL, or `bus:<bus>`."""
        return self.url or f"bus:{self.bus}"
