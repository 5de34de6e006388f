"""The country of a time zone, from the table that the time zone database ships with."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def country_of_zone(zone: str) -> str | None:
    """Return the ISO 3166 code of the country that a time zone belongs to, None for `UTC`."""
    return _countries().get(zone)


@cache
def _countries() -> dict[str, str]:
    table = (files("tzdata.zoneinfo") / "zone.tab").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {zone: country for country, _, zone, *_ in rows}
