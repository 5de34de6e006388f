"""What a request is about, from its words (A2, A6, A7, E1), and where it goes (A5).

Pure and linear in the length of the text. Everything that is known about a desk's words comes from
its playbook.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from functions.core.domain.matching import Facts, find_term, fold, holds, mentions, places
from functions.core.domain.playbook_types import Text
from functions.core.domain.rules import Destination, Playbook, Rule, Vague


@dataclass(frozen=True)
class Classification:
    """What the words of a request give.

    Attributes:
        type: a key of the playbook's `types`.
        tags: keys of its `tags`, the one that says most first.
        priority: a key of its `priorities`.
        vague: an agent has to confirm the type before the request is routed (A6).
        confidence: how well the type is founded, 0 to 1; see `confidence_of`.
        mood: what a rule said about the customer's mood, None where none did.
        rules: the ids of the rules that fired, in their order.
        question: what to find out where it is vague, in each language.
        asks: who is asked and how often, where it is vague.
        product: what the product is called, with its line where a rule named it (D7).
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
    """A keyword's place in the folded text."""

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
) -> Classification:
    """Classify a request. Never raises, whatever the text.

    The type is the caller's (`type_given`), else that of the tag that says most, else that whose
    own keywords stand in the text, else the desk's default. The priority is the caller's
    (`urgency`), else the desk's default. Then the rules, in their order, each seeing what those
    before it did. A rule's `priority` is a floor where the caller gave an urgency: words may make
    such a request more urgent, and only `lower_by` makes one less so.

    Args:
        text: what the customer wrote; subject and body of a mail.
        type_given: a type by its key or by its label in any language; an unknown one counts as
            none, as does an unknown `urgency`.
        product, amount: what the request is about, and the sum in the desk's currency.
    """
    folded = fold(text)
    tags = _tags(folded, playbook)
    given = find_term(type_given, playbook.types) if type_given else None
    by_tag = next((kind for tag in tags if (kind := playbook.tags[tag].type)), None)
    by_word = None if by_tag else _type_by_words(folded, playbook)
    asked = find_term(urgency, playbook.priorities) if urgency else None
    facts = Facts(
        text=folded,
        type=given or by_tag or by_word or playbook.default_type,
        tags=tags,
        priority=asked or playbook.default_priority,
        customer_class=customer_class,
        channel=channel,
        product=product,
        amount=amount,
    )
    fired: list[Rule] = []
    for rule in playbook.rules:
        if holds(rule.when, facts):
            facts = _followed(rule, facts, playbook, floor=asked is not None)
            if not any(earlier.then.product for earlier in fired):
                facts = replace(facts, product=_with_line(facts.product, rule.then.product))
            fired.append(rule)
    known = bool(given or by_tag or by_word or any(rule.then.type for rule in fired))
    vague = _what_is_vague(folded, facts.tags, playbook, known=known)
    kind = facts.type or playbook.default_type
    return Classification(
        type=kind,
        tags=facts.tags,
        priority=facts.priority or playbook.default_priority,
        vague=vague is not None,
        confidence=confidence_of(
            kind,
            given=given,
            by_tag=by_tag,
            by_word=by_word,
            by_rule=any(rule.then.type == kind for rule in fired),
            rivals={playbook.tags[tag].type for tag in tags} - {None, kind},
            vague=vague is not None,
        ),
        mood=facts.mood,
        rules=tuple(rule.id for rule in fired),
        question=vague.question if vague else None,
        asks=vague,
        product=facts.product,
    )


def confidence_of(
    kind: str,
    *,
    given: str | None,
    by_tag: str | None,
    by_word: str | None,
    by_rule: bool,
    rivals: set[str | None],
    vague: bool,
) -> float:
    """How well the type `kind` is founded, from 0 to 1.

    1.0 where the caller or a rule said it, 0.9 where a tag did, 0.6 where only a keyword of the
    type did, 0.2 where it is the desk's default. Each further type that a tag speaks for takes
    0.2, as far as 0.2; a vague request has 0.4 at most.
    """
    if by_rule or given == kind:
        found = 1.0
    elif by_tag == kind:
        found = 0.9
    elif by_word == kind:
        found = 0.6
    else:
        found = 0.2
    found = max(found - 0.2 * len(rivals), 0.2)
    return round(min(found, 0.4) if vague else found, 2)


