"""Classify a request by its text (A2, A6, A7, B4, D5, E1), and find its destination (A5).

Pure and linear in the length of the text. All keywords come from the desk's playbook. A request is
classified in the commit that creates its ticket.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from functions.core.domain.amounts import amount_in
from functions.core.domain.matching import Facts, find_term, fold, holds, mentions, places
from functions.core.domain.playbook_negations import Negations
from functions.core.domain.playbook_types import Text
from functions.core.domain.rules import Destination, Playbook, Rule, Vague
from functions.core.domain.ticket import Ticket

if TYPE_CHECKING:
    from functions.core.domain.events import TicketReceived


BY_EXAMPLES = "mood_by_examples"
"""The entry among the rules that fired if examples told the mood."""


@dataclass(frozen=True)
class Classification:
    """The classification of a request.

    Attributes:
        type: a key of the playbook's `types`.
        tags: keys of its `tags`, the most specific first.
        priority: a key of its `priorities`.
        vague: an agent has to confirm the type before the request is routed (A6).
        confidence: the confidence in the type, 0 to 1; see `confidence_of`.
        mood: the customer's mood according to a rule or to examples, None if neither tells it.
        rules: the ids of the rules that fired, in order.
        question: the question to ask if the request is vague, in each language.
        asks: the rule on whom to ask and how often if the request is vague.
        product: the product, with its line if a rule sets it (D7).
    """

    type: str
    tags: tuple[str, ...]
    priority: str
    vague: bool
    confidence: float
    mood: str | None = None
    rules: tuple[str, ...] = ()
    question: Text | None = None
    asks: Vague | None = None
    product: str | None = None


class _Match(NamedTuple):
    """The position of a keyword in the folded text."""

    start: int
    end: int
    name: str


def classify(
    text: str,
    playbook: Playbook,
    *,
    type_given: str | None = None,
    urgency: str | None = None,
    customer_class: str | None = None,
    channel: str | None = None,
    product: str | None = None,
    amount: Decimal | None = None,
    otherwise: str | None = None,
    mood: str | None = None,
) -> Classification:
    """Classify a request. Never raises, whatever the text.

    The type is `type_given`, else that of the most specific tag, else the one whose own keywords
    the text contains, else the desk's default. The priority is `urgency`, else the desk's default.
    The rules follow in order, each seeing the result of those before it. If `urgency` is given, a
    rule's `priority` can only raise it; only `lower_by` lowers it.

    Args:
        text: the customer's text; subject and body of a mail.
        type_given: the key or label of a type in any language. An unknown type is ignored, like an
            unknown `urgency`.
        product: the product that the request is about.
        amount: the amount in the desk's currency, else the largest one in the text.
        otherwise: the type if nothing indicates one, instead of the desk's default.
        mood: the customer's mood by examples, which the rules see.
    """
    folded = fold(text)
    affirmed = _affirmed(folded, playbook.negations)
    tags = _tags(folded, affirmed, playbook)
    given_type = find_term(type_given, playbook.types) if type_given else None
    tag_type = next((kind for tag in tags if (kind := playbook.tags[tag].type)), None)
    keyword_type = None if tag_type else _type_by_keyword(folded, affirmed, playbook)
    given_priority = find_term(urgency, playbook.priorities) if urgency else None
    facts = Facts(
        text=folded,
        type=given_type or tag_type or keyword_type or otherwise or playbook.default_type,
        tags=tags,
        priority=given_priority or playbook.default_priority,
        customer_class=customer_class,
        channel=channel,
        product=product,
        amount=amount_in(text) if amount is None else amount,
        mood=mood,
    )
    fired: list[Rule] = []
    for rule in playbook.rules:
        if holds(rule.when, facts):
            facts = _apply_rule(rule, facts, playbook, raise_only=given_priority is not None)
            if not any(earlier.then.product for earlier in fired):
                facts = replace(facts, product=_with_product_line(facts.product, rule.then.product))
            fired.append(rule)
    typed = given_type or tag_type or keyword_type or any(rule.then.type for rule in fired)
    vague = _vague_rule(folded, facts.tags, playbook, typed=bool(typed))
    kind = facts.type or playbook.default_type
    return Classification(
        type=kind,
        tags=facts.tags,
        priority=facts.priority or playbook.default_priority,
        vague=vague is not None,
        confidence=confidence_of(
            kind,
            given_type=given_type,
            tag_type=tag_type,
            keyword_type=keyword_type,
            by_rule=any(rule.then.type == kind for rule in fired),
            rivals={playbook.tags[tag].type for tag in tags} - {None, kind},
            vague=vague is not None,
        ),
        mood=facts.mood,
        rules=((BY_EXAMPLES,) if mood else ()) + tuple(rule.id for rule in fired),
        question=vague.question if vague else None,
        asks=vague,
        product=facts.product,
    )


def confidence_of(
    kind: str,
    *,
    given_type: str | None,
    tag_type: str | None,
    keyword_type: str | None,
    by_rule: bool,
    rivals: set[str | None],
    vague: bool,
) -> float:
    """Return the confidence in the type `kind`, from 0 to 1.

    1.0 if the caller or a rule set the type, 0.9 if a tag did, 0.6 if only a keyword of the type
    did, 0.2 for the desk's default. Each other type that a tag indicates (`rivals`) subtracts 0.2,
    down to 0.2; a vague request has 0.4 at most.
    """
    if by_rule or given_type == kind:
        confidence = 1.0
    elif tag_type == kind:
        confidence = 0.9
    elif keyword_type == kind:
        confidence = 0.6
    else:
        confidence = 0.2
    confidence = max(confidence - 0.2 * len(rivals), 0.2)
    return round(min(confidence, 0.4) if vague else confidence, 2)


def request_text(request: TicketReceived) -> str:
    """Return the text that a request is classified by: subject and body of a mail."""
    return "\n".join(filter(None, (request.subject, request.words)))


def classify_request(
    request: TicketReceived,
    playbook: Playbook,
    customer_class: str | None,
    text: str | None = None,
    *,
    mood: str | None = None,
) -> Classification:
    """Classify a request by its text, or by all that its customer has written since."""
    return classify(
        request_text(request) if text is None else text,
        playbook,
        type_given=request.type if request.type_given else None,
        urgency=request.urgency,
        customer_class=customer_class,
        channel=request.channel,
        product=request.product.title if request.product else None,
        mood=mood,
    )


def routing_facts(ticket: Ticket, text: str) -> Facts:
    """Return what a ticket is routed by; `text` is all that its customer has written."""
    return replace(Facts.of(ticket, text), amount=amount_in(text))


def destination(facts: Facts, playbook: Playbook) -> Destination:
    """Return the first entry of the playbook's routing whose condition holds (A5, A7).

    The playbook's check ensures that the last entry has no condition.
    """
    folded = replace(facts, text=fold(facts.text))
    return next(
        (entry for entry in playbook.routing if holds(entry.when, folded)), playbook.routing[-1]
    )


def _tags(folded: str, affirmed: Callable[[_Match], bool], playbook: Playbook) -> tuple[str, ...]:
    longest: dict[str, int] = {}
    matches = _uncovered(_matches(folded, {n: t.keywords for n, t in playbook.tags.items()}))
    for match in filter(affirmed, matches):
        longest[match.name] = max(longest.get(match.name, 0), match.end - match.start)
    order = {name: index for index, name in enumerate(playbook.tags)}
    return tuple(
        sorted(
            longest,
            key=lambda name: (playbook.tags[name].vague is not None, -longest[name], order[name]),
        )
    )


def _type_by_keyword(
    folded: str, affirmed: Callable[[_Match], bool], playbook: Playbook
) -> str | None:
    """Return the type of the longest keyword in the text, the first in the playbook if equal."""
    words = {name: kind.keywords for name, kind in playbook.types.items()}
    matches = list(filter(affirmed, _matches(folded, words)))
    return max(matches, key=lambda m: m.end - m.start).name if matches else None


def _matches(folded: str, words: dict[str, tuple[str, ...]]) -> list[_Match]:
    return [
        _Match(start, end, name)
        for name, keywords in words.items()
        for word in keywords
        for start, end in places(folded, word)
    ]


def _affirmed(folded: str, negations: Negations) -> Callable[[_Match], bool]:
    """Return a test whether the words before a keyword leave it undenied."""
    clause, following, absent = _denials(negations)
    denied = [match.end() for match in clause.finditer(folded)]
    breaks = [match.start() for match in _BREAK.finditer(folded)]

    def affirmed(match: _Match) -> bool:
        start, end = match.start, match.end
        next_break = bisect_left(breaks, start)
        clause_end = breaks[next_break] if next_break < len(breaks) else len(folded)
        if "吗" in folded[end : min(clause_end, end + 20)]:
            return True  # 不是说…吗 insists
        before = folded[max(0, start - 30) : start]
        denial = bisect_right(denied, start)
        if denial and bisect_left(breaks, denied[denial - 1]) == next_break:
            return False
        if following.search(before):
            return False
        faulty = any(fault in folded[start:end] for fault in negations.faults)
        return not (faulty and absent.search(before))

    return affirmed


_BREAK = re.compile(r"[,.;!?。…]|但|却|可是|不过|只是|\bbut\b|\bhowever\b")
"""The end of a clause, within which a denial holds."""


@lru_cache(maxsize=32)
def _denials(negations: Negations) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of the three kinds of denial; 是不是 and 有没有 ask and deny nothing."""
    clause, following, absent = (
        "|".join(re.escape(fold(word)) for word in sorted(words, key=len, reverse=True))
        for words in (negations.clause, negations.next, negations.absent)
    )
    return (
        re.compile(rf"(?<![a-z有])(?:{clause})"),
        re.compile(rf"(?<![a-z是能])(?:{following})[^,.;!?。了]{{0,2}}$"),
        re.compile(rf"(?<![a-z有])(?:{absent}) ?(?:any |an? )?$"),
    )


