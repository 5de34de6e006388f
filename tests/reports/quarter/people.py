"""The people of a simulated quarter, and their words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random

from functions.core.channels.base import names
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook
from functions.core.text.contacts import Contact, chat_contact, normalise_contact

PARTS = ("滤芯", "压缩机", "主板", "电源", "密封圈", "门锁", "温控器")
MODELS = ("KFR-35GW", "BCD-501", "WM-9K", "HX/200", "TV-55Q")
"""Models of products: what reports divide by where no rule names a product line."""


@dataclass(frozen=True)
class Person:
    """A customer: the contact and the company's id, if there is one."""

    contact: Contact
    channel: str
    customer_id: str | None


def customers(playbook: Playbook, random: Random, count: int) -> list[Person]:
    """The customers of a desk: by phone, mail, web and chat, some of them important."""
    chats = [name for name in names() if name != "chat"]
    patterns = [
        pattern.replace("*", "{}")
        for each in playbook.customer_classes.values()
        for pattern in each.customer_ids
    ]
    found = []
    for number in range(count):
        channel = random.choice(["web", "app", "mail", "phone", "webhook", *chats[:2]])
        if channel in chats:
            contact = chat_contact(channel, f"user{number:06}")
        elif channel in {"phone", "app"}:
            contact = normalise_contact(f"139{number:08}")
        else:
            contact = normalise_contact(f"person{number}@example.com")
        important = patterns and random.random() < 0.07
        given = random.choice(patterns).format(number) if important else None
        found.append(Person(contact, channel, given))
    return found


def staff(playbook: Playbook, random: Random, agents: int) -> list[Agent]:
    """The members of every team of a desk: agents, and two in each team that leads or reviews."""
    found: list[Agent] = []
    skills = sorted({skill for each in playbook.routing for skill in each.needs.skills})
    for team, declared in playbook.teams.items():
        for number in range(agents if declared.role == "agent" else 2):
            username = f"{declared.role}-{len(found):03}"
            member = Agent(
                desk=playbook.desk,
                username=username,
                role=declared.role,
                team=team,
                capacity=playbook.assignment.capacity,
                display_name=f"Agent {len(found)}",
                skills=tuple(skills),
                level=min(number, 2),
                languages=("zh-CN", "en") if number != 1 else (random.choice(["zh-CN", "en"]),),
            )
            found.append(member)
    return found


def working_hours(
    agent: Agent, playbook: Playbook, random: Random, begin: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The times at which an agent comes and goes: eight hours on five days a week or so."""
    days_off = set(random.sample(range(7), 2))
    first = random.choice([7, 8, 9, 9, 12, 14])
    day = begin.astimezone(playbook.zone).date()
    while (midnight := datetime.combine(day, time(), playbook.zone)) < end:
        day += timedelta(days=1)
        if midnight.weekday() in days_off or random.random() < 0.04:
            continue
        comes = midnight.astimezone(UTC) + timedelta(hours=first, seconds=random.randint(0, 1800))
        goes = comes + timedelta(hours=8, seconds=random.randint(0, 5400))
        if comes >= begin:
            yield comes, goes


def arrivals(
    playbook: Playbook, random: Random, count: int, begin: datetime, end: datetime
) -> list[datetime]:
    """Return the times of requests: by day mostly, fewer at weekends, more in each week."""
    days = []
    day = begin.astimezone(playbook.zone).date()
    while (midnight := datetime.combine(day, time(), playbook.zone)) < end:
        days.append(midnight.astimezone(UTC))
        day += timedelta(days=1)
    weekly = [1.2, 1.0, 1.0, 0.9, 1.1, 0.5, 0.4]
    local = [each.astimezone(playbook.zone).weekday() for each in days]
    busy = [weekly[weekday] * (1 + n / len(days)) for n, weekday in enumerate(local)]
    hours = [1] * 7 + [3, 10, 16, 18, 16, 12, 14, 15, 14, 11, 6, 3, 2, 2, 2, 1, 1]
    found = [
        random.choices(days, busy)[0]
        + timedelta(hours=random.choices(range(24), hours)[0], seconds=random.randrange(3600))
        for _ in range(count)
    ]
    return sorted(each for each in found if begin <= each < end)


def request_text(playbook: Playbook, random: Random) -> str:
    """Return a customer's words: a keyword of a tag or a rule, mostly, and some words around it."""
    tags = [tag for tag in playbook.tags.values() if tag.keywords]
    parts = [random.choice(["您好，", "Hello, ", "请问", "", "急，"])]
    for _ in range(random.choices([0, 1, 2], [1, 8, 2])[0]):
        parts.append(str(random.choice(random.choice(tags).keywords)))
        parts.append(random.choice(["，", " ", "。", ", "]))
    mentions = [word for rule in playbook.rules for word in rule.when.mentions]
    if mentions and random.random() < 0.12:
        parts.append(random.choice(mentions))
    parts.append(random.choice([" 请尽快回复", "怎么办", " please help", " 订单已付款", " thanks"]))
    return "".join(parts)
