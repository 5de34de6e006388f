"""The roster of a desk: its agents, their presence and their load (F2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import NotFound
from functions.core.domain.roster import Agent
from functions.core.storage.items import agent_profile, read_agent
from functions.core.storage.table import Item, key, stamp

if TYPE_CHECKING:
    from functions.core.storage.table import Table, Write
    from functions.core.storage.tickets import Change

AgentList = list[Agent]


@dataclass
class Roster:
    """The agents of all desks."""

    table: Table

    def get(self, desk: str, username: str) -> Agent | None:
        item = self.table.get(*_agent_key(desk, username))
        return read_agent(desk, item) if item and "role" in item else None

    def put(self, agent: Agent) -> None:
        """Add or update an agent; presence and load of an existing one do not change."""
        self.table.client.update_item(
            TableName=self.table.name,
            Key=key(*_agent_key(agent.desk, agent.username)),
            UpdateExpression=(
                "SET #role = :role, team = :team, #capacity = :capacity, profile = :profile, "
                "#online = if_not_exists(#online, :online), #load = if_not_exists(#load, :none)"
            ),
            ExpressionAttributeNames=_names("role", "capacity", "load", "online"),
            ExpressionAttributeValues={
                ":role": {"S": agent.role},
                ":team": {"S": agent.team},
                ":capacity": {"N": str(agent.capacity)},
                ":profile": {"S": agent_profile(agent)},
                ":online": {"BOOL": agent.online},
                ":none": {"N": "0"},
            },
        )

    def set_presence(self, desk: str, username: str, online: bool) -> None:
        """Set whether an agent takes tickets; coming online wakes the router through the stream.

        Raises:
            NotFound: the roster has no such agent.
        """
        known = self.table.update_if(
            "attribute_exists(#role)",
            *_agent_key(desk, username),
            UpdateExpression="SET #online = :online, #change = :change",
            ExpressionAttributeNames=_names("change", "online", "role"),
            ExpressionAttributeValues={
                ":online": {"BOOL": online},
                ":change": {"S": "online" if online else "offline"},
            },
        )
        if not known:
            raise NotFound("You are not on this desk's roster.")

    def load_writes(self, changes: Sequence[Change]) -> Iterator[Write]:
        """The writes that change agents' loads in a commit, one per agent.

        A claim requires that the agent is online and below capacity, unless a person assigned the
        tickets. Its name is `claim:` and the agent.
        """
        loads: Counter[str] = Counter()
        for change in changes:
            before = change.before
            loads.subtract(filter(None, (before.in_hand_of if before else None,)))
            loads.update(filter(None, (change.after.in_hand_of,)))
        first = changes[0].after
        by_person = all(change.assigned_by_person for change in changes)
        for agent, count in loads.items():
            if count < 0:
                yield "release", {"Update": self._load_update(first.desk, agent, count)}
            elif count > 0:
                claim = self._claim(first.desk, agent, count, first.updated_at, by_person)
                yield f"claim:{agent}", {"Update": claim}

    def _claim(self, desk: str, agent: str, count: int, at: datetime, by_person: bool) -> Any:
        claim = self._load_update(desk, agent, count)
        claim["UpdateExpression"] += ", assigned_at = :at"
        claim["ExpressionAttributeValues"][":at"] = {"S": stamp(at)}
        claim["ConditionExpression"] = "attribute_exists(pk)"
        if not by_person:
            claim["ConditionExpression"] += " AND #online = :yes AND #load < #capacity"
            claim["ExpressionAttributeNames"] |= _names("capacity", "online")
            claim["ExpressionAttributeValues"][":yes"] = {"BOOL": True}
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

    def list(self, desk: str) -> AgentList:
        items = self.table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": f"DESK#{desk}"}, ":sk": {"S": "AGENT#"}},
            ConsistentRead=True,
        )
        return [read_agent(desk, item) for item in items if "role" in item]


def _agent_key(desk: str, username: str) -> tuple[str, str]:
    return f"DESK#{desk}", f"AGENT#{username}"


def _names(*attributes: str) -> Item:
    return {f"#{name}": name for name in attributes}
