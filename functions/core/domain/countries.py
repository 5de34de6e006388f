"""Countries by their ISO 3166 codes: a time zone's, and that of numbers without a country code."""

from functools import cache
from importlib.resources import files

PHONE_REGION = "CN"
"""The country of phone numbers without a country code, at every desk."""


def country_of_zone(zone: str) -> str | None:
    """Return the country of a time zone, None for `UTC`.

    The time zone database's own table says so, which the package `tzdata` ships.
    """
    return _countries().get(zone)


@cache
def _countries() -> dict[str, str]:
    table = (files("tzdata.zoneinfo") / "zone.tab").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {zone: country for country, _, zone, *_ in rows}
