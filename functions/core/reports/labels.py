"""The words of figures for people: measures, groups, durations, shares, sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from functions.core.domain.rules import Locale, Playbook
from functions.core.text.tables import read_table
from functions.core.text.words import label

_MEASURED_IN_TIME = frozenset({"mean", "median", "p90", "handling", "signed_in"})
_SHARES = frozenset({"share", "answer_rate", "occupancy"})


def word(key: str, locale: Locale) -> str:
    """Return the word for a measure, dimension or heading; an unknown one as it is."""
    said = read_table("measures").get(key)
    return said[locale] if said else key


def measure_label(path: str, locale: Locale) -> str:
    """Return the name of a measure by its path: `business.median` is "Opening hours, Median"."""
    return ("，" if locale == "zh-CN" else ", ").join(word(key, locale) for key in path.split("."))


def is_duration(figure: str, path: str) -> bool:
    """Return whether a measure of a figure is in seconds; the mean score is in points."""
    return path.rpartition(".")[2] in _MEASURED_IN_TIME and figure != "csat"


def is_share(path: str) -> bool:
    return path.rpartition(".")[2] in _SHARES


def measures(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each number of a figure with its path: `n`, `business.median`, `by_age.<1d`."""
    if not isinstance(value, Mapping):
        yield "n", value
        return
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield from ((f"{name}.{path}", number) for path, number in measures(inner))
        elif isinstance(inner, list | tuple):
            for item in inner:
                *named, number = item.values() if isinstance(item, Mapping) else (item, None)
                yield ".".join((name, *map(str, named))), number
        else:
            yield name, inner


def duration_text(seconds: float | None, locale: Locale) -> str:
    """Return a duration in its two largest units: 2小时5分钟, 2 h 5 min."""
    if seconds is None:
        return word("nothing", locale)
    units = ((86400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min"), (1, "秒", "s"))
    left, parts = round(seconds), list[str]()
    for size, zh, en in units:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{zh}" if locale == "zh-CN" else f"{count} {en}")
        if len(parts) == 2 or (parts and not count):
            break
    between = "" if locale == "zh-CN" else " "
    return between.join(parts) or ("0秒" if locale == "zh-CN" else "0 s")


def share_text(share: float | None, locale: Locale) -> str:
    return word("nothing", locale) if share is None else f"{share:.1%}"


def number_text(figure: str, path: str, number: Any, locale: Locale) -> str:
    if isinstance(number, str):
        return number
    if is_duration(figure, path):
        return duration_text(number, locale)
    if is_share(path):
        return share_text(number, locale)
    return word("nothing", locale) if number is None else f"{number:,.10g}"


def figure_text(figure: str, value: Any, locale: Locale) -> str:
    """Return a figure in one line, for mails."""
    found = dict(measures(value))
    if figure != "volume" and not any(found.values()):
        return word("nothing", locale)
    forms = read_table("figures_in_one_line")
    form = forms.get(figure) or forms["duration" if "median" in found else "share"]
    said = form[locale]
    for path, number in found.items():
        said = said.replace(f"{{{path}}}", number_text(figure, path, number, locale))
    return said


def figure_label(figure: str, locale: Locale) -> str:
    said = read_table("figures").get(figure)
    return said[locale] if said else word(figure, locale)


def figure_definition(figure: str, locale: Locale) -> str:
    return read_table("figures")[f"{figure}.definition"][locale]


def label_of(
    dimension: str,
    value: str,
    playbook: Playbook,
    locale: Locale,
    names: Mapping[str, str] | None = None,
) -> str:
    """Return the label of a group's value; one that the playbook does not know is shown as is."""
    terms: dict[str, Mapping[str, object]] = {
        "type": playbook.types,
        "tag": playbook.tags,
        "team": playbook.teams,
        "priority": playbook.priorities,
    }
    if dimension == "agent":
        return (names or {}).get(value, value)
    return label(terms.get(dimension, {}), value, locale)


def group_label(group: str, playbook: Playbook, locale: Locale) -> str:
    """Return a group as people read it: `product=KFR-35&type=fault` is 型号 KFR-35 · 报障."""
    names = []
    for part in group.split("&"):
        dimension, _, value = part.partition("=")
        named = label_of(dimension, value, playbook, locale)
        names.append(f"{word(dimension, locale)} {named}" if dimension == "product" else named)
    return " · ".join(names)


def jump_label(group: str, count: int, expected: float, playbook: Playbook, locale: Locale) -> str:
    """Return a jump in words: "Product KFR-35 · Complaint: 12, expected 3"."""
    named, usual = group_label(group, playbook, locale), f"{round(expected, 1):g}"
    if locale == "zh-CN":
        return f"{named}：{count}件，预期{usual}件"
    return f"{named}: {count}, expected {usual}"
