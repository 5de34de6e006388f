"""Pull the messages of an announced account, page by page, one puller at a time (decision 41)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from functions.core.channels.base import ProviderRequest, ProviderResult, Secret
from functions.core.channels.pulled import Announcement, PulledAdapter, PulledPage
from functions.core.deliver.message import ask, failure_of
from functions.core.domain.fetching import PullTask
from functions.core.platform import clock, container
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.receive.chat import PAGE, chat_channel, connected_channel
from functions.core.receive.fetching import fetch_later
from functions.core.storage.pulls import AccountPull, PullState

TIME_OF_A_PAGE = timedelta(seconds=40)
"""More than the messages of a page take; with less left, another invocation goes on."""

MAX_PAGE = 4 * 1024 * 1024
"""The most bytes of a page."""

Remaining = Callable[[], timedelta]

log = logger("fetcher")


def pull(deployment: Deployment, task: PullTask, owner: str, remaining: Remaining) -> None:
    """Pull until nothing is left; hand the rest over if time runs out.

    Args:
        owner: the id of this event, the same for its repetitions.
        remaining: returns the time that the invocation still has.

    Raises:
        SendFailure: the provider gave no page.
        TryAgain: a message could not be processed for now.
    """
    about = {"desk": task.desk, "channel": task.channel}
    now = clock.now()
    connected = connected_channel(deployment, task.desk, task.channel, now)
    if connected is None or not isinstance(connected[0], PulledAdapter):
        log.warning("pull.disconnected", extra=about)
        return
    adapter, secret = connected[0], connected[1]
    storage = container.storage(deployment)
    lease = storage.account_pull(task.desk, task.channel, task.account, owner)
    state = lease.take(now, now + remaining())
    while state is None:
        if lease.ask_again(task.token, now):
            log.info("pull.left_to_holder", extra=about)
            return
        state = lease.take(now, now + remaining())
    puller = Puller(deployment, task.desk, adapter, secret, lease, remaining)
    try:
        unfinished = puller.run(Announcement(task.account, task.token), state)
    except BaseException:
        lease.give_up()
        raise
    if unfinished is not None:
        lease.give_up()
        log.info("pull.handed_over", extra=about)
        fetch_later(deployment, task.model_copy(update={"token": unfinished.token}))


@dataclass(frozen=True)
class Puller:
    """Pulls one account while it holds its lease."""

    deployment: Deployment
    desk: str
    adapter: PulledAdapter
    secret: Secret
    lease: AccountPull
    remaining: Remaining

    def run(self, announcement: Announcement, state: PullState) -> Announcement | None:
        """Pull until nobody asks for more; return what is left to pull when time runs out."""
        cursor = state.cursor
        since = state.since - self.adapter.announced_within
        while True:
            if self.remaining() < TIME_OF_A_PAGE:
                return announcement
            body, page = self._page(announcement, cursor)
            if page.refused:
                announcement = replace(announcement, token="")
                continue
            now = clock.now()
            chat = chat_channel(self.adapter, self.secret, self.desk, self.deployment, now)
            chat.receive_page(ProviderRequest("POST", now, query=PAGE, body=body), since)
            if page.cursor and page.cursor != cursor:
                if not self.lease.save(cursor, page.cursor):
                    log.warning("pull.lease_lost", extra={"desk": self.desk})
                    return None
                cursor = page.cursor
                if page.more:
                    continue
            token = self.lease.release()
            if token is None:
                return None
            announcement = replace(announcement, token=token)

    def _page(self, announcement: Announcement, cursor: str) -> tuple[bytes, PulledPage]:
        def read(status: int, body: bytes) -> tuple[bytes, PulledPage] | ProviderResult:
            page = self.adapter.page(status, body)
            return page if isinstance(page, ProviderResult) else (body, page)

        found = ask(
            self.adapter,
            self.secret,
            lambda token: self.adapter.pull_call(announcement, cursor, self.secret, token),
            read,
            MAX_PAGE,
        )
        if isinstance(found, ProviderResult):
            raise failure_of(found)
        return found
