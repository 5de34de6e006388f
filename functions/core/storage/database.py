"""The entities of a deployment's table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from functions.core.storage.attempts import FailedAttempts
from functions.core.storage.audit import Audit
from functions.core.storage.closing_tokens import ClosingTokens
from functions.core.storage.contacts import Contacts
from functions.core.storage.counters import Counters
from functions.core.storage.deliveries import Deliveries
from functions.core.storage.expected_reports import ExpectedReports
from functions.core.storage.idempotency import Idempotency
from functions.core.storage.journal import Journal
from functions.core.storage.playbooks import Playbooks
from functions.core.storage.roster import Roster
from functions.core.storage.short_links import ShortLinks
from functions.core.storage.table import Table
from functions.core.storage.tickets import Spent, Tickets, nothing_spent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from functions.core.storage.calls import Calls
    from functions.core.storage.channel_health import ChannelHealths
    from functions.core.storage.chats import Chats
    from functions.core.storage.customers import Customers
    from functions.core.storage.drafts import Drafts
    from functions.core.storage.knowledge import Knowledge
    from functions.core.storage.manifests import Manifests
    from functions.core.storage.model_summaries import ModelSummaries
    from functions.core.storage.model_uses import ModelUses
    from functions.core.storage.page_sessions import PageSessions
    from functions.core.storage.proposals import DeskProposals
    from functions.core.storage.pulls import AccountPull
    from functions.core.storage.report_progress import ReportProgress
    from functions.core.storage.saved_views import StoredViews


@dataclass(frozen=True)
class Storage:
    """The table of a deployment, by entity; caches playbooks and articles between calls.

    Further journals: `changes` has the commits without words, `questions` what customers asked the
    assistant, `presence` when agents came and went, `chat_ends` the chats without a ticket.
    """

    table: Table
    tickets: Tickets
    contacts: Contacts
    deliveries: Deliveries
    playbooks: Playbooks
    roster: Roster
    idempotency: Idempotency
    closing_tokens: ClosingTokens
    failed_attempts: FailedAttempts
    counters: Counters
    audit: Audit
    short_links: ShortLinks
    expected_reports: ExpectedReports
    journal: Journal
    changes: Journal
    questions: Journal
    presence: Journal
    chat_ends: Journal

    @classmethod
    def on(cls, client: DynamoDBClient, table_name: str, spent: Spent = nothing_spent) -> Storage:
        """Return the entities of a table; `spent` says what a commit has used."""
        table = Table(client, table_name)
        contacts, deliveries = Contacts(table), Deliveries(table)
        playbooks, roster, idempotency = Playbooks(table), Roster(table), Idempotency(table)
        audit = Audit(table)
        tickets = Tickets(table, contacts, deliveries, playbooks, roster, idempotency, audit, spent)
        return cls(
            table,
            tickets,
            contacts,
            deliveries,
            playbooks,
            roster,
            idempotency,
            ClosingTokens(table),
            FailedAttempts(table),
            Counters(table),
            audit,
            ShortLinks(table),
            ExpectedReports(table),
            Journal(table),
            Journal(table, "CHANGE"),
            Journal(table, "QUESTION"),
            Journal(table, "PRESENCE"),
            Journal(table, "ENDED"),
        )

    def account_pull(self, desk: str, channel: str, account: str, owner: str) -> AccountPull:
        """The pull of an announced account: only `fetcher` imports it."""
        from functions.core.storage.pulls import AccountPull

        return AccountPull(self.table, desk, channel, account, owner)

    @cached_property
    def channel_healths(self) -> ChannelHealths:
        """The health of the chat channels."""
        from functions.core.storage.channel_health import ChannelHealths

        return ChannelHealths(self.table)

    @cached_property
    def report_progress(self) -> ReportProgress:
        """The progress of the reports and the months' spending: only `reports` imports it."""
        from functions.core.storage.report_progress import ReportProgress

        return ReportProgress(self.table)

    @cached_property
    def page_sessions(self) -> PageSessions:
        """The sessions of agents' browsers: only the workbench imports it."""
        from functions.core.storage.page_sessions import PageSessions

        return PageSessions(self.table)

    @cached_property
    def calls(self) -> Calls:
        """The phone calls: only who takes in, shows or erases calls imports it."""
        from functions.core.storage.calls import Calls

        return Calls(self.table)

    @cached_property
    def drafts(self) -> Drafts:
        """The drafts of agents: only the workbench and, for what is left, the sweep import it."""
        from functions.core.storage.drafts import Drafts

        return Drafts(self.table)

    @cached_property
    def saved_views(self) -> StoredViews:
        """The views that agents have saved: only the workbench imports it."""
        from functions.core.storage.saved_views import StoredViews

        return StoredViews(self.table)

    @cached_property
    def chats(self) -> Chats:
        """The chats: only the assistant and who shows or erases chats import it."""
        from functions.core.storage.chats import Chats

        return Chats(self.table)

    @cached_property
    def customers(self) -> Customers:
        """The customers' records, which join contacts."""
        from functions.core.storage.customers import Customers

        return Customers(self.table)

    @cached_property
    def proposals(self) -> DeskProposals:
        """Proposals for a desk's articles and rules."""
        from functions.core.storage.proposals import DeskProposals

        return DeskProposals(self.table)

    @cached_property
    def model_uses(self) -> ModelUses:
        """The use of language models."""
        from functions.core.storage.model_uses import ModelUses

        return ModelUses(self.table)

    @cached_property
    def model_summaries(self) -> ModelSummaries:
        """The summaries that language models wrote."""
        from functions.core.storage.model_summaries import ModelSummaries

        return ModelSummaries(self.table)

    @cached_property
    def manifests(self) -> Manifests:
        """The segments of the search: only who searches, indexes or erases imports it."""
        from functions.core.storage.manifests import Manifests

        return Manifests(self.table)

    @cached_property
    def knowledge(self) -> Knowledge:
        """The articles."""
        from functions.core.storage.knowledge import Knowledge

        return Knowledge(self.table)