def _uncovered(matches: list[_Match]) -> list[_Match]:
    """Drop the matches inside a longer one (支付异常 hides 异常)."""
    uncovered: list[_Match] = []
    last_end = last_start = -1
    for match in sorted(matches, key=lambda m: (m.start, -m.end)):
        if match.end > last_end:
            uncovered.append(match)
            last_end, last_start = match.end, match.start
        elif (match.start, match.end) == (last_start, last_end):
            uncovered.append(match)  # two tags share a keyword
    return uncovered


def _apply_rule(rule: Rule, facts: Facts, playbook: Playbook, *, raise_only: bool) -> Facts:
    then = rule.then
    priority = facts.priority or playbook.default_priority
    if then.priority is not None:
        ranks = playbook.ranks
        raises = ranks[then.priority] < ranks[priority]
        priority = then.priority if raises or not raise_only else priority
    priority = playbook.shifted(priority, then.raise_by - then.lower_by)
    return replace(
        facts,
        type=then.type or facts.type,
        tags=tuple(dict.fromkeys((*facts.tags, *then.add_tags))),
        priority=priority,
        mood=then.mood or facts.mood,
    )


def _with_product_line(product: str | None, line: str | None) -> str | None:
    if line is None or (product and mentions(fold(product), (line,))):
        return product
    return f"{product} {line}" if product else line


def _vague_rule(
    folded: str, tags: tuple[str, ...], playbook: Playbook, *, typed: bool
) -> Vague | None:
    """Return the rule on how to clarify a vague request, None if it is clear (A6, E2).

    It is that of a vague tag if the text has no other tag. Without any tag, and if nothing
    indicates a type (`typed`), it is the desk's rule for unclear requests.
    """
    if not tags:
        unclear = None if typed else playbook.unclear
        return unclear if unclear and mentions(folded, unclear.unless_mentions) is None else None
    if any(playbook.tags[tag].vague is None for tag in tags):
        return None
    for tag in tags:
        vague = playbook.tags[tag].vague
        if vague is not None and mentions(folded, vague.unless_mentions) is None:
            return vague
    return None
