"""The roster of a desk: its agents, their presence and their load (F2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.domain.errors import NotFound, Phrase, TryAgain
from functions.core.domain.roster import Agent
from functions.core.storage.items import agent_profile, due_attributes, read_agent
from functions.core.storage.table import REFUSED, Item, beginning, key, stamp

if TYPE_CHECKING:
    from functions.core.storage.table import Table, Write
    from functions.core.storage.tickets import Change

ROSTER_TTL = timedelta(seconds=30)
"""The time for which a container uses an entry that it has read: the longest that a role, a team or
an access outlives its end."""

ROUTING_TTL = timedelta(seconds=1)
"""The time for which a container routes by a roster that it has read. Whoever has changed since is
found out by the condition of the claim."""

AGENT = "AGENT#"
"""The prefix of an agent's sort key."""

CLAIM = "claim:"
"""The prefix of the name of a write that adds to an agent's load."""

MAX_CACHED = 1_000
"""The most entries that a container keeps."""

_IS_ACTIVE = "(attribute_not_exists(#active) OR #active = :yes)"

AgentList = list[Agent]


class CachedAgent(NamedTuple):
    """An entry of the roster, None if there is none, and the time at which it was read."""

    read_at: datetime
    agent: Agent | None


class CachedRoster(NamedTuple):
    """A desk's agents by username, and the time at which they were read."""

    read_at: datetime
    agents: dict[str, Agent]


