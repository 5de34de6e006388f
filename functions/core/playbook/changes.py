"""The differences of two playbooks, key by key, and what they need besides. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from functions.core.domain.errors import Phrase
from functions.core.domain.playbook_upgrades import upgraded
from functions.core.domain.rules import Playbook

_SHOWN = 100
_CONTEXT = 20


@dataclass(frozen=True)
class KeyChange:
    """A key that was added, removed, changed, or whose keys or words have another order.

    As text it is `~ key: old → new`, `+ key: new` or `- key: old`.
    """

    kind: Literal["added", "removed", "changed", "reordered"]
    key: str
    before: str = ""
    after: str = ""

    @property
    def section(self) -> str:
        """The first part of the key."""
        return self.key.partition(".")[0].partition("[")[0]

    def __str__(self) -> str:
        if self.kind == "added":
            return f"+ {self.key}: {self.after}"
        if self.kind == "removed":
            return f"- {self.key}: {self.before}"
        order = "order " if self.kind == "reordered" else ""
        return f"~ {self.key or 'playbook'}: {order}{self.before} → {self.after}"


def by_section(changes: Iterable[KeyChange]) -> dict[str, list[KeyChange]]:
    """Group changes by the sections of the playbook, in the order in which these come."""
    sections: dict[str, list[KeyChange]] = {}
    for change in changes:
        sections.setdefault(change.section, []).append(change)
    return sections


def changes_to(before: str, after: Playbook) -> tuple[KeyChange, ...]:
    """Return what a playbook changes of a stored document."""
    document = json.loads(after.model_dump_json(exclude_defaults=True))
    return tuple(differences(upgraded(json.loads(before)), document))


def for_the_console(before: Playbook, after: Playbook) -> list[Phrase]:
    """Return why a change needs more than a new playbook: a name, a secret, tickets to move."""
    reasons = []

    def domain(playbook: Playbook) -> str:
        return playbook.mail.address.rpartition("@")[2].lower()

    if domain(before) != domain(after):
        reasons.append(
            Phrase("mail.address: mail for {domain} has to be set up first.", domain=domain(after))
        )
    if after.public_url not in (None, before.public_url):
        reasons.append(Phrase("public_url: {url} has to be set up first.", url=after.public_url))
    if new := sorted(_endpoints(after) - _endpoints(before)):
        reasons.append(Phrase("webhooks: {names} need a secret.", names=new))
    if new := sorted(_buses(after) - _buses(before)):
        reasons.append(Phrase("webhooks: the event buses {names} have to be created.", names=new))
    if new := sorted(_secrets(after) - _secrets(before)):
        reasons.append(Phrase("assistant.sources: {names} need a secret.", names=new))
    if gone := [name for name in before.teams if name not in after.teams]:
        reasons.append(Phrase("teams: the tickets of {names} have to be routed again.", names=gone))
    return reasons


def _endpoints(playbook: Playbook) -> set[str]:
    return {name for name, webhook in playbook.webhooks.items() if webhook.url}


def _buses(playbook: Playbook) -> set[str]:
    return {webhook.bus for webhook in playbook.webhooks.values() if webhook.bus}


def _secrets(playbook: Playbook) -> set[str]:
    sources = playbook.assistant.sources.values() if playbook.assistant else ()
    return {source.secret for source in sources if source.secret}


def differences(before: Any, after: Any, path: str = "") -> Iterator[KeyChange]:
    """Yield the differences of two documents, one for each key; the order of keys counts."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_mappings(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif before != after:
        yield KeyChange("changed", path, *_differing(before, after))


def _of_mappings(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str
) -> Iterator[KeyChange]:
    for key in before:
        if key not in after:
            yield KeyChange("removed", _join(path, key), _shown(before[key]))
    for key, value in after.items():
        if key in before:
            yield from differences(before[key], value, _join(path, key))
        else:
            yield KeyChange("added", _join(path, key), after=_shown(value))
    old_order = [key for key in before if key in after]
    new_order = [key for key in after if key in before]
    if old_order != new_order:
        yield KeyChange("reordered", path, ", ".join(old_order), ", ".join(new_order))


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[KeyChange]:
    if before == after:
        return
    if all(isinstance(value, str) for value in (*before, *after)):
        removed = [value for value in before if value not in after]
        added = [value for value in after if value not in before]
        if not removed and not added:
            yield KeyChange("reordered", path, _shown(before), _shown(after))
        yield from (KeyChange("removed", path, _shown(value)) for value in removed)
        yield from (KeyChange("added", path, after=_shown(value)) for value in added)
        return
    for index in range(max(len(before), len(after))):
        item = f"{path}[{index}]"
        if index >= len(after):
            yield KeyChange("removed", item, _shown(before[index]))
        elif index >= len(before):
            yield KeyChange("added", item, after=_shown(after[index]))
        else:
            yield from differences(before[index], after[index], item)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _differing(before: Any, after: Any) -> tuple[str, str]:
    """Two values as text; long texts are cut to the part that differs."""
    if not isinstance(before, str) or not isinstance(after, str):
        return _shown(before), _shown(after)
    pairs = enumerate(zip(before, after, strict=False))
    shorter = min(len(before), len(after))
    first = next((index for index, (old, new) in pairs if old != new), shorter)
    start = max(first - _CONTEXT, 0)
    prefix = "…" if start else ""
    return prefix + _shown(before[start:]), prefix + _shown(after[start:])


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", "⏎")
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
