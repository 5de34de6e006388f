"""The second kind of adapter: a provider announces messages, and they are pulled from its API.

`intake` answers the announcement at once; `fetcher` pulls, page by page, and each page is read as
the body of a request. docs/decisions/0041-announced-then-pulled.md says why.
"""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from functions.core.channels.base import Adapter, HttpCall, ProviderRequest, ProviderResult, Secret


@dataclass(frozen=True)
class Announcement:
    """The news that an account has messages.

    `account` is "" for every account of the secret; `token` is what the provider wants to see in
    the pull, "" for nothing.
    """

    account: str = ""
    token: str = ""


@dataclass(frozen=True)
class PulledPage:
    """The place after a page at which a pull goes on, and whether it has to.

    `refused`: the announcement's token has expired; the same page can be pulled without it.
    """

    cursor: str = ""
    more: bool = False
    refused: bool = False


class PulledAdapter(Adapter):
    """Translates for a provider that announces. `read` and `reports` read a page as it was pulled.

    `announced_within`: the longest time between a message and its announcement.
    """

    announced_within: ClassVar[timedelta]

    @abstractmethod
    def announcement(self, request: ProviderRequest, secret: Secret) -> Announcement | None:
        """Return what a request whose signature is valid announces; None for nothing to pull.

        Raises:
            Unreadable: the request does not follow the provider's documentation.
        """

    @abstractmethod
    def pull_call(
        self, announcement: Announcement, cursor: str, secret: Secret, token: str
    ) -> HttpCall:
        """Return the call that pulls the page after `cursor`, "" for the oldest one kept.

        Raises:
            KeyError: the secret lacks a key.
        """

    @abstractmethod
    def page(self, status: int, body: bytes) -> PulledPage | ProviderResult:
        """Read the end of a page, or the reason why there is none."""
