"""Evaluate a later message of the customer like a first one (D5, E3, E9).

A message can only make a ticket more urgent; it adds tags, and a change of type is proposed to the
agent. Every consequence follows from an event that says what is new, so it follows once.
"""

from functions.core.domain import events as e
from functions.core.domain.classification import Classification, classify
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket


def evaluated(ticket: Ticket, text: str, playbook: Playbook) -> list[e.Event]:
    """Return what a message changes in the classification of its ticket; often nothing.

    The priority rises only for what the message says: what the rules give without any text, such as
    by the customer's class, was decided before, perhaps otherwise by an agent.
    """
    found, silent = (_classified(words, ticket, playbook) for words in (text, ""))
    change = e.FollowUpClassified(
        tags=tuple(
            tag for tag in found.tags if tag not in ticket.tags and playbook.tags[tag].vague is None
        ),
        mood=found.mood if found.mood != ticket.mood else None,
        product=found.product if ticket.product is None else None,
        proposed_type=_proposed_type(found, ticket, playbook),
        rules=found.rules,
    )
    events: list[e.Event] = []
    if change.tags or change.mood or change.product or change.proposed_type:
        events.append(change)
    priority = _asked_for(found, silent, playbook)
    if priority is not None and playbook.ranks[priority] < _rank(ticket, playbook):
        events.append(e.PriorityChanged(priority=priority, again=False))
    return events


def of_mood(ticket: Ticket, text: str, playbook: Playbook, mood: str) -> list[e.Event]:
    """Return what the mood of a message changes, if no rule had told one; rules may follow it."""
    if ticket.mood is not None:
        return []
    found, before = (_classified(text, ticket, playbook, known) for known in (mood, None))
    change = e.FollowUpClassified(
        mood=found.mood,
        tags=tuple(tag for tag in found.tags if tag not in (*before.tags, *ticket.tags)),
        rules=tuple(rule for rule in found.rules if rule not in before.rules),
    )
    ranks = playbook.ranks
    if ranks[found.priority] < min(ranks[before.priority], _rank(ticket, playbook)):
        return [change, e.PriorityChanged(priority=found.priority, again=False)]
    return [change]


def alarms(ticket: Ticket, text: str, playbook: Playbook) -> bool:
    """Return whether a message by itself raises the priority, or is as urgent as can be."""
    found, silent = (_classified(words, ticket, playbook) for words in (text, ""))
    priority = _asked_for(found, silent, playbook)
    if priority is None:
        return False
    rank = playbook.ranks[priority]
    return rank == 0 or rank < _rank(ticket, playbook)


def _asked_for(found: Classification, silent: Classification, playbook: Playbook) -> str | None:
    """Return the priority that the words of a message ask for, None if they ask for none."""
    said = found.tags or set(found.rules) - set(silent.rules)
    ranks = playbook.ranks
    return found.priority if said and ranks[found.priority] < ranks[silent.priority] else None


def _rank(ticket: Ticket, playbook: Playbook) -> int:
    return playbook.ranks.get(ticket.priority, 99)


def _classified(
    text: str, ticket: Ticket, playbook: Playbook, mood: str | None = None
) -> Classification:
    return classify(
        text,
        playbook,
        customer_class=ticket.customer.customer_class,
        channel=ticket.channel,
        product=ticket.product,
        otherwise=ticket.type,
        mood=mood,
    )


def _proposed_type(found: Classification, ticket: Ticket, playbook: Playbook) -> str | None:
    """Return the type that tags or rules give a message, if it is news (A6)."""
    known = (ticket.type, ticket.proposed_type, playbook.default_type)
    if found.type in known or found.confidence < SURE or playbook.types[found.type].agents_only:
        return None
    return found.type


SURE = 0.7
"""The least confidence in a type that is proposed; a keyword of the type alone gives less."""