def destination(facts: Facts, playbook: Playbook) -> Destination:
    """Where a request goes: the first entry of the playbook's routing that fits (A5, A7).

    The last entry fits all: the playbook's check sees to that.
    """
    known = replace(facts, text=fold(facts.text))
    return next(
        (place for place in playbook.routing if holds(place.when, known)), playbook.routing[-1]
    )


def _tags(folded: str, playbook: Playbook) -> tuple[str, ...]:
    """The tags whose keywords stand in the text: vague ones last, then by the longest keyword."""
    longest: dict[str, int] = {}
    for match in _uncovered(_matches(folded, {n: t.keywords for n, t in playbook.tags.items()})):
        longest[match.name] = max(longest.get(match.name, 0), match.end - match.start)
    order = {name: index for index, name in enumerate(playbook.tags)}
    return tuple(
        sorted(
            longest,
            key=lambda name: (playbook.tags[name].vague is not None, -longest[name], order[name]),
        )
    )


def _type_by_words(folded: str, playbook: Playbook) -> str | None:
    """The type of the longest keyword in the text; of equal ones the first in the playbook."""
    found = _matches(folded, {name: kind.keywords for name, kind in playbook.types.items()})
    return max(found, key=lambda m: m.end - m.start).name if found else None


def _matches(folded: str, words: dict[str, tuple[str, ...]]) -> list[_Match]:
    return [
        _Match(start, end, name)
        for name, keywords in words.items()
        for word in keywords
        for start, end in places(folded, word)
    ]


def _uncovered(matches: list[_Match]) -> list[_Match]:
    """The matches that do not lie inside a longer one (支付异常 hides 异常)."""
    kept: list[_Match] = []
    reach = begun = -1
    for match in sorted(matches, key=lambda m: (m.start, -m.end)):
        if match.end > reach:
            kept.append(match)
            reach, begun = match.end, match.start
        elif (match.start, match.end) == (begun, reach):
            kept.append(match)  # two tags share a keyword
    return kept


def _followed(rule: Rule, facts: Facts, playbook: Playbook, *, floor: bool) -> Facts:
    """The facts after a rule."""
    then = rule.then
    priority = facts.priority or playbook.default_priority
    if then.priority is not None:
        ranks = playbook.ranks
        raises = ranks[then.priority] < ranks[priority]
        priority = then.priority if raises or not floor else priority
    priority = playbook.shifted(priority, then.raise_by - then.lower_by)
    return replace(
        facts,
        type=then.type or facts.type,
        tags=tuple(dict.fromkeys((*facts.tags, *then.add_tags))),
        priority=priority,
        mood=then.mood or facts.mood,
    )


def _with_line(product: str | None, line: str | None) -> str | None:
    """What the product is called, with its line beside it where that is not said yet (D7)."""
    if line is None or (product and mentions(fold(product), (line,))):
        return product
    return f"{product} {line}" if product else line


def _what_is_vague(
    folded: str, tags: tuple[str, ...], playbook: Playbook, *, known: bool
) -> Vague | None:
    """A6, E2: the vague tag that stands alone, where nothing says what it is about; without a tag
    what the desk does where nothing speaks for any type."""
    if not tags:
        unclear = None if known else playbook.unclear
        return unclear if unclear and mentions(folded, unclear.unless_mentions) is None else None
    if any(playbook.tags[tag].vague is None for tag in tags):
        return None
    for tag in tags:
        vague = playbook.tags[tag].vague
        if vague is not None and mentions(folded, vague.unless_mentions) is None:
            return vague
    return None
