"""Generate the tables of statuses, events and webhook messages in `docs/`.

`python -m infra.docs.generated` writes them between their markers; a test fails if they are out of
date.
"""

from __future__ import annotations

import re
from pathlib import Path

from functions.core.domain.commands import BY_PEOPLE
from functions.core.domain.events import EVENTS, NOTIFY_READS, ROUTER_READS, ROUTER_READS_OF_STEPS
from functions.core.domain.lifecycle import TRANSITIONS
from functions.core.domain.ticket import OPEN, STATUSES, Value
from functions.core.domain.webhooks import types
from functions.notify.webhook_dispatch import INSIDE

DOCS = Path(__file__).resolve().parents[2] / "docs"


BY_PLAYBOOK = (
    "resolved --> in_review: survey (poor, then review)",
    "resolved --> queued: survey (poor, then second handling), confirm (unsolved)",
    "assigned --> awaiting_confirmation: resolve (with confirmation)",
    "in_progress --> awaiting_confirmation: resolve (with confirmation)",
    "awaiting_customer --> awaiting_confirmation: resolve (with confirmation)",
    "awaiting_confirmation --> resolved: confirm (solved, then survey)",
    "awaiting_confirmation --> in_review: confirm (solved, then callback)",
    "awaiting_confirmation --> archived: confirm (solved, then archive)",
    "awaiting_confirmation --> queued: confirm (unsolved)",
    "assigned --> awaiting_department: step (waits for approval)",
    "in_progress --> awaiting_department: step (waits for approval)",
    "awaiting_department --> in_progress: approve",
    "merged --> assigned: unmerge (back to where it was)",
)
"""Transitions that depend on a desk's playbook; its steps add more."""


def statuses() -> str:
    """The transition table, one row per action, and the state diagram."""
    lines = ["| action | from | to | by | meaning |", "|---|---|---|---|---|"]
    for name, transition in TRANSITIONS.items():
        sources = _named(transition.sources)
        shown = f"**`{name}`**" if name in BY_PEOPLE else f"`{name}`"
        lines.append(
            f"| {shown} | {sources} | {transition.target or '(stays)'} | {transition.by} "
            f"| {transition.meaning} |"
        )
    opened = " ".join(status for status in STATUSES if status in OPEN)
    lines += [
        "",
        f"*open*: {opened}. Actions in bold are the HTTP API's.",
        "",
        "```mermaid",
        "stateDiagram-v2",
    ]
    lines.append("  [*] --> received")
    arrows: dict[tuple[str, str], list[str]] = {}
    for name, transition in TRANSITIONS.items():
        for source in STATUSES:
            moves = source in transition.sources - transition.keeps
            if moves and transition.target not in {None, source}:
                arrows.setdefault((source, str(transition.target)), []).append(name)
    for (start, target), names in arrows.items():
        lines.append(f"  {start} --> {target}: {', '.join(names)}")
    lines += [f"  {arrow}" for arrow in BY_PLAYBOOK]
    lines += ["  archived --> [*]", "  closed --> [*]"]
    return "\n".join([*lines, "```"])


def _named(sources: frozenset[str]) -> str:
    """Statuses in the order of a ticket's life; all open ones as one word."""
    words = ["*open*"] if sources >= OPEN else []
    rest = sources - OPEN if words else sources
    return " ".join([*words, *(status for status in STATUSES if status in rest)])


def events() -> str:
    """Every event type with its meaning and the functions that it wakes."""
    lines = ["| event | meaning | wakes |", "|---|---|---|"]
    for name, kind in EVENTS.items():
        wakes = [
            reader
            for reader, reads in (
                ("router", ROUTER_READS),
                ("router (of a step)", ROUTER_READS_OF_STEPS),
                ("notify", NOTIFY_READS),
            )
            if name in reads
        ]
        lines.append(f"| `{name}` | {_meaning(kind)} | {', '.join(wakes) or 'nobody'} |")
    return "\n".join(lines)


def messages() -> str:
    """Every message type of webhooks with the fields of its event."""
    lines = ["| type | when | `data.event` holds |", "|---|---|---|"]
    for name, event in types().items():
        kind = EVENTS[event]
        hidden = {key for key, inside in INSIDE.items() if inside is True}
        fields = " ".join(f"`{field}`" for field in kind.model_fields if field not in hidden)
        # Receivers do not know the catalogue's requirement ids.
        meaning = re.sub(r"^(?:[A-G]\d+[–, ]*)+: (.)", lambda m: m[1].upper(), _meaning(kind))
        lines.append(f"| `{name}` | {meaning} | {fields or 'nothing'} |")
    return "\n".join(lines)


def _meaning(kind: type[Value]) -> str:
    """The first paragraph of an event's docstring, on one line."""
    return re.sub(r"\s+", " ", (kind.__doc__ or "").strip().split("\n\n")[0])


GENERATED = {"statuses": statuses, "events": events, "messages": messages}


def regenerate(text: str) -> str:
    """Replace every generated part of a page."""
    for name, draw in GENERATED.items():
        text = re.sub(
            rf"(<!-- drawn: {name} -->\n).*?(<!-- end -->)",
            lambda match, draw=draw: f"{match[1]}\n{draw()}\n\n{match[2]}",  # type: ignore[misc]
            text,
            flags=re.DOTALL,
        )
    return text


def main() -> None:
    for page in sorted(DOCS.glob("*.md")):
        old = page.read_text(encoding="utf-8")
        if (new := regenerate(old)) != old:
            page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