@dataclass
class Roster:
    """The agents of all desks.

    - `cache` keeps those who call the API, by desk and username;
    - `desks` keeps whole rosters for routing, with what this container has changed since.
    """

    table: Table
    cache: dict[tuple[str, str], CachedAgent] = field(default_factory=dict)
    desks: dict[str, CachedRoster] = field(default_factory=dict)

    def current(self, desk: str, username: str, now: datetime) -> Agent | None:
        """An agent as of `ROSTER_TTL` ago at most; presence and load may be older than the rest.

        The read is eventually consistent.
        """
        cached = self.cache.get((desk, username))
        if cached is not None and abs(now - cached.read_at) < ROSTER_TTL:
            return cached.agent
        if len(self.cache) >= MAX_CACHED:
            self.cache.clear()
        agent = self.get(desk, username)
        self.cache[desk, username] = CachedAgent(now, agent)
        return agent

    def get(self, desk: str, username: str) -> Agent | None:
        item = self.table.get(*_agent_key(desk, username))
        return read_agent(desk, item) if item and "role" in item else None

    def put(self, agent: Agent, *audit: Write) -> None:
        """Add or update an agent; whether an existing one is active and online, and the load, stay.

        Args:
            audit: the entry of the audit that is written with it.
        """
        update: Any = {
            "TableName": self.table.name,
            "Key": key(*_agent_key(agent.desk, agent.username)),
            "UpdateExpression": (
                "SET #role = :role, team = :team, #capacity = :capacity, profile = :profile, "
                "#active = if_not_exists(#active, :active), "
                "#online = if_not_exists(#online, :online), #load = if_not_exists(#load, :none)"
            ),
            "ExpressionAttributeNames": _names("role", "capacity", "load", "active", "online"),
            "ExpressionAttributeValues": {
                ":role": {"S": agent.role},
                ":team": {"S": agent.team},
                ":capacity": {"N": str(agent.capacity)},
                ":profile": {"S": agent_profile(agent)},
                ":active": {"BOOL": agent.active},
                ":online": {"BOOL": agent.online},
                ":none": {"N": "0"},
            },
        }
        self._write(update, audit)

    def set_active(self, desk: str, username: str, active: bool, *audit: Write) -> bool:
        """Let a person in or keep them out; who is kept out goes offline.

        Returns:
            False if it was so already.

        Raises:
            NotFound: the roster has no such person.
        """
        agent = self.get(desk, username)
        if agent is None:
            raise NotFound(
                Phrase("{username} is not on the roster of {desk}.", username=username, desk=desk)
            )
        update: Any = {
            "TableName": self.table.name,
            "Key": key(*_agent_key(desk, username)),
            "UpdateExpression": "SET #active = :active, #online = :no, #change = :change",
            "ConditionExpression": f"attribute_exists(#role) AND {_IS_ACTIVE}"
            if not active
            else "#active = :no AND attribute_exists(#role)",
            "ExpressionAttributeNames": _names("active", "online", "change", "role"),
            "ExpressionAttributeValues": {
                ":active": {"BOOL": active},
                ":no": {"BOOL": False},
                ":change": {"S": "activated" if active else "deactivated"},
            }
            | ({} if active else {":yes": {"BOOL": True}}),
        }
        return self._write(update, audit)

    def _write(self, update: Any, audit: Sequence[Write]) -> bool:
        """Carry out an update together with its entry of the audit; False if its condition fails.

        Raises:
            TryAgain: the table was too busy.
        """
        self.cache.clear()
        self.desks.clear()
        failures = self.table.transact([("agent", {"Update": update}), *audit])
        if failures.get("agent") == REFUSED:
            return False
        if failures:
            raise TryAgain(f"the roster was not changed: {failures}")
        return True

    def set_presence(
        self, desk: str, username: str, online: bool, until: datetime | None = None
    ) -> None:
        """Set whether an agent takes tickets; coming online wakes the router through the stream.

        Args:
            until: when the sweep has to end the agent's shift.

        Raises:
            NotFound: the roster has no such active agent.
        """
        self.desks.pop(desk, None)
        due = due_attributes(username, until)
        listed = ", due_pk = :due_pk, due_sk = :due_sk" if due else " REMOVE due_pk, due_sk"
        known = self.table.update_if(
            f"attribute_exists(#role) AND {_IS_ACTIVE}",
            *_agent_key(desk, username),
            UpdateExpression=f"SET #online = :online, #change = :change{listed}",
            ExpressionAttributeNames=_names("active", "change", "online", "role"),
            ExpressionAttributeValues={
                ":online": {"BOOL": online},
                ":yes": {"BOOL": True},
                ":change": {"S": "online" if online else "offline"},
                **{f":{name}": value for name, value in due.items()},
            },
        )
        if not known:
            raise NotFound("You are not on this desk's roster.")

    def go_offline_at(self, desk: str, username: str, due_sk: str) -> bool:
        """Set an agent offline whose shift ends; False if the end has moved since.

        The agent stays in the `due` index until `shift_ended`.
        """
        self.desks.pop(desk, None)
        return self.table.update_if(
            "due_sk = :due",
            *_agent_key(desk, username),
            UpdateExpression="SET #online = :no, #change = :change",
            ExpressionAttributeNames=_names("change", "online"),
            ExpressionAttributeValues={
                ":due": {"S": due_sk},
                ":no": {"BOOL": False},
                ":change": {"S": "offline"},
            },
        )

    def shift_ended(self, desk: str, username: str, due_sk: str) -> None:
        """Take an agent whose shift was ended out of the `due` index."""
        self.table.update_if(
            "due_sk = :due",
            *_agent_key(desk, username),
            UpdateExpression="REMOVE due_pk, due_sk",
            ExpressionAttributeValues={":due": {"S": due_sk}},
        )

    def load_writes(self, changes: Sequence[Change]) -> Iterator[Write]:
        """The writes that change agents' loads in a commit, one per agent.

        A claim requires that the agent is active, and unless a person assigned the tickets, online
        and below capacity. Its name is `CLAIM` and the agent.
        """
        first = changes[0].after
        by_person = all(change.assigned_by_person for change in changes)
        for agent, count in _loads(changes).items():
            if count < 0:
                yield "release", {"Update": self._load_update(first.desk, agent, count)}
            elif count > 0:
                claim = self._claim(first.desk, agent, count, first.updated_at, by_person)
                yield f"{CLAIM}{agent}", {"Update": claim}

    def _claim(self, desk: str, agent: str, count: int, at: datetime, by_person: bool) -> Any:
        claim = self._load_update(desk, agent, count)
        claim["UpdateExpression"] += ", assigned_at = :at"
        claim["ExpressionAttributeValues"][":at"] = {"S": stamp(at)}
        claim["ConditionExpression"] = f"attribute_exists(pk) AND {_IS_ACTIVE}"
        claim["ExpressionAttributeNames"] |= _names("active")
        claim["ExpressionAttributeValues"][":yes"] = {"BOOL": True}
        if not by_person:
            claim["ConditionExpression"] += " AND #online = :yes AND #load < #capacity"
            claim["ExpressionAttributeNames"] |= _names("capacity", "online")
        return claim

    def _load_update(self, desk: str, agent: str, count: int) -> Any:
        return {
            "TableName": self.table.name,
            "Key": key(*_agent_key(desk, agent)),
            "UpdateExpression": "SET #load = if_not_exists(#load, :none) + :by, #change = :change",
            "ExpressionAttributeNames": _names("load", "change"),
            "ExpressionAttributeValues": {
                ":by": {"N": str(count)},
                ":none": {"N": "0"},
                ":change": {"S": "claimed" if count > 0 else "released"},
            },
        }

    def recent(self, desk: str, now: datetime, age: timedelta = ROUTING_TTL) -> AgentList:
        """The agents of a desk, read at most `age` before `now`, for whoever claims one then."""
        cached = self.desks.get(desk)
        if cached is None or not timedelta(0) <= now - cached.read_at <= age:
            cached = CachedRoster(now, {agent.username: agent for agent in self.list(desk)})
            self.desks[desk] = cached
        return [*cached.agents.values()]

    def note_changes(self, changes: Sequence[Change]) -> None:
        """Note in the cached roster what a commit has changed."""
        first = changes[0].after
        for username, count in _loads(changes).items():
            assigned = {"assigned_at": first.updated_at} if count > 0 else {}
            self._note(first.desk, username, count, **assigned)

    def note_full(self, desk: str, username: str) -> None:
        """Note in the cached roster that an agent cannot take another ticket after all."""
        self._note(desk, username, capacity=0)

    def note_contended(self, desk: str, username: str, now: datetime) -> None:
        """Note in the cached roster that an agent is getting somebody else's ticket."""
        self._note(desk, username, assigned_at=now)

    def _note(self, desk: str, username: str, count: int = 0, **changes: Any) -> None:
        cached = self.desks.get(desk)
        agent = cached.agents.get(username) if cached else None
        if cached is not None and agent is not None:
            changes["load"] = agent.load + count
            cached.agents[username] = agent.model_copy(update=changes)

    def list(self, desk: str) -> AgentList:
        items = self.table.query(**beginning(f"DESK#{desk}", "AGENT#"), ConsistentRead=True)
        return [read_agent(desk, item) for item in items if "role" in item]


def _loads(changes: Sequence[Change]) -> Counter[str]:
    """The changes of agents' loads in a commit."""
    loads: Counter[str] = Counter()
    for change in changes:
        before = change.before
        loads.subtract(filter(None, (before.in_hand_of if before else None,)))
        loads.update(filter(None, (change.after.in_hand_of,)))
    return loads


def _agent_key(desk: str, username: str) -> tuple[str, str]:
    return f"DESK#{desk}", f"{AGENT}{username}"


def _names(*attributes: str) -> Item:
    return {f"#{name}": name for name in attributes}
