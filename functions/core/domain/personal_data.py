"""The kinds of items that Deskbell stores about a customer (B10).

Erasure and export both have an entry for each of them, which a test compares: what is added here
is neither forgotten by the one nor by the other. Beside these there are only idempotency records,
which hold digests, and what expires by itself: the stream, backups and dead letters.
"""

from enum import StrEnum


class PersonalData(StrEnum):
    """One kind, by the name that it has in an export."""

    CUSTOMER = "customer"
    CONTACTS = "contacts"
    TICKETS = "tickets"
    FILES = "files"
    PHONE_CALLS = "phone_calls"
    CHATS = "chats"
    QUESTIONS = "questions"
    DRAFTS = "drafts"
    SUMMARIES = "summaries"
    JOURNAL = "journal"
    SEARCH = "search"
    FACTS = "facts"
    QUOTES = "quotes"
    ARCHIVE = "archive"


COPIES = frozenset(
    {
        PersonalData.JOURNAL,
        PersonalData.SEARCH,
        PersonalData.FACTS,
        PersonalData.QUOTES,
        PersonalData.ARCHIVE,
    }
)
"""Kinds that repeat what the others say: an export names them and does not repeat it."""
