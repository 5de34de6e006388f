"""Generate the tables in `docs/`: statuses, events, webhook messages, timers, acts, figures.

`python -m infra.docs.generated` writes them between their markers; a test fails if they are out of
date.
"""

import json
import re
from pathlib import Path
from typing import Any

from app import app
from functions.core.domain.audit import ACTS
from functions.core.domain.commands import ACTIONS
from functions.core.domain.events import EVENTS
from functions.core.domain.ticket import OPEN, STATUSES, TIMER_KINDS, Value
from functions.core.domain.webhook_message import INTERNAL_FIELDS
from functions.core.domain.webhooks import event_of_type
from functions.core.reports.figures import FIGURES
from functions.core.reports.labels import figure_definition, figure_label
from infra.docs.openapi import FILE, description, event_meaning

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
    actions = [command.action for command in ACTIONS.values()]
    for action in actions:
        shown = f"**`{action.name}`**" if action.agents else f"`{action.name}`"
        lines.append(
            f"| {shown} | {_named(action.sources)} | {action.target or '(stays)'} | {action.by} "
            f"| {action.meaning} |"
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
    for action in actions:
        for source in STATUSES:
            moves = source in action.sources - action.keeps
            if moves and action.target not in {None, source}:
                arrows.setdefault((source, str(action.target)), []).append(action.name)
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
    """Every event type with its meaning, and whether it wakes the router."""
    lines = ["| event | meaning | also wakes |", "|---|---|---|"]
    for name, kind in EVENTS.items():
        wakes = "router" if kind.wakes_router else ""
        wakes = "router (after a step)" if kind.router_after_step else wakes
        lines.append(f"| `{name}` | {_meaning(kind)} | {wakes} |")
    return "\n".join(lines)


def calls() -> str:
    """Every call of the API with the fields of its body, those that may be absent in brackets."""
    api = description(app.routes)
    lines = ["| call | does | body |", "|---|---|---|"]
    for path, methods in api["paths"].items():
        for method, call in methods.items():
            content = call.get("requestBody", {}).get("content", {})
            schema = next(iter(content.values()))["schema"] if content else {}
            bodies = [
                _fields(api["components"]["schemas"][part["$ref"].rpartition("/")[2]])
                for part in schema.get("anyOf", [schema])
                if "$ref" in part
            ]
            lines.append(
                f"| `{method.upper()} {path}` | {call['summary']} | {', or '.join(bodies)} |"
            )
    return "\n".join(lines)


def _fields(schema: dict[str, Any]) -> str:
    needed = schema.get("required", ())
    names = (f"`{name}`" if name in needed else f"[`{name}`]" for name in schema["properties"])
    return " ".join(names)


def messages() -> str:
    """Every message type of webhooks with the fields of its event."""
    lines = ["| type | when | `data.event` holds |", "|---|---|---|"]
    for name, event in event_of_type().items():
        kind = EVENTS[event]
        hidden = {key for key, inside in INTERNAL_FIELDS.items() if inside is True}
        fields = " ".join(f"`{field}`" for field in kind.model_fields if field not in hidden)
        lines.append(f"| `{name}` | {event_meaning(event)} | {fields or 'nothing'} |")
    return "\n".join(lines)


def timers() -> str:
    """Every timer kind with its names in messages."""
    return "\n".join(
        f"- `{kind}`: {names['zh-CN']}, {names['en']}" for kind, names in TIMER_KINDS.items()
    )


def figures() -> str:
    """The figures of reports, with their definitions in both languages."""
    lines = ["| figure | called | means |", "|---|---|---|"]
    lines += (
        f"| `{name}` | {figure_label(name, 'en')} {figure_label(name, 'zh-CN')} "
        f"| {figure_definition(name, 'en')} {figure_definition(name, 'zh-CN')} |"
        for name in FIGURES
    )
    return "\n".join(lines) + "\n"


def acts() -> str:
    rows = (f"| `{act}` | {meaning} |" for act, meaning in ACTS.items())
    return "\n".join(["| act | somebody … |", "|---|---|", *rows])


def _meaning(kind: type[Value]) -> str:
    """The first paragraph of an event's docstring, on one line."""
    return re.sub(r"\s+", " ", (kind.__doc__ or "").strip().split("\n\n")[0])


GENERATED = {
    "calls": calls,
    "statuses": statuses,
    "events": events,
    "messages": messages,
    "timers": timers,
    "acts": acts,
    "figures": figures,
}


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


def described() -> str:
    return json.dumps(description(app.routes), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    FILE.write_text(described(), encoding="utf-8")
    for page in sorted(DOCS.glob("*.md")):
        old = page.read_text(encoding="utf-8")
        if (new := regenerate(old)) != old:
            page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
