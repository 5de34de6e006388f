"""The texts of queues, views, search, new tickets, several tickets and contacts."""

from functions.core.domain.rules import Locale
from functions.core.text.tables import read_table

CHANNELS = read_table("channels")
"""The channels by the names that the product gives them; a desk's own ones are shown as named."""


def channel_label(channel: str, locale: Locale) -> str:
    """Return a channel as people read it."""
    found = CHANNELS.get(channel)
    return found[locale] if found else channel


"""The texts by key, in each language."""
